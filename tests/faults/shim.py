"""Runs the command with system calls that fail, or that kill it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from binary import SANITIZER, binary_path

# What the command calls on files, as the shim names it.
CHANGING = (
    *("create", "pwrite", "rename", "renameat2"),
    *("link", "unlink", "mkdir", "rmdir"),
)
SYNCING = ("fsync", "fdatasync")
READING = ("open", "preadv", "opendir")
PATIENCE_SECONDS = 120


def shim_path() -> Path:
    """Return where the shim of the build under test lies."""
    path = binary_path().parent / "tests/faults/libfault_shim.so"
    assert path.exists(), f"{path} is not built: run `make fault-tools`"
    return path


@dataclass(frozen=True)
class Ended:
    """How a run of the command ended."""

    exit_code: int  # Negative: ended by that signal.
    stdout: str
    stderr: str
    calls: list[tuple[str, str]] = field(default_factory=list)

    @property
    def killed(self) -> bool:
        """Whether it was killed."""
        return self.exit_code == -signal.SIGKILL

    def count(self, *names: str) -> int:
        """How many of these calls it made."""
        counted = Counter(name for name, _ in self.calls)
        return sum(counted[name] for name in names or counted)


def shim_env(folder: Path, **shim: object) -> dict[str, str]:
    """Return the environment of a command, with a shim if it is to have one."""
    env = dict(os.environ)
    if shim:
        env |= {
            f"SHIM_{key.upper()}": str(value) for key, value in shim.items()
        }
        env |= {"SHIM_UNDER": str(folder), "LD_PRELOAD": str(shim_path())}
    return env


def run(
    folder: Path, *arguments: object, log: Path | None = None, **shim: object
) -> Ended:
    """Run the command; `shim` without its prefix, in lower case.

    Only calls on files below `folder` count. What is not a regular end or a
    kill is a failure of the test, as is a run that hangs.
    """
    if log:
        log.unlink(missing_ok=True)
        shim["log"] = log
    try:
        done = subprocess.run(
            [binary_path(), *map(str, arguments)],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_SECONDS,
            env=shim_env(folder, **shim),
        )
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"it hangs: {arguments}, {shim}") from error
    assert done.returncode in (0, 1, 2, -signal.SIGKILL), done
    assert not SANITIZER.search(done.stderr), done
    return Ended(done.returncode, done.stdout, done.stderr, _calls(log))


def _calls(log: Path | None) -> list[tuple[str, str]]:
    if log is None or not log.exists():
        return []
    lines = log.read_text(errors="replace").splitlines()
    parts = (line.partition(" ") for line in lines)
    return [(name, path) for name, _, path in parts]
