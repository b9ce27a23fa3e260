"""Environments, one per tool, made from the committed pins."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ENVIRONMENTS = Path(
    os.environ.get("RECHUNK_BENCH_ENVIRONMENTS", ROOT / "build" / "bench-envs")
)


def _make(name: str, build: Callable[[Path, Path], None]) -> Path:
    """The folder of an environment, built if it is missing or outdated."""
    requirements = HERE / "requirements" / f"{name}.txt"
    content = requirements.read_bytes() + sys.version.encode()
    stamp = hashlib.sha256(content).hexdigest()
    folder = ENVIRONMENTS / name
    stamp_file = folder / "stamp"
    if not stamp_file.exists() or stamp_file.read_text() != stamp:
        print(f"making the environment {name}", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        build(folder, requirements)
        stamp_file.write_text(stamp)
    return folder


def _build_venv(folder: Path, requirements: Path) -> None:
    venv.create(folder, with_pip=True)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    python = folder / "bin" / "python"
    subprocess.run([python, *install, "-r", requirements], check=True)


def prepare(name: str) -> Path:
    """The interpreter of the Python environment `name`."""
    return _make(name, _build_venv) / "bin" / "python"


def prepare_crate(name: str) -> Path:
    """The program `name` of the crate that its requirements pin."""

    def build(folder: Path, requirements: Path) -> None:
        crate, release = requirements.read_text().strip().split("==")
        command = ["cargo", "install", crate, "--version", f"={release}"]
        command += ["--locked", "--no-default-features", "--bin", name]
        subprocess.run([*command, "--root", folder, "--quiet"], check=True)

    return _make(name, build) / "bin" / name
