"""Small disks, and processes that may have only so much memory."""

from __future__ import annotations

import os
import resource
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

GROUPS = Path("/sys/fs/cgroup")


@contextmanager
def small_disk(path: Path, size: str) -> Iterator[Callable[[str], None]]:
    """A file system of that size at `path`; yields what changes the size."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path]
    if os.geteuid() != 0 or subprocess.run(command).returncode != 0:
        pytest.skip("only root may mount a small disk")

    def resize(to: str) -> None:
        options = f"remount,size={to}"
        subprocess.run(["mount", "-o", options, path], check=True)

    try:
        yield resize
    finally:
        subprocess.run(["umount", path], check=True)


@contextmanager
def memory_limit(limit_bytes: int) -> Iterator[Callable[[], None]]:
    """Yields what a process calls to be killed, or refused, beyond a limit.

    A cgroup, where one can be made; it counts all memory and kills. Else a
    limit on what the process may map to write into.
    """
    found = _new_group(limit_bytes)
    if found is None:
        limits = (limit_bytes, limit_bytes)
        yield lambda: resource.setrlimit(resource.RLIMIT_DATA, limits)
        return
    try:
        yield lambda: (found / "cgroup.procs").write_text(str(os.getpid()))
    finally:
        found.rmdir()


def _new_group(limit_bytes: int) -> Path | None:
    name = f"rechunk-{uuid.uuid4().hex[:12]}"
    for parent, limit in (
        (GROUPS / "memory", "memory.limit_in_bytes"),
        (GROUPS, "memory.max"),
    ):
        group = parent / name
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(limit_bytes))
            return group
        except OSError:
            group.rmdir()
    return None
