"""Regions of arrays that exist, and appending, on every executor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.storage import MemoryStore

from rechunk import RechunkError, rechunk
from trees import assert_only, tree_hash

RNG = np.random.default_rng(55)
ENGINES = ["threads", "dask-threads", "dask-cluster", "beam", "prefect"]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """An array in shards, with something in all of them."""
    zarr.create_array(
        tmp_path / "b",
        data=RNG.random((60, 40, 50), dtype="f4"),
        chunks=(10, 4, 5),
        shards=(20, 8, 50),
        dimension_names=("time", "y", "x"),
    )
    return tmp_path / "b"


def make_source(path: Path, length: int) -> np.ndarray:
    """As many maps."""
    data = RNG.random((length, 40, 50), dtype="f4")
    data[length // 2 :, :8] = 0  # Shards of nothing but fill.
    zarr.create_array(path, data=data, chunks=(1, 40, 50))
    return data


@pytest.mark.parametrize("engine", [*ENGINES, "python"])
def test_a_region_and_an_append(
    tmp_path: Path, target: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    """Staged by little memory; the rest of the array stays."""

    def write(**where: Any) -> None:
        job = rechunk(
            tmp_path / "a",
            None,
            "700kB",
            target,
            executor=engine.partition("-")[0],
            **where,
        )
        execute(request, engine, job)

    data = make_source(tmp_path / "a", 20)
    before = tree_hash(target)
    expected = zarr.open_array(target, mode="r")[...]
    expected[20:40] = data
    write(region={"time": slice(20, 40)})
    assert np.array_equal(zarr.open_array(target, mode="r")[...], expected)
    after = tree_hash(target)
    changed = {
        key for key in before | after if before.get(key) != after.get(key)
    }
    assert changed and all(key.startswith("c/1/") for key in changed)
    write(append="time")
    grown = zarr.open_array(target, mode="r")
    assert np.array_equal(grown[...], np.concatenate([expected, data]))
    allowed = ["b.rechunk"] if engine == "beam" else []
    assert_only(tmp_path, "a", "b", *allowed)


def execute(request: pytest.FixtureRequest, engine: str, planned: Any) -> None:
    """Run on an engine of the contract suite, or on the reference."""
    if engine == "python":
        planned.execute()
        return
    run: Callable[..., None] = request.getfixturevalue("run")
    run(engine, planned)


@pytest.mark.parametrize("executor", ["threads", "python", "dask"])
def test_array_likes_are_sources(
    tmp_path: Path, target: Path, executor: str
) -> None:
    """Of the region's shape, and of the whole target's."""
    whole = zarr.open_array(target, mode="r")[...]
    part = RNG.random((20, 16, 50), dtype="f4")
    region = {"time": (20, 40), "y": (8, 24), 2: None}
    del region[2]
    rechunk(
        part, None, "8MB", target, executor=executor, region=region
    ).execute()
    whole[20:40, 8:24] = part
    assert np.array_equal(zarr.open_array(target, mode="r")[...], whole)
    other = RNG.random(whole.shape, dtype="f4")
    rechunk(
        other, None, "8MB", target, executor=executor, region="time=40:"
    ).execute()
    whole[40:] = other[40:]
    assert np.array_equal(zarr.open_array(target, mode="r")[...], whole)


def test_an_array_of_zarr_is_a_target(tmp_path: Path) -> None:
    """In a store of any kind."""
    store = MemoryStore()
    group = zarr.create_group(store)
    array = group.create_array("v", shape=20, chunks=10, dtype="i4")
    array[...] = np.arange(20)
    zarr.consolidate_metadata(store)
    new = np.arange(20, 35, dtype="i4")
    result = rechunk(new, None, "8MB", array, append=0).execute()
    assert list(result[...]) == list(range(35))
    with pytest.raises(ValueError, match="neither that of the region"):
        rechunk(new, None, "8MB", group, array_name="v", region={0: range(10)})
    rechunk(
        new[:10] * 2, None, "8MB", group, array_name="v", region={0: range(10)}
    ).execute()
    assert list(array[:10]) == list(new[:10] * 2)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_groups_of_a_store_know_of_an_array_that_grew(
    zarr_format: int,
) -> None:
    """Those above the target and those within, where they are consolidated."""
    store = MemoryStore()
    root = zarr.create_group(store, zarr_format=zarr_format)
    source = zarr.create_group(MemoryStore(), zarr_format=zarr_format)
    for group, length in ((root, 20), (source, 10)):
        for path in ("above/target/within/t", "above/target/other/t"):
            array = group.create_array(
                path,
                shape=length,
                chunks=10,
                dtype="i4",
                dimension_names=["x"] if zarr_format == 3 else None,
                attributes={"_ARRAY_DIMENSIONS": ["x"]},
            )
            array[...] = np.arange(length)
    # What is consolidated on the way tells of what was there then.
    consolidated = ["above/target/within", "above/target", ""]
    for path in consolidated:
        zarr.consolidate_metadata(store, path=path, zarr_format=zarr_format)
    rechunk(
        source["above/target"], None, "8MB", root["above/target"], append="x"
    ).execute()
    for path in consolidated:
        group = zarr.open_consolidated(
            store, path=path, zarr_format=zarr_format
        )
        arrays = [a for _, a in group.members(None) if hasattr(a, "shape")]
        assert arrays and all(array.shape == (30,) for array in arrays)
    for path in ("above", "above/target/other"):
        with pytest.raises(ValueError, match=r"onsolidated|zmetadata"):
            zarr.open_consolidated(store, path=path, zarr_format=zarr_format)


def test_it_can_be_done_again(tmp_path: Path, target: Path) -> None:
    """A region as often as one likes; an append once."""
    make_source(tmp_path / "a", 20)
    planned = rechunk(tmp_path / "a", None, None, target, region="time=0:20")
    first = tree_hash(planned.execute().store.root)
    assert tree_hash(planned.execute().store.root) == first
    planned = rechunk(tmp_path / "a", None, None, target, append="time")
    planned.execute()
    before = tree_hash(target)
    with pytest.raises(RechunkError, match="not what it was"):
        planned.execute()
    assert tree_hash(target) == before


def test_what_the_target_decides_is_not_asked_for(
    tmp_path: Path, target: Path
) -> None:
    """Layout and format; and nothing is overwritten as a whole."""
    make_source(tmp_path / "a", 20)
    before = tree_hash(tmp_path)
    for name, value in {
        "target_chunks": (20, 10, 10),
        "shards": (20, 40, 50),
        "codec": "zstd",
        "zarr_format": 3,
        "consolidate": True,
        "overwrite": True,
        "target_options": {"overwrite": True},
    }.items():
        options = {"target_chunks": None, "append": "time", name: value}
        with pytest.raises(ValueError, match=name):
            rechunk(
                tmp_path / "a", max_mem=None, target_store=target, **options
            )
    with pytest.raises(ValueError, match="a run does one of them"):
        rechunk(tmp_path / "a", None, None, target, append=0, region="all")
    assert tree_hash(tmp_path) == before


def test_a_dataset_is_packed_as_the_target_is(tmp_path: Path) -> None:
    """Times in the target's units, numbers by its scale."""
    xarray = pytest.importorskip("xarray")
    times = np.datetime64("2020-01-01", "ns") + np.arange(40) * np.timedelta64(
        6, "h"
    )
    whole = xarray.Dataset(
        {"t": (("time", "x"), np.round(RNG.random((40, 5)) * 100) / 10)},
        coords={"time": times},
    )
    packing = {"dtype": "i2", "scale_factor": 0.1, "_FillValue": -1}
    whole.isel(time=slice(0, 20)).to_zarr(
        tmp_path / "b",
        encoding={
            "t": {"chunks": (10, 5), **packing},
            "time": {"chunks": (20,), "units": "hours since 2019-12-31"},
        },
    )
    part = whole.isel(time=slice(20, 40)).chunk(time=7)
    part["t"].encoding = {"scale_factor": 0.5, "dtype": "i4"}
    rechunk(part, None, "8MB", tmp_path / "b", append="time").execute()
    with xarray.open_zarr(tmp_path / "b") as found:
        xarray.testing.assert_allclose(found.load(), whole)
        assert (found.time == whole.time).all()
    raw = zarr.open_group(tmp_path / "b", mode="r")
    assert raw["t"].dtype == np.dtype("i2")
