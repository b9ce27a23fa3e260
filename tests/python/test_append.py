"""Daily appends through Python: any length, arrays and datasets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr
from zarr.storage import MemoryStore

from rechunk import rechunk

RNG = np.random.default_rng(77)


@pytest.mark.parametrize("in_memory", [False, True])
@pytest.mark.parametrize("executor", ["threads", "python", "dask"])
def test_an_array_grows_day_by_day(
    tmp_path: Path, executor: str, in_memory: bool
) -> None:
    """In shards, from an awkward length on."""
    expected = RNG.random((17, 6), dtype="f4")
    store = MemoryStore() if in_memory else tmp_path / "b"
    zarr.create_array(store, data=expected, chunks=(4, 3), shards=(12, 6))
    for length in (1, 9, 5):
        day = RNG.random((length, 6), dtype="f4")
        expected = np.concatenate([expected, day])
        planned = rechunk(day, None, "8MB", store, executor=executor, append=0)
        grown = planned.execute()
        assert np.array_equal(grown[...], expected)


@pytest.mark.parametrize("chunks", [(24, 2, 2), "24,2,2"])
def test_a_coordinate_follows_a_list_of_lengths(
    tmp_path: Path, chunks: object
) -> None:
    """It gets a chunk in which it can grow, as with names."""
    group = zarr.create_group(tmp_path / "a")
    shapes = {"v": ("time", "y", "x"), "time": ("time",), "y": ("y",)}
    lengths = {"time": 10, "y": 3, "x": 4}
    for name, names in shapes.items():
        group.create_array(
            name,
            data=RNG.random([lengths[dimension] for dimension in names]),
            dimension_names=names,
        )
    rechunk(group, chunks, "8MB", tmp_path / "b").execute()
    found = zarr.open_group(tmp_path / "b")
    assert found["v"].chunks == (24, 2, 2)
    assert found["time"].chunks == (24,)
    assert found["y"].chunks == (3,)


def test_a_dataset_grows_and_is_transposed(tmp_path: Path) -> None:
    """Seven times, as xarray reads it; dimensions in the target's order."""
    xarray = pytest.importorskip("xarray")
    lengths = [11, *RNG.integers(1, 30, 7)]
    hours = np.arange(sum(lengths)) * np.timedelta64(1, "h")
    whole = xarray.Dataset(
        {"t": (("time", "y", "x"), RNG.random((len(hours), 3, 4)))},
        coords={
            "time": np.datetime64("2024-01-01", "ns") + hours,
            "y": [3.0, 1.0, 2.0],
        },
    )
    at = lengths[0]
    rechunk(
        whole.isel(time=slice(at)),
        {"time": 24, "y": 2, "x": 2},
        "8MB",
        tmp_path / "b",
    ).execute()
    assert zarr.open_group(tmp_path / "b")["time"].chunks == (24,)
    for number, length in enumerate(lengths[1:]):
        day = whole.isel(time=slice(at, at + length))
        if number % 2:
            day = day.transpose("x", "time", "y")
        rechunk(day, None, "8MB", tmp_path / "b", append="time").execute()
        at += int(length)
        with xarray.open_zarr(tmp_path / "b") as found:
            expected = whole.isel(time=slice(at))
            xarray.testing.assert_equal(found.load(), expected)
    wrong = whole.isel(time=slice(5)).assign_coords(y=[1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"array y: element \(0,\) is 1\.0"):
        rechunk(wrong, None, "8MB", tmp_path / "b", append="time")
