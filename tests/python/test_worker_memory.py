"""Workers keep to the memory of the plan: their tasks share one budget."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import zarr

from compare import assert_same_elements
from engines import BEAM_PROCESSES
from rechunk import rechunk

MAX_MEM = 64_000_000
ALLOWED = MAX_MEM + (64 << 20)


def peak_bytes(pid: int | None = None) -> int:
    """Return the largest resident size of a process, or this one, so far."""
    status = Path(f"/proc/{pid or 'self'}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def reset_peak() -> int:
    """Forget the peak; return the present size of this process."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_bytes()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an array of 256 MB, a map per chunk."""
    path = tmp_path_factory.mktemp("memory") / "source"
    array = zarr.create_array(
        path, shape=(256, 500, 500), chunks=(1, 500, 500), dtype="f4"
    )
    rng = np.random.default_rng(2)
    for index in range(0, 256, 32):
        array[index : index + 32] = rng.integers(0, 999, (32, 500, 500)).astype(
            "f4"
        )
    return path


def assert_right(source: Path, target: Path) -> None:
    """Compare some planes."""
    wanted, found = zarr.open_array(source), zarr.open_array(target)
    for index in (0, 100, 255):
        assert_same_elements(found[index], wanted[index])


@pytest.mark.parametrize(("workers", "threads"), [(1, 4), (2, 2)])
def test_dask_workers(
    source: Path, tmp_path: Path, workers: int, threads: int
) -> None:
    """Several tasks at a time in each worker process."""
    from distributed import Client, LocalCluster

    rechunked = rechunk(
        source,
        (256, 20, 20),
        MAX_MEM,
        tmp_path / "target",
        executor="dask",
        threads=2,
    )
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=threads,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        client.run(lambda: __import__("rechunk"))
        before = client.run(reset_peak)
        rechunked.execute(scheduler=client)
        after = client.run(peak_bytes)
    grown = [after[worker] - before[worker] for worker in before]
    assert len(grown) == workers
    assert max(grown) > MAX_MEM / 8  # It was these that did the work.
    assert max(grown) <= ALLOWED
    assert_right(source, tmp_path / "target")


def resident_bytes() -> int:
    """Return the resident size of this process."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def test_one_run_after_the_other(source: Path, tmp_path: Path) -> None:
    """A worker that lives on keeps nothing of the runs it had."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        client.run(lambda: __import__("rechunk"))
        (before,) = client.run(reset_peak).values()
        for width in (20, 50, 100):
            rechunk(
                source,
                (256, width, width),
                MAX_MEM,
                tmp_path / f"target-{width}",
                executor="dask",
                threads=2,
            ).execute(scheduler=client)
        (peak,) = client.run(peak_bytes).values()
        assert MAX_MEM / 8 < peak - before <= ALLOWED
        deadline = time.monotonic() + 30
        while client.run(resident_bytes).popitem()[1] - before > MAX_MEM / 2:
            assert time.monotonic() < deadline, "memory is not given back"
            time.sleep(0.2)
    assert_right(source, tmp_path / "target-100")


def descendants() -> list[int]:
    """Return the processes below this one."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = entry.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(
                int(entry.parent.name)
            )
    found, todo = [], [os.getpid()]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def is_of_beam(pid: int) -> bool:
    """True for Beam's workers: other tests' engines may be running, too."""
    return b"sdk_worker_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


def largest_peak_of(action: Callable[[], object]) -> int:
    """Return the largest peak of Beam's workers that the action starts."""
    peaks = [0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            for pid in descendants():
                with suppress(OSError, IndexError):
                    if is_of_beam(pid):
                        peaks.append(peak_bytes(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        action()
    finally:
        done.set()
        watcher.join()
    return max(peaks)


def test_beam_workers(source: Path, tmp_path: Path) -> None:
    """Two processes, against what the same workers take for a tiny array."""
    from apache_beam.options.pipeline_options import PipelineOptions

    def run(array: object, chunks: tuple[int, ...], name: str) -> int:
        rechunked = rechunk(
            array, chunks, MAX_MEM, tmp_path / name, executor="beam", threads=2
        )
        options = PipelineOptions(BEAM_PROCESSES)
        return largest_peak_of(lambda: rechunked.execute(options=options))

    zarr.create_array(tmp_path / "tiny", data=np.arange(9.0), chunks=(2,))
    bare = run(tmp_path / "tiny", (3,), "tiny-target")
    grown = run(source, (256, 20, 20), "target") - bare
    assert MAX_MEM / 8 < grown <= ALLOWED
    assert_right(source, tmp_path / "target")


def test_native_threads_within_an_interpreter(
    source: Path, tmp_path: Path
) -> None:
    """The same promise as the command's."""
    script = (
        "import sys; from pathlib import Path\n"
        "from test_worker_memory import peak_bytes\n"
        "import zarr; from rechunk import rechunk\n"
        "source, target, size = sys.argv[1:]\n"
        "before = peak_bytes()\n"
        "rechunk(source, (256, 20, 20), int(size), target).execute()\n"
        "print(peak_bytes() - before)\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            script,
            source,
            tmp_path / "target",
            str(MAX_MEM),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert MAX_MEM / 8 < int(done.stdout) <= ALLOWED
    assert_right(source, tmp_path / "target")
