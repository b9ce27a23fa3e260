"""Executors of third parties: short to write, found by name."""

from __future__ import annotations

import inspect
import sys
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from compare import assert_same_elements
from rechunk import (
    CopySpec,
    Executor,
    Plan,
    RechunkError,
    StagedCopySpec,
    rechunk,
)
from workloads import Made


class PoolExecutor(Executor[Plan]):
    """Tasks on threads of Python's own."""

    def prepare_plan(self, specs: Plan) -> Plan:
        """The plan is what we run."""
        return specs

    def execute_plan(self, plan: Plan, **kwargs: Any) -> None:
        """Level by level; the first failure is raised."""
        with ThreadPoolExecutor(**kwargs) as pool:
            for level in plan.levels():
                batches = [b for step in level for b in plan.batches(step)]
                list(pool.map(plan.run, batches))


class SliceExecutor(Executor[Plan]):
    """Moves slices; knows nothing of tasks, packing or journals."""

    def prepare_plan(self, specs: Plan) -> Plan:
        """The plan is what we run."""
        return specs

    def execute_plan(self, plan: Plan, **kwargs: Any) -> None:
        """Region by region, stage by stage."""
        plan.prepare()
        for staged in plan:
            for stage in staged.stages:
                for region in stage.regions():
                    stage.target[region] = stage.source[region]
        plan.commit(by_journal=False)


@pytest.mark.parametrize("executor", [PoolExecutor(), SliceExecutor()])
@pytest.mark.parametrize(
    "workload", ["3-d staged", "2-d v2 in three stages", "4-d shards", "group"]
)
def test_an_executor_of_few_lines_does_all(
    made: Callable[[str], Made],
    tmp_path: Path,
    executor: Executor[Plan],
    workload: str,
) -> None:
    """At most thirty lines, for any number of stages."""
    assert len(inspect.getsource(type(executor)).splitlines()) <= 30
    work = made(workload)
    work.plan(tmp_path / "target", executor).execute()
    target = zarr.open(tmp_path / "target", mode="r")
    expected = zarr.open(work.reference, mode="r")
    if isinstance(target, zarr.Array):
        assert_same_elements(target[...], expected[...])
        return
    for name, array in expected.arrays():
        assert_same_elements(target[name][...], array[...])


def test_an_entry_point_gives_an_executor_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a package that is installed beside rechunk would."""
    package = tmp_path / "packages"
    information = package / "rechunk_pool-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: rechunk-pool\nVersion: 1.0\n"
    )
    (information / "entry_points.txt").write_text(
        "[rechunk.executors]\npool = test_own_executor:PoolExecutor\n"
    )
    monkeypatch.syspath_prepend(package)
    monkeypatch.setitem(sys.modules, "test_own_executor", sys.modules[__name__])
    source = np.random.default_rng(1).normal(size=(31, 17))
    target = rechunk(
        source, (5, 17), "2MB", tmp_path / "target", executor="pool"
    ).execute(max_workers=3)
    assert_same_elements(target[...], source)
    with pytest.raises(RechunkError, match=r"pool.*python.*threads"):
        rechunk(source, (5, 17), "2MB", tmp_path / "b", executor="none")


def array(shape: tuple[int, ...], dtype: str = "f4", **layout: Any) -> Any:
    """Return an array in memory."""
    return zarr.create_array({}, shape=shape, dtype=dtype, **layout)


@pytest.mark.parametrize(
    ("target", "chunks", "message"),
    [
        (array((10, 21), chunks=(5, 7)), (5, 7), "shape"),
        (array((10, 20), "i4", chunks=(5, 7)), (5, 7), "type"),
        (array((10, 20), chunks=(5, 7)), (5,), "1 dimensions"),
        (array((10, 20), chunks=(5, 7)), (5, 10), "dimension 1"),
        (array((10, 20), chunks=(5, 7)), (4, 7), "dimension 0"),
        (array((10, 20), chunks=(5, 7)), (5, 21), "dimension 1"),
        (array((10, 20), chunks=(5, 7)), (0, 7), "dimension 0"),
        (
            array((10, 20), chunks=(5, 5), shards=(5, 10)),
            (5, 5),
            "dimension 1",
        ),
    ],
)
def test_copy_specs_are_checked_when_they_are_made(
    target: Any, chunks: tuple[int, ...], message: str
) -> None:
    """The error says which dimension breaks the rule."""
    source = array((10, 20), chunks=(10, 1))
    with pytest.raises(RechunkError, match=message):
        CopySpec(source, target, chunks)


def test_staged_copy_specs_are_chains() -> None:
    """Each target is the next source."""
    a, b, c = (array((10, 20), chunks=(5, 5)) for _ in range(3))
    one, two = CopySpec(a, b, (5, 5)), CopySpec(b, c, (10, 5))
    assert StagedCopySpec((one, two)).stages[1].task_count == 4
    with pytest.raises(RechunkError, match="stage 0"):
        StagedCopySpec((two, one))
    with pytest.raises(RechunkError, match="no stages"):
        StagedCopySpec(())


def test_byte_orders_may_differ() -> None:
    """Specs compare types up to byte order."""
    a, b = (array((9,), kind, chunks=(3,)) for kind in ("<i4", ">i4"))
    assert CopySpec(a, b, (3,)).task_count == 3


def test_regions_come_one_by_one() -> None:
    """In row-major order, clipped; ten million need no list of them."""
    a = array((7, 5), chunks=(3, 5))
    assert list(CopySpec(a, a, (3, 5)).regions()) == [
        (slice(0, 3), slice(0, 5)),
        (slice(3, 6), slice(0, 5)),
        (slice(6, 7), slice(0, 5)),
    ]
    scalar, empty = array((), chunks=()), array((0, 4), chunks=(1, 2))
    assert list(CopySpec(scalar, scalar, ()).regions()) == [()]
    assert list(CopySpec(empty, empty, (1, 2)).regions()) == []
    long = array((10**7, 2), chunks=(1, 2))
    tracemalloc.start()
    assert next(CopySpec(long, long, (1, 2)).regions())[0] == slice(0, 1)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()
