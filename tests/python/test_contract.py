"""All executors do the same as the reference, which only loops and slices."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from compare import assert_same_elements
from engines import ENGINES
from rechunk import rechunk
from recording import NotingArray, notes_in, overlapping
from trees import METADATA_NAMES, assert_only, data_files, files
from workloads import FEW, WORKLOADS, Made

PAIRS = [
    (engine, workload)
    for engine, way in ENGINES.items()
    for workload in (FEW if way.slow else WORKLOADS)
]


def documents(root: Path) -> dict[str, object]:
    """All metadata of a tree, parsed."""
    return {
        name: json.loads(path.read_text())
        for name, path in files(root).items()
        if path.name in METADATA_NAMES
    }


def arrays(root: Path) -> dict[str, zarr.Array]:
    """All arrays of a tree by path."""
    node = zarr.open(root, mode="r")
    if isinstance(node, zarr.Array):
        return {"": node}
    members = node.members(max_depth=None)
    return {name: one for name, one in members if isinstance(one, zarr.Array)}


def assert_same_trees(actual: Path, expected: Path) -> None:
    """Require the same metadata, keys and elements."""
    assert documents(actual) == documents(expected)
    assert data_files(actual).keys() == data_files(expected).keys()
    wanted = arrays(expected)
    assert arrays(actual).keys() == wanted.keys()
    for name, array in arrays(actual).items():
        assert_same_elements(array[...], wanted[name][...])


def assert_same_as_source(target: Path, source: object) -> None:
    """Require the source's elements, and attributes where it has them."""
    if isinstance(source, xr.Dataset):
        found = xr.open_zarr(target, consolidated=False).load()
        xr.testing.assert_identical(found, source.compute())
        return
    if not isinstance(source, Path):
        assert_same_elements(
            zarr.open_array(target)[...], np.asarray(source[...])
        )
        return
    wanted = arrays(source)
    assert arrays(target).keys() == wanted.keys()
    for name, array in arrays(target).items():
        assert_same_elements(array[...], wanted[name][...])
        assert dict(array.attrs) == dict(wanted[name].attrs)


@pytest.mark.parametrize(("engine", "workload"), PAIRS)
def test_the_result_is_that_of_the_reference(
    run: Callable[..., None],
    made: Callable[[str], Made],
    tmp_path: Path,
    engine: str,
    workload: str,
) -> None:
    """Elements, keys and metadata; nothing else is left behind."""
    target = tmp_path / "target"
    work = made(workload)
    rechunked = work.plan(target, ENGINES[engine].executor)
    assert_only(tmp_path)  # Planning writes nothing.
    run(engine, rechunked)
    assert_only(tmp_path, "target")
    assert_same_trees(target, work.reference)
    assert_same_as_source(target, work.source)


@pytest.mark.parametrize("engine", ["threads", "dask-synchronous"])
@pytest.mark.parametrize("workload", ["3-d staged", "4-d shards", "v2 to v3"])
def test_stores_of_zarr_python_and_groups_are_targets_too(
    run: Callable[..., None],
    made: Callable[[str], Made],
    engine: str,
    workload: str,
) -> None:
    """A memory store, with an array under a name."""
    store = zarr.storage.MemoryStore()
    root = zarr.create_group(store, zarr_format=3)
    work = made(workload)
    rechunked = work.plan(
        root, ENGINES[engine].executor, array_name="a/b", codec="gzip:1"
    )
    run(engine, rechunked)
    expected = zarr.open_array(work.reference)[...]
    assert_same_elements(root["a/b"][...], expected)
    assert not any("rechunk" in key for key in store._store_dict)


@pytest.mark.parametrize(
    "engine", [name for name, way in ENGINES.items() if way.workers]
)
def test_workers_run_at_the_same_time(
    run: Callable[..., None], tmp_path: Path, engine: str
) -> None:
    """Two processes, or two threads, were in the source at once."""
    elements = np.random.default_rng(3).normal(size=(24, 50, 50))
    source = zarr.create_array(
        tmp_path / "source", data=elements, chunks=(1, 50, 50)
    )
    slow = NotingArray(tmp_path / "source", tmp_path / "notes", seconds=0.15)
    target = tmp_path / "target"
    way = ENGINES[engine]
    run(
        engine,
        rechunk(
            slow, (1, 10, 50), "1MB", target, executor=way.executor, threads=2
        ),
    )
    assert_same_elements(zarr.open_array(target)[...], source[...])
    kind = "pid" if way.workers == "processes" else "thread"
    assert overlapping(notes_in(tmp_path / "notes"), kind)
