"""Dask's schedulers, for whoever runs a plan on them, and a clock for it."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import zarr
from copy_job import Job

Copy = Callable[[Job, dict[str, Any]], int]


@contextmanager
def engine(name: str, workers: int) -> Iterator[dict[str, Any]]:
    """Keywords for `execute`.

    "dask": local processes of one thread each; "dask-threads": threads of this
    one; anything else has threads of its own.
    """
    if name == "dask-threads":
        yield {"scheduler": "threads", "num_workers": workers}
    elif name != "dask":
        yield {}
    else:
        from distributed import Client, LocalCluster

        with (
            LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=None
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield {"scheduler": client}


def _cpu_seconds(keywords: dict[str, Any]) -> float:
    """Of this process and of the workers."""
    client = keywords.get("scheduler")
    if not hasattr(client, "run"):
        return time.process_time()
    return time.process_time() + sum(client.run(time.process_time).values())


def measure(name: str, job: Job, copy: Copy) -> None:
    """Copies, and prints what it took without the start of the engine.

    A small copy comes first: workers live longer than runs, and have imported
    what they need. `copy` returns the number of stages.
    """
    with engine(name, job.threads) as keywords:
        with tempfile.TemporaryDirectory() as folder:
            copy(_small(job, Path(folder)), keywords)
        cpu_seconds = _cpu_seconds(keywords)
        begin = time.perf_counter()
        stages = copy(job, keywords)
        seconds = time.perf_counter() - begin
        cpu_seconds = _cpu_seconds(keywords) - cpu_seconds
    clock = {"seconds": seconds, "cpu_seconds": cpu_seconds}
    print(json.dumps({"clock": clock, "stages": stages}))


def _small(job: Job, folder: Path) -> Job:
    """A job of the same kind on a new array of 16 chunks."""
    dimensions = len(job.chunks)
    array = zarr.open(
        os.fspath(folder / "source"),
        mode="w",
        shape=(64,) * dimensions,
        chunks=(4,) + (64,) * (dimensions - 1),
        dtype="f4",
        zarr_format=2,
    )
    array[...] = 1
    return replace(
        job,
        source=os.fspath(folder / "source"),
        target=os.fspath(folder / "target"),
        temporary=os.fspath(folder / "temporary"),
        chunks=(64,) + (16,) * (dimensions - 1),
        shards=None,
    )
