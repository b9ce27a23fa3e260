"""The machine and the commit that a result belongs to."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path


def _first(pattern: str, path: str) -> str:
    found = re.search(pattern, Path(path).read_text())
    return found.group(1).strip() if found else "unknown"


def _git(*arguments: str) -> str:
    root = Path(__file__).resolve().parent
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True
    )
    return done.stdout.strip()


def commit() -> str:
    """The short commit, with `-dirty` where tracked files differ from it."""
    short = _git("rev-parse", "--short=10", "HEAD") or "unknown"
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return f"{short}-dirty" if changed else short


def codec_libraries() -> list[str]:
    """Names and versions of the codecs' libraries that the build finds."""
    names = ("blosc", "libzstd", "liblz4")
    done = subprocess.run(
        ["pkg-config", "--modversion", *names],
        capture_output=True,
        text=True,
        check=True,
    )
    versions = zip(names, done.stdout.split(), strict=True)
    return [f"{name.removeprefix('lib')} {each}" for name, each in versions]


def describe() -> dict:
    """CPU, cores, memory in bytes, kernel, Python, codecs and commit."""
    return {
        "cpu": _first(r"model name\s*:\s*(.*)", "/proc/cpuinfo"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": int(_first(r"MemTotal:\s*(\d+)", "/proc/meminfo"))
        * 1024,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "codec_libraries": codec_libraries(),
        "commit": commit(),
    }
