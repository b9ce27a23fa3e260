"""Dask workers and clients that are killed: the same call goes on.

RECHUNK_KILLS says how many are killed, RECHUNK_SEED at which moments.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from binary import binary_path
from rechunk import rechunk
from trees import assert_only, files, tree_hash

SEED = int(os.environ.get("RECHUNK_SEED", "20260"))
KILLS = max(2, int(os.environ.get("RECHUNK_KILLS", "20")) // 10)
CHUNKS = 40
PATIENCE_SECONDS = 120
WAYS = {
    "direct": {"max_mem": "64MB", "target_chunks": (7, 60, 50)},
    "staged": {"max_mem": "1MB", "target_chunks": (40, 3, 4)},
}


def plan(folder: Path, way: str, executor: str = "dask") -> Any:
    """Plan the same call in every process."""
    return rechunk(
        folder / "source",
        target_store=folder / "target",
        executor=executor,
        threads=1,
        **WAYS[way],
    )


def work(folder: Path, way: str, log: Path) -> None:
    """Run it on two workers that take their time; a process of its own."""
    from distributed import Client, LocalCluster

    shim = binary_path().parent / "tests/faults/libfault_shim.so"
    assert shim.exists(), f"{shim} is not built: run `make fault-tools`"
    os.environ |= {
        "LD_PRELOAD": str(shim),
        "SHIM_UNDER": str(folder / "source/c"),
        "SHIM_CALLS": "preadv",
        "SHIM_DELAY": "30000",
        "SHIM_LOG": str(log),
    }
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as workers,
        Client(workers, set_as_default=False) as client,
    ):
        pids = client.run(os.getpid).values()
        print("workers", *pids, flush=True)
        plan(folder, way).execute(scheduler=client, retries=5)


def start(folder: Path, way: str, log: Path) -> tuple[Any, list[int]]:
    """Start a client, and tell the processes of its workers."""
    process = subprocess.Popen(
        [sys.executable, __file__, folder, way, log],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    line = process.stdout.readline()
    assert line.startswith("workers"), line
    return process, [int(pid) for pid in line.split()[1:]]


def reads(log: Path) -> int:
    """How many chunks of the source were read; each takes several calls."""
    return len(set(log.read_text().splitlines())) if log.exists() else 0


def wait_for_reads(log: Path, count: int, process: Any) -> None:
    """Until the run is so far."""
    end = time.monotonic() + PATIENCE_SECONDS
    while reads(log) < count and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Make the source and what is to be expected, by another executor."""
    elements = np.random.default_rng(5).normal(size=(CHUNKS, 60, 50))
    zarr.create_array(tmp_path / "source", data=elements, chunks=(1, 60, 50))
    plan(tmp_path, request.param, "threads").execute()
    (tmp_path / "target").rename(tmp_path / "expected")
    return request.param


def assert_done(folder: Path) -> None:
    """The same as by threads, and nothing beside it."""
    assert tree_hash(folder / "target") == tree_hash(folder / "expected")
    assert_only(folder, "source", "target", "expected", "log")
    assert not [name for name in files(folder) if "partial" in name]
    shutil.rmtree(folder / "target")


@pytest.mark.xdist_group("killed")
def test_killed_workers_change_nothing(tmp_path: Path, way: str) -> None:
    """Dask does their tasks again elsewhere."""
    rng = np.random.default_rng([SEED, 1])
    for _ in range(KILLS):
        (tmp_path / "log").unlink(missing_ok=True)
        process, workers = start(tmp_path, way, tmp_path / "log")
        moment = int(rng.integers(1, CHUNKS))
        wait_for_reads(tmp_path / "log", moment, process)
        os.kill(int(rng.choice(workers)), signal.SIGKILL)
        assert process.wait(PATIENCE_SECONDS) == 0, f"seed {SEED}, {moment}"
        assert_done(tmp_path)


@pytest.mark.xdist_group("killed")
def test_after_a_killed_client_the_same_call_goes_on(
    tmp_path: Path, way: str
) -> None:
    """With its workers, or without; what is journalled is not done again."""
    rng = np.random.default_rng([SEED, 2])
    # Workers that lost their client may still read for a while.
    logs = tmp_path.with_name(tmp_path.name + "-logs")
    logs.mkdir()
    for number in range(KILLS):
        process, _ = start(tmp_path, way, logs / f"{number}-killed")
        moment = int(rng.integers(2, CHUNKS))
        wait_for_reads(logs / f"{number}-killed", moment, process)
        if number % 2:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait(PATIENCE_SECONDS)
        time.sleep(1)  # Workers without a client end by themselves.
        done = len(list((tmp_path / "target.rechunk").glob("done/0/0/*[0-9]")))
        process, _ = start(tmp_path, way, logs / f"{number}")
        assert process.wait(PATIENCE_SECONDS) == 0, f"seed {SEED}, {moment}"
        # Each record is of a task, at least, that read a chunk, at least.
        assert reads(logs / f"{number}") <= CHUNKS - done
        assert_done(tmp_path)


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
