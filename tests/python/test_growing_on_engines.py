"""Every engine appends at any length, again and again, and overwrites."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from engines import ENGINES, Engine, Held
from rechunk import Plan, Rechunked, rechunk
from rechunk.steps import Step
from trees import tree_hash

Run = Callable[..., None]
RNG = np.random.default_rng(19)
WAYS = {**ENGINES, "python": Engine("python")}
# Once of each engine; the other slow ones where there is time.
PARAMS = [
    pytest.param(name, marks=pytest.mark.long)
    if way.slow and name != "prefect"
    else name
    for name, way in WAYS.items()
]


def execute(run: Run, engine: str, planned: Rechunked) -> None:
    """Run on an engine of the contract suite, or on the reference."""
    if engine == "python":
        planned.execute()
    else:
        run(engine, planned)


def write_source(path: Path, elements: np.ndarray) -> Path:
    """Write an array in chunks that fit nothing."""
    zarr.create_array(path, data=elements, chunks=(2, 5), overwrite=True)
    return path


def elements_of(path: Path) -> Any:
    """Read all, without trusting what was open before."""
    return zarr.open_array(path, mode="r")[...]


@pytest.mark.parametrize("engine", PARAMS)
def test_an_array_grows_twice_and_is_replaced(
    run: Run, tmp_path: Path, engine: str
) -> None:
    """From an odd length on; a new one that fails leaves the old one."""
    target, name = tmp_path / "b", WAYS[engine].executor
    expected = RNG.random((17, 7), dtype="f4")
    zarr.create_array(target, data=expected, chunks=(4, 3), shards=(12, 3))
    for length in (10, 4):
        day = RNG.random((length, 7), dtype="f4")
        source = write_source(tmp_path / "a", day)
        planned = rechunk(source, None, "8MB", target, executor=name, append=0)
        execute(run, engine, planned)
        expected = np.concatenate([expected, day])
        assert np.array_equal(elements_of(target), expected)

    new = RNG.random((9, 7), dtype="f4")
    damaged = write_source(tmp_path / "a", new) / "c" / "3" / "1"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-5])
    before = tree_hash(target)

    def overwrite() -> None:
        options = {"executor": name, "overwrite": True}
        planned = rechunk(tmp_path / "a", (5, 7), "8MB", target, **options)
        execute(run, engine, planned)

    # zarr-python, which the reference reads with, does not name the object.
    cause = "copying" if engine == "python" else "c/3/1"
    with pytest.raises(Exception, match=cause):
        overwrite()
    assert tree_hash(target) == before
    assert np.array_equal(elements_of(target), expected)
    damaged.write_bytes(whole)
    overwrite()
    assert np.array_equal(elements_of(target), new)
    assert zarr.open_array(target).chunks == (5, 7)


def run_and_die(plan: Plan, batch: Step, token: Path, records: Path) -> None:
    """Run it; once, die when all is written and nothing is recorded."""
    plan.run(batch)
    if token.exists() and batch.kind == "copy":
        token.unlink()
        shutil.rmtree(records)
        os.kill(os.getpid(), signal.SIGKILL)


def grow(client: Any, folder: Path, layout: dict[str, Any]) -> None:
    """Append by Dask's workers, of which one dies."""
    expected = RNG.random((17, 6), dtype="f4")
    zarr.create_array(
        folder / "b", data=expected[:9], **{"chunks": (2, 1), **layout}
    )
    source = write_source(folder / "a", expected[9:])
    token = folder / "token"
    token.touch()
    plan = rechunk(
        source, None, "8MB", folder / "b", executor=Held(), append=0
    ).plan
    records = folder / "b.rechunk" / "done"
    for step in plan.steps():
        for batch in plan.batches(step):
            client.submit(run_and_die, plan, batch, token, records).result(60)
    assert not token.exists()
    assert np.array_equal(elements_of(folder / "b"), expected)


def test_dask_runs_a_task_again_whose_worker_was_killed(tmp_path: Path) -> None:
    """It had written its partial objects, and the journal did not know."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as workers,
        Client(workers, set_as_default=False) as client,
    ):
        grow(client, tmp_path / "chunks", {"chunks": (4, 1)})
        grow(client, tmp_path / "shards", {"shards": (4, 2)})
