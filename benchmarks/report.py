"""Page and pictures of a measurement, from its records.

`report.py` writes them beside the records, into build/bench. With `--publish`
the tables also become docs/benchmarks.md, and build/bench/LABEL.zip gets the
records, the page and the pictures: the asset of a release.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import zipfile
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


def publish(label: str, results: Path, published: Path) -> Path:
    """Write the page for git, and the archive with all results."""
    records = results / f"{label}.json"
    published.write_text(page.markdown(json.loads(records.read_text())))
    archive = results / f"{label}.zip"
    pictures = sorted((results / label).iterdir())
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as asset:
        for path in (records, results / f"{label}.md", *pictures):
            asset.write(path, path.relative_to(results))
    return archive


def main() -> int:
    options = parse_arguments()
    label = options.label or newest()
    records = RESULTS / f"{label}.json"
    place, folder = RESULTS / f"{label}.md", RESULTS / label
    pictures = draw(records, folder, options.form)
    addresses = [(title, f"{folder.name}/{name}") for title, name in pictures]
    content = json.loads(records.read_text())
    place.write_text(page.markdown(content, addresses))
    print(place)
    if options.publish:
        print(publish(label, RESULTS, ROOT / "docs" / "benchmarks.md"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
