"""Page and pictures of a measurement, from its records.

`report.py` writes them beside the records in build/bench; with `--publish` they
become docs/benchmarks.md, and the records go to benchmarks/results.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import page
from environments import HERE, ROOT, prepare

RESULTS = ROOT / "build" / "bench"


def draw(records: Path, folder: Path, form: str) -> list[tuple[str, str]]:
    """Titles and file names of the pictures in `folder`."""
    command = [prepare("plots"), HERE / "plots.py", records, folder, form]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--label", help="default: the newest records")
    parser.add_argument("--publish", action="store_true")
    parser.add_argument("--form", choices=("svg", "png"), default="svg")
    return parser.parse_args()


def newest() -> str:
    found = sorted(
        RESULTS.glob("*.json"), key=lambda path: path.stat().st_mtime
    )
    if not found:
        raise SystemExit(f"error: {RESULTS} has no records: run bench.py first")
    return found[-1].stem


def main() -> int:
    options = parse_arguments()
    label = options.label or newest()
    records = RESULTS / f"{label}.json"
    place, folder = RESULTS / f"{label}.md", RESULTS / label
    if options.publish:
        docs = ROOT / "docs"
        place, folder = docs / "benchmarks.md", docs / "benchmarks"
        kept = HERE / "results"
        kept.mkdir(exist_ok=True)
        shutil.copy(records, kept / records.name)
    pictures = draw(records, folder, options.form)
    addresses = [(title, f"{folder.name}/{name}") for title, name in pictures]
    content = json.loads(records.read_text())
    place.write_text(page.markdown(content, addresses))
    print(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
