"""What Dask's schedulers make of a plan: who works when, and who waits."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from compare import assert_same_elements
from rechunk import Rechunked, RechunkError, rechunk
from recording import NotingArray, notes_in
from trees import assert_only
from workloads import Made

SECONDS = 0.1  # For each reading.


@pytest.fixture
def source(tmp_path: Path) -> zarr.Array:
    """Write a map per chunk."""
    elements = np.random.default_rng(4).normal(size=(40, 61, 53))
    return zarr.create_array(
        tmp_path / "source", data=elements, chunks=(1, 61, 53)
    )


@pytest.fixture
def planned(source: zarr.Array, tmp_path: Path) -> Rechunked:
    """Return a plan of many tasks that take their time."""
    slow = NotingArray(tmp_path / "source", tmp_path / "notes", SECONDS)
    made = rechunk(
        slow,
        (1, 20, 53),
        "450kB",
        tmp_path / "target",
        executor="dask",
        threads=1,
    )
    (stage,) = made.describe()["arrays"][0]["stages"]
    assert stage["tasks"] >= 20
    return made


def test_both_workers_begin_at_once(
    planned: Rechunked, source: zarr.Array, tmp_path: Path, cluster: Any
) -> None:
    """Neither waits until the scheduler looks for idle ones, once a second."""
    cluster.run(__import__, "recording")
    planned.execute(scheduler=cluster)
    notes = sorted(notes_in(tmp_path / "notes"), key=lambda n: n["begin"])
    # Planning looks at an element, in this process.
    pids = [note["pid"] for note in notes if note["pid"] != os.getpid()]
    assert len(set(pids)) == 2
    assert len(set(pids[:8])) == 2, "the second worker came late"
    assert min(map(pids.count, set(pids))) >= len(pids) / 3
    assert_same_elements(zarr.open_array(tmp_path / "target")[...], source[...])


def in_process(stack: ExitStack) -> Any:
    """Return the client of two threads of this process."""
    from distributed import Client, LocalCluster

    workers = LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        dashboard_address=None,
        silence_logs=logging.CRITICAL,
    )
    stack.enter_context(workers)
    return stack.enter_context(Client(workers, set_as_default=False))


@pytest.mark.parametrize("workers", ["processes", "threads"])
def test_persist_returns_while_the_run_goes_on(
    planned: Rechunked,
    source: zarr.Array,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    workers: str,
) -> None:
    """What it returns is done when the target is complete."""
    target = tmp_path / "target"
    with ExitStack() as stack:
        client = (
            request.getfixturevalue("cluster")
            if workers == "processes"
            else in_process(stack)
        )
        begin = time.monotonic()
        persisted = planned.plan.persist(scheduler=client)
        returned = time.monotonic() - begin
        while planned.status()["state"] != "running":
            assert time.monotonic() - begin < 60
        with pytest.raises(FileNotFoundError):
            zarr.open_array(target, mode="r")
        report = persisted.compute(scheduler=client)
        assert report["arrays"][0]["stages"][-1]["counted"]["tasks"] >= 20
        whole = time.monotonic() - begin
    assert whole > source.shape[0] * SECONDS / 3
    assert returned < whole / 4
    assert planned.status()["state"] == "complete"
    assert_same_elements(zarr.open_array(target)[...], source[...])
    assert_only(tmp_path, "source", "notes", "target")


def test_graphs_are_small(made: Callable[[str], Made], tmp_path: Path) -> None:
    """No more tasks than batches, a wait for each step, plan and end."""
    for workload in ("3-d staged", "group", "5-d"):
        planned = made(workload).plan(tmp_path / "target", "dask")
        plan = planned._plan
        steps = plan.steps()
        batches = [part for step in steps for part in plan.batches(step)]
        waits = sum(len(plan.batches(step)) > 1 for step in steps)
        assert len(planned.plan.dask) == len(batches) + waits + 2
        copied = [part for part in batches if part.kind == "copy"]
        tasks = [
            stage["tasks"]
            for array in planned.describe()["arrays"]
            for stage in array["stages"]
        ]
        assert sum(part.stop - part.first for part in copied) == sum(tasks)


def test_small_arrays_are_packed_together(tmp_path: Path) -> None:
    """They share batches, and objects of the journal; a large one has its own.

    The last array fails, so that the journal is still there.
    """
    root = zarr.create_group(tmp_path / "source")
    elements = np.random.default_rng(6).random((200, 300, 100))
    root.create_array("large", data=elements, chunks=(4, 300, 100))
    for number in range(150):
        root.create_array(f"small{number}", data=elements[0, number], chunks=7)
    planned = rechunk(
        tmp_path / "source",
        {
            "large": (200, 30, 10),
            **{f"small{number}": (11,) for number in range(150)},
        },
        "32MB",
        tmp_path / "target",
        executor="dask",
        threads=1,
    )
    plan = planned._plan
    packs = [step for step in plan.steps() if step.others]
    together = [1 + len(step.others) for step in packs]
    assert sum(together) >= 150 and max(together) < 10
    tasks = [part for step in packs for part in (step.tasks, *step.others)]
    assert len(set(tasks)) == len(tasks)
    damaged = tmp_path / "source" / "small149" / "c" / "0"
    chunk = damaged.read_bytes()
    damaged.write_bytes(b"?")
    with pytest.raises(RechunkError, match="small149"):
        planned.execute(scheduler="sync")
    records = [
        path
        for path in (tmp_path / "target.rechunk" / "done").rglob("*")
        if path.is_file()
    ]
    assert 0 < len(records) <= len(planned.plan.dask)
    small = [path for path in records if path.parts[-3] != "0"]
    assert len(small) <= len(packs)
    damaged.write_bytes(chunk)
    target = planned.execute(scheduler="sync")
    for number in range(150):
        assert_same_elements(target[f"small{number}"][...], elements[0, number])
    assert_same_elements(target["large"][...], elements)


SCRIPT = """
import resource, sys
from rechunk import rechunk

def run(name):
    rechunk(
        f"{sys.argv[1]}/source", (256, 128, 16), "32MB",
        f"{sys.argv[1]}/{name}", executor="dask", threads=1, overwrite=True,
    ).execute(scheduler="sync")

run(sys.argv[2])
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
run(sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
OF_WORKERS = {"MALLOC_TRIM_THRESHOLD_": "65536"}
#: Who asks for this, too, gets it.
WANTED = {**OF_WORKERS, "MALLOC_MMAP_THRESHOLD_": "131072"}


def test_scratch_of_codecs_stays_for_the_next_chunk(tmp_path: Path) -> None:
    """Although Dask tells the C library to give back what is freed."""
    elements = np.random.default_rng(5).integers(0, 99, (256, 128, 512), "i2")
    zarr.create_array(
        tmp_path / "source",
        data=elements,
        chunks=(4, 128, 512),
        compressors=zarr.codecs.BloscCodec(cname="zstd", clevel=3),
    )
    faults = [
        int(
            subprocess.run(
                [sys.executable, "-c", SCRIPT, tmp_path, name],
                env={**os.environ, **variables},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for name, variables in (("kept", OF_WORKERS), ("not", WANTED))
    ]
    assert faults[0] < faults[1] / 3
