"""Keeps memory that is free from going back to a virtual machine's host.

Getting a page again takes a host longer than filling it takes us: whoever runs
first after a pause would pay for all. Hosts take free pages back in blocks of
2 MiB, so one page of each block is held, and the rest is free for whoever runs.

    python steady_memory.py BYTES    prints a line, and holds until it is ended
"""

from __future__ import annotations

import mmap
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

BLOCK_BYTES = 2 << 20
# The most that a run writes to pages that it did not have before, about twice.
KEPT_BYTES = 8 << 30
KEPT_SHARE = 0.4  # At most that share of what is free.


@contextmanager
def steady_memory() -> Iterator[int]:
    """While it is open, so many bytes can be had at memory's own speed.

    Yields the number of the process that sees to it.
    """
    byte_count = min(KEPT_BYTES, int(KEPT_SHARE * _available_bytes()))
    command = [sys.executable, "-I", "-S", __file__, str(byte_count)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as keeper:
        assert keeper.stdout
        keeper.stdout.readline()
        try:
            yield keeper.pid
        finally:
            keeper.terminate()


def _available_bytes() -> int:
    with open("/proc/meminfo") as lines:
        for line in lines:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    raise SystemExit("error: /proc/meminfo does not say MemAvailable")


def _hold(byte_count: int) -> None:
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE
    memory = mmap.mmap(-1, byte_count, flags=flags)
    free_bytes = BLOCK_BYTES - mmap.PAGESIZE
    for block in range(0, byte_count - BLOCK_BYTES, BLOCK_BYTES):
        memory.madvise(mmap.MADV_DONTNEED, block + mmap.PAGESIZE, free_bytes)
    print("held", flush=True)
    sys.stdin.read()  # Until whoever started this ends.


if __name__ == "__main__":
    _hold(int(sys.argv[1]))
