"""Datasets of xarray: what comes out is what xarray itself would write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr

from compare import assert_same_elements
from rechunk import rechunk

DIMENSIONS = {"time": 40, "lat": 13, "lon": 17}


def fields() -> dict[str, Any]:
    """Return variables of all kinds that xarray encodes."""
    rng = np.random.default_rng(4)
    shape = tuple(DIMENSIONS.values())
    floats = rng.normal(280, 9, shape)
    floats[rng.random(shape) < 0.1] = np.nan
    hours = np.datetime64("2001-01-01T00", "ns") + np.arange(
        40
    ) * np.timedelta64(6, "h")
    gaps = hours.copy()
    gaps[3::5] = np.datetime64("NaT")
    return {
        "air": (("time", "lat", "lon"), floats.astype("f4")),
        "packed": (("time", "lat", "lon"), floats),
        "counts": (("time", "lat"), rng.integers(0, 9, shape[:2])),
        "unsigned": (("time", "lat"), rng.integers(0, 200, shape[:2], "u1")),
        "flag": (("lat", "lon"), rng.random(shape[1:]) < 0.5),
        "complex": (("lat",), rng.normal(size=13) + 1j),
        "begin": (("time",), gaps),
        "length": (("time",), (gaps - hours[0])),
        "words": (("lat",), np.array([f"s{n}" * n for n in range(13)])),
        "texts": (("lat",), np.array(["é" * n for n in range(13)], object)),
        "letters": (("lat",), np.array([b"ab"] * 12 + [b"c"])),
        "one": ((), 3.25),
        "none": (("time", "nothing"), np.zeros((40, 0))),
    }


def make_dataset() -> xr.Dataset:
    """Return one with encodings, coordinates of all kinds, and attributes."""
    dataset = xr.Dataset(
        {name: (dims, array) for name, (dims, array) in fields().items()},
        {
            "time": np.datetime64("2001-01-01", "ns")
            + np.arange(40) * np.timedelta64(6, "h"),
            "lat": np.linspace(-11, 11, 13),
            "lon": np.arange(17.0),
            "area": (("lat", "lon"), np.random.default_rng(1).random((13, 17))),
            "height": 2.0,
        },
        {
            "title": "random weather",
            "levels": [1, 2, 3],
            "version": np.int16(4),
        },
    )
    dataset.air.attrs = {"units": "K", "valid_range": [100.0, 400.0]}
    dataset.air.encoding = {
        "chunks": (6, 13, 17),
        "_FillValue": np.float32(9e9),
    }
    dataset.packed.encoding = {
        "dtype": "i2",
        "scale_factor": 0.01,
        "add_offset": 280.0,
        "_FillValue": -32768,
    }
    dataset.counts.encoding = {"dtype": "i4", "_FillValue": -1}
    dataset.unsigned.encoding = {"dtype": "u1"}
    dataset.time.encoding = {
        "units": "hours since 1900-01-01",
        "calendar": "proleptic_gregorian",
        "dtype": "i4",
    }
    dataset.begin.encoding = {
        "units": "seconds since 1970-01-01",
        "dtype": "f8",
        "_FillValue": -1e30,
    }
    return dataset


def opened(dataset: xr.Dataset, kind: str, folder: Path) -> xr.Dataset:
    """Return the dataset, backed by this or that."""
    if kind == "memory":
        return dataset
    if kind == "dask":
        return dataset.chunk({"time": 7, "lat": 5})
    if kind == "irregular":
        return dataset.chunk({"time": (20, 1, 19)})
    dataset.to_zarr(folder / "a.zarr", zarr_format=2 if kind == "v2" else 3)
    return xr.open_zarr(folder / "a.zarr", chunks=None)


def assert_same_store(actual: Path, expected: Path) -> None:
    """Require equal stored numbers, types, fill values and attributes.

    Names of dimensions are compared by xarray.
    """
    ours, theirs = (zarr.open_group(p, mode="r") for p in (actual, expected))
    assert dict(ours.attrs) == dict(theirs.attrs)
    assert set(ours.array_keys()) == set(theirs.array_keys())
    for name, wanted in theirs.arrays():
        found = ours[name]
        assert found.dtype == wanted.dtype, name
        if wanted.dtype.hasobject or wanted.dtype.kind == "T":
            assert (found[...] == wanted[...]).all()
        else:
            assert_same_elements(found[...], wanted[...])
        assert repr(found.fill_value) == repr(wanted.fill_value), name
        assert repr(dict(found.attrs)) == repr(dict(wanted.attrs)), name


def drop_codecs(dataset: xr.Dataset, all_of_them: bool) -> None:
    """Forget those that xarray itself cannot write again."""
    for name, variable in dataset.variables.items():
        if all_of_them or name in ("words", "texts"):
            for key in ("compressors", "compressor", "filters", "serializer"):
                variable.encoding.pop(key, None)


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("kind", ["memory", "dask", "irregular", "v2", "v3"])
def test_the_store_is_the_one_that_xarray_writes(
    tmp_path: Path, kind: str, zarr_format: int
) -> None:
    """But for its chunks; opened again it is the same dataset."""
    dataset = opened(make_dataset(), kind, tmp_path)
    drop_codecs(dataset, all_of_them=kind != f"v{zarr_format}")
    # Whole variables: where chunks of dask share those of Zarr, xarray fails.
    whole = dataset.chunk(-1) if dataset.chunks else dataset
    whole.to_zarr(tmp_path / "theirs", zarr_format=zarr_format)
    planned = rechunk(
        dataset,
        {"air": {"time": -1, "lat": 4, "lon": 5}, "packed": (40, 4, 5)},
        "4MB",
        tmp_path / "ours",
        zarr_format=zarr_format,
    )
    group = planned.execute()
    assert group["air"].chunks == group["packed"].chunks == (40, 4, 5)
    assert_same_store(tmp_path / "ours", tmp_path / "theirs")
    ours, theirs = (xr.open_zarr(tmp_path / n) for n in ("ours", "theirs"))
    xr.testing.assert_identical(ours.load(), theirs.load())
    for name in theirs.variables:
        for key in ("dtype", "units", "calendar", "scale_factor", "_FillValue"):
            found, wanted = (each[name].encoding for each in (ours, theirs))
            assert repr(found.get(key)) == repr(wanted.get(key)), (name, key)


@pytest.mark.parametrize(
    ("chunks", "air", "counts"),
    [
        ({"time": -1, "lat": 4}, (40, 4, 17), (40, 4)),
        ({"time": "all", "lat": 4, "lon": 500}, (40, 4, 500), (40, 4)),
        ({"air": (40, 4, 5)}, (40, 4, 5), (7, 5)),
        ({"air": None, "counts": {"time": -1}}, (6, 13, 17), (40, 5)),
        ({"air": -1, "counts": "auto:1kB"}, (40, 13, 17), None),
        (None, (6, 13, 17), (7, 5)),
    ],
    ids=str,
)
def test_every_form_of_chunks_works_for_datasets(
    tmp_path: Path, chunks: Any, air: Any, counts: Any
) -> None:
    """By variable or by dimension; the rest keep those of encoding or dask."""
    make_dataset().to_zarr(tmp_path / "theirs")
    dataset = opened(make_dataset(), "dask", tmp_path)
    group = rechunk(dataset, chunks, "4MB", tmp_path / "t").execute()
    assert group["air"].chunks == air
    assert not counts or group["counts"].chunks == counts
    xr.testing.assert_identical(
        xr.open_zarr(group.store).load(),
        xr.open_zarr(tmp_path / "theirs").load(),
    )


def test_encodings_that_are_asked_for(tmp_path: Path) -> None:
    """`target_options` are those of `to_zarr`, over what variables have."""
    codec = zarr.codecs.ZstdCodec(level=7)
    options = {
        "air": {"dtype": "i4", "scale_factor": 0.5, "_FillValue": -9},
        "counts": {"compressors": [codec], "dtype": "i8"},
        "time": {"units": "days since 2000-01-01", "dtype": "f8"},
    }
    dataset = make_dataset()
    merged = {
        name: {**dataset[name].encoding, **asked}
        for name, asked in options.items()
    }
    dataset.to_zarr(tmp_path / "theirs", encoding=merged)
    rechunk(
        dataset,
        {"time": 40, "lat": 2},
        "4MB",
        tmp_path / "ours",
        target_options=options,
    ).execute()
    assert_same_store(tmp_path / "ours", tmp_path / "theirs")
    ours = zarr.open_group(tmp_path / "ours")
    assert ours["counts"].compressors == (codec,)


def test_a_dataset_goes_to_any_place(tmp_path: Path) -> None:
    """A group in memory; what `execute` returns opens in xarray at once."""
    make_dataset().to_zarr(tmp_path / "theirs")
    root = zarr.create_group(zarr.storage.MemoryStore(), path="a/b")
    group = rechunk(make_dataset(), {"time": -1}, "4MB", root).execute()
    found = xr.open_zarr(group.store, group=group.path, consolidated=False)
    theirs = xr.open_zarr(tmp_path / "theirs")
    xr.testing.assert_identical(found.load(), theirs.load())
