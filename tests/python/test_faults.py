"""What executors do when something fails: try again, say what, lose nothing."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from binary import binary_path
from compare import assert_same_elements
from engines import ENGINES
from rechunk import Rechunked, RechunkError, rechunk
from recording import FailingArray, NotingArray
from trees import assert_only

Run = Callable[..., None]
# Beam's local runners and Dask's local schedulers do not try again.
RETRIES = {"dask-cluster": {"retries": 3}, "prefect": {}}
# A PTransform has one pipeline, a key of a Dask graph one outcome: a user's own
# pipeline or persisted graph is not begun again by the same object.
REPEATABLE = [
    name for name in ENGINES if name not in ("beam-pipeline", "dask-persisted")
]
QUICK = ["threads", "python", "dask-synchronous", "dask-threads", "beam"]


def make_source(folder: Path) -> np.ndarray:
    """Write a source in 40 chunks; return its elements."""
    elements = np.random.default_rng(5).normal(size=(40, 60, 50))
    zarr.create_array(folder / "source", data=elements, chunks=(1, 60, 50))
    return elements


def failing(folder: Path, failures: int) -> FailingArray:
    """Return the source as an array that fails so many times."""
    tokens = folder / "failures"
    tokens.mkdir()
    for number in range(failures):
        (tokens / str(number)).touch()
    return FailingArray(folder / "source", folder / "notes", tokens)


def plan(source: Any, folder: Path, executor: str, **options: Any) -> Rechunked:
    """Plan the source in two stages."""
    return rechunk(
        source,
        (40, 3, 4),
        "1MB",
        folder / "target",
        executor=executor,
        threads=2,
        **options,
    )


@pytest.mark.parametrize("engine", RETRIES)
def test_a_task_that_fails_once_is_tried_again(
    run: Run, tmp_path: Path, engine: str
) -> None:
    """By the engine; the result is right."""
    elements = make_source(tmp_path)
    source = failing(tmp_path, 2)
    rechunked = plan(source, tmp_path, ENGINES[engine].executor)
    run(engine, rechunked, **RETRIES[engine])
    assert not list((tmp_path / "failures").iterdir())
    assert_same_elements(zarr.open_array(tmp_path / "target")[...], elements)


@pytest.mark.parametrize("engine", [*QUICK, "dask-processes", "dask-cluster"])
def test_a_failure_is_raised_and_the_run_can_be_repeated(
    run: Run, tmp_path: Path, engine: str
) -> None:
    """The caller sees the cause; execute() again does what is missing."""
    elements = make_source(tmp_path)
    source = failing(tmp_path, 10_000)
    name = ENGINES[engine].executor if engine in ENGINES else engine
    rechunked = plan(source, tmp_path, name)
    with pytest.raises(Exception, match="the tape is torn"):
        _run(run, engine, rechunked)
    assert not (tmp_path / "target/zarr.json").exists()
    for token in (tmp_path / "failures").iterdir():
        token.unlink(missing_ok=True)  # Tasks may still be failing.
    _run(run, engine, rechunked)
    assert_same_elements(zarr.open_array(tmp_path / "target")[...], elements)
    assert_only(tmp_path, "source", "target", "notes", "failures")


def _run(run: Run, engine: str, rechunked: Rechunked) -> None:
    if engine in ENGINES:
        run(engine, rechunked)
    else:
        rechunked.execute()


@pytest.mark.parametrize("engine", REPEATABLE)
def test_a_damaged_chunk_is_named_and_once_mended_the_run_ends(
    run: Run, tmp_path: Path, engine: str
) -> None:
    """The error is rechunk's own: what was done, which object, and why."""
    elements = make_source(tmp_path)
    chunk = tmp_path / "source/c/7/0/0"
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[:-9])
    rechunked = plan(tmp_path / "source", tmp_path, ENGINES[engine].executor)
    # Beam tells of other processes by their traceback.
    kind = RuntimeError if engine == "beam-processes" else RechunkError
    with pytest.raises(kind, match=r"reading .*c/7/0/0.*zstd"):
        run(engine, rechunked)
    chunk.write_bytes(whole)
    run(engine, rechunked)
    assert_same_elements(zarr.open_array(tmp_path / "target")[...], elements)
    assert_only(tmp_path, "source", "target")


@pytest.mark.parametrize("engine", ["threads", "dask-threads", "python"])
def test_a_second_execute_does_everything_again(
    tmp_path: Path, engine: str
) -> None:
    """With what the source holds by then."""
    elements = make_source(tmp_path)
    name = ENGINES[engine].executor if engine in ENGINES else engine
    rechunked = plan(tmp_path / "source", tmp_path, name)
    assert_same_elements(rechunked.execute()[...], elements)
    zarr.open_array(tmp_path / "source", mode="r+")[11] = 4.5
    elements[11] = 4.5
    assert_same_elements(rechunked.execute()[...], elements)
    assert_only(tmp_path, "source", "target")


def test_a_killed_worker_changes_nothing(tmp_path: Path) -> None:
    """One of two Dask workers dies in mid-run, and its tasks run again."""
    from distributed import Client, LocalCluster

    elements = make_source(tmp_path)
    slow = NotingArray(tmp_path / "source", tmp_path / "notes", seconds=0.1)
    rechunked = plan(slow, tmp_path, "dask")
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as workers,
        Client(workers, set_as_default=False) as client,
    ):
        victim = next(iter(client.run(os.getpid).values()))

        def kill() -> None:
            while not any((tmp_path / "notes").iterdir()):
                time.sleep(0.02)
            time.sleep(0.4)
            os.kill(victim, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        rechunked.execute(scheduler=client)
        killer.join()
    assert_same_elements(zarr.open_array(tmp_path / "target")[...], elements)
    assert_only(tmp_path, "source", "target", "notes")


def test_ctrl_c_stops_native_threads(tmp_path: Path) -> None:
    """KeyboardInterrupt arrives soon, and execute() again goes on."""
    elements = make_source(tmp_path)
    slow = NotingArray(tmp_path / "source", tmp_path / "notes", seconds=0.1)
    rechunked = plan(slow, tmp_path, "threads")  # Four tasks of a second first.
    timer = threading.Timer(0.6, signal.raise_signal, [signal.SIGINT])
    # Engines of other tests in this process may have put theirs in its place.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer.start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        rechunked.execute()
    assert time.monotonic() - begin < 3
    signal.signal(signal.SIGINT, before or signal.default_int_handler)
    assert not (tmp_path / "target/zarr.json").exists()
    assert not list(tmp_path.rglob("*.partial"))
    assert_same_elements(rechunked.execute()[...], elements)
    assert_only(tmp_path, "source", "target", "notes")


def test_progress_is_told(tmp_path: Path) -> None:
    """By a function that is called with growing numbers."""
    make_source(tmp_path)
    slow = NotingArray(tmp_path / "source", tmp_path / "notes", seconds=0.03)
    told: list[tuple[float, ...]] = []
    plan(slow, tmp_path, "threads").execute(
        progress=lambda *numbers: told.append(numbers)
    )
    assert len(told) >= 2
    assert told == sorted(told)
    assert all(done <= total for done, total, *_ in told)


def test_progress_is_told_while_one_task_goes_on(tmp_path: Path) -> None:
    """All of it fits the memory: one task, which takes as long as the run."""
    make_source(tmp_path)
    slow = NotingArray(tmp_path / "source", tmp_path / "notes", seconds=0.1)
    told: list[tuple[float, ...]] = []
    planned = rechunk(slow, (40, 3, 4), "100MB", tmp_path / "target", threads=1)
    planned.execute(progress=lambda *numbers: told.append(numbers))
    assert len([tasks for tasks, *_ in told if tasks == 0]) >= 2
    assert {total for _, total, *_ in told} == {1}
    sizes = [size for _, _, size, *_ in told]
    assert sizes == sorted(sizes) and 0 < sizes[0] < sizes[-1]
    assert sizes[-1] == told[-1][3]


def test_a_bar_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, up to its end."""
    make_source(tmp_path)
    plan(tmp_path / "source", tmp_path, "threads").execute(progress=True)
    told = capsys.readouterr()
    assert not told.out
    assert told.err.endswith("MB/s\n")
    assert "100%" in told.err.rpartition("\r")[2]


def test_python_runs_while_native_threads_do(tmp_path: Path) -> None:
    """The GIL is free: another thread's clock goes on ticking."""
    elements = np.random.default_rng(6).normal(size=(400, 200, 200))
    zarr.create_array(tmp_path / "source", data=elements, chunks=(1, 200, 200))
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.wait(0.001):
            ticks.append(time.monotonic())

    rechunked = rechunk(
        tmp_path / "source", (400, 9, 9), "20MB", tmp_path / "target", threads=1
    )
    ticker = threading.Thread(target=tick)
    begin = time.monotonic()
    ticker.start()
    rechunked.execute()
    end = time.monotonic()
    done.set()
    ticker.join()
    gaps = np.diff([begin, *ticks, end])
    assert gaps.max() < max(0.1, (end - begin) / 4)


def test_a_disk_needs_no_hard_links(tmp_path: Path) -> None:
    """For the package's runs as for the command's."""
    make_source(tmp_path)
    code = """if True:
        import sys, zarr, numpy as np
        from rechunk import rechunk
        folder = sys.argv[1]
        for name in ("threads", "dask"):
            target = f"{folder}/{name}"
            rechunk(f"{folder}/source", (40, 3, 4), "1MB", target,
                    executor=name).execute()
            assert np.array_equal(zarr.open(target)[...],
                                  zarr.open(f"{folder}/source")[...])
    """
    shim = binary_path().parent / "tests/faults/libfault_shim.so"
    script = {
        "LD_PRELOAD": str(shim),
        "SHIM_UNDER": str(tmp_path),
        "SHIM_CALLS": "link",
        "SHIM_AT": "1",
        "SHIM_LASTING": "1",
        "SHIM_ACTION": "error",
        "SHIM_ERRNO": str(errno.EPERM),
    }
    command = [sys.executable, "-W", "ignore", "-c", code, tmp_path]
    subprocess.run(command, env={**os.environ, **script}, check=True)
    assert_only(tmp_path, "source", "threads", "dask")
