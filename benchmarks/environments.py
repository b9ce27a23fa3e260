"""Python environments, one per tool, made from the committed pins."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ENVIRONMENTS = ROOT / "build" / "bench-envs"


def _stamp(requirements: Path) -> str:
    content = requirements.read_bytes() + sys.version.encode()
    return hashlib.sha256(content).hexdigest()


def prepare(name: str) -> Path:
    """The interpreter of the environment `name`, made if it is missing."""
    requirements = HERE / "requirements" / f"{name}.txt"
    folder = ENVIRONMENTS / name
    stamp_file = folder / "stamp"
    python = folder / "bin" / "python"
    stamp = _stamp(requirements)
    if stamp_file.exists() and stamp_file.read_text() == stamp:
        return python
    print(f"making the environment {name}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([python, *install, "-r", requirements], check=True)
    stamp_file.write_text(stamp)
    return python
