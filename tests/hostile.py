"""What every test of hostile input asks for: a refusal that costs little."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import zarr

from binary import Rechunk, Result

OVERHEAD_BYTES = 64 << 20  # Beside --max-memory, as the README promises.
MAX_SECONDS = 60.0  # A busy machine; all of these take fractions of one.
MEMORY_BYTES = 16_000_000
# Sanitizers keep freed memory and shadow bytes: no measure of the program.
MEASURES_MEMORY = "asan" not in os.environ.get("RECHUNK_BINARY", "")


def snapshot(folder: Path) -> dict[str, tuple]:
    """Return everything below a folder: kind, size and time of change."""
    found = {}
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(root, name)
            status = path.lstat()
            found[str(path.relative_to(folder))] = (
                status.st_mode,
                status.st_size,
                status.st_mtime_ns,
                os.readlink(path) if path.is_symlink() else "",
            )
    return found


def check_cost(result: Result, memory_bytes: int = MEMORY_BYTES) -> None:
    """Bounded time, bounded memory."""
    assert result.seconds < MAX_SECONDS, str(result)
    if MEASURES_MEMORY:
        assert result.peak_rss_bytes <= memory_bytes + OVERHEAD_BYTES, (
            f"{result.peak_rss_bytes >> 20} MiB: {result}"
        )


def refuse(
    rechunk: Rechunk,
    folder: Path,
    *arguments: object,
    memory_bytes: int = MEMORY_BYTES,
) -> str:
    """Run; require an error, and that `folder` stays as it is.

    Return the error. A description of the plan may come before it.
    """
    before = snapshot(folder)
    result = rechunk(*arguments, timeout_seconds=2 * MAX_SECONDS)
    assert result.exit_code in (1, 2), str(result)
    assert not result.stdout, str(result)
    lines = result.stderr.splitlines(keepends=True)
    starts = [line.startswith("error: ") for line in lines]
    assert starts.count(True) == 1, str(result)
    message = "".join(lines[starts.index(True) :])
    assert "bug" not in message, str(result)
    assert len(message) < 2000, str(result)
    check_cost(result, memory_bytes)
    assert snapshot(folder) == before, str(result)
    return message


def refuse_run(
    rechunk: Rechunk,
    folder: Path,
    *flags: object,
    name: str = "a",
    chunks: str = "auto",
    memory_bytes: int = MEMORY_BYTES,
) -> str:
    """Require that a run from FOLDER/NAME to FOLDER/out is refused."""
    words = ("run", folder / name, folder / "out", "--chunks", chunks)
    memory = ("--max-memory", memory_bytes, "--threads", "2")
    return refuse(
        rechunk, folder, *words, *memory, *flags, memory_bytes=memory_bytes
    )


def make_array(path: Path, **options: object) -> np.ndarray:
    """Write a random (20, 30) array of int32; return its elements."""
    data = np.random.default_rng(3).integers(0, 1 << 30, (20, 30), "i4")
    settings = {"shape": data.shape, "chunks": (5, 30), "dtype": "i4"}
    array = zarr.create_array(path, **{**settings, **options})
    array[:] = data
    return data
