"""Runs one process and measures what it cost.

Run as a script it starts a command itself. The kernel counts the memory of
whoever starts a process into that process's peak, so a small one has to.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measurement:
    """What one run took."""

    seconds: float  # wall clock
    cpu_seconds: float  # user and system, of the process and its children
    peak_bytes: int  # largest resident memory of the process
    exit_code: int  # negative: the signal that ended it
    timed_out: bool
    output: str
    errors: str  # the end of what it wrote to stderr


def run(command: list[str], limit_seconds: float) -> Measurement:
    """Runs a command in a process group of its own, ended at the limit."""
    small = [sys.executable, "-I", "-S", __file__, str(limit_seconds)]
    process = subprocess.Popen([*small, *command], stdout=subprocess.PIPE)
    try:
        output, _ = process.communicate()
    except BaseException:
        process.terminate()
        raise
    return Measurement(**json.loads(output))


def _end_group(process: subprocess.Popen, timed_out: threading.Event) -> None:
    timed_out.set()
    os.killpg(process.pid, signal.SIGKILL)


def _run_here(command: list[str], limit_seconds: float) -> Measurement:
    timed_out = threading.Event()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=output, stderr=errors, start_new_session=True
        )
        timer = threading.Timer(limit_seconds, _end_group, (process, timed_out))
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            timer.cancel()
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        return Measurement(
            seconds=seconds,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_bytes=usage.ru_maxrss * 1024,
            exit_code=process.returncode,
            timed_out=timed_out.is_set(),
            output=output.read().decode(errors="replace"),
            errors=errors.read().decode(errors="replace")[-2000:],
        )


def is_metadata(path: Path) -> bool:
    """True for the files of a Zarr store that hold no array data."""
    return path.name.startswith(".z") or path.name == "zarr.json"


def stored(store: Path) -> tuple[int, int]:
    """Objects and bytes of array data in a store; none if it is not there."""
    sizes = [
        path.stat().st_size
        for path in store.rglob("*")
        if path.is_file() and not is_metadata(path)
    ]
    return len(sizes), sum(sizes)


def warm(store: Path) -> None:
    """Reads every file, so that the page cache holds the source."""
    for path in store.rglob("*"):
        if path.is_file():
            with path.open("rb", buffering=0) as file:
                while file.read(1 << 22):
                    pass


def cool(folder: Path) -> None:
    """Drops every file below a folder from the page cache.

    Writing takes longer while the cache is full, and whoever runs would pay
    for what others read.
    """
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends the command
    _, limit_seconds, *command = sys.argv
    print(json.dumps(asdict(_run_here(command, float(limit_seconds)))))


if __name__ == "__main__":
    main()
