"""Groups: all arrays, attributes and consolidated metadata come along."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import xarray
import zarr

from binary import Rechunk

pytestmark = pytest.mark.any_place

RNG = np.random.default_rng(7)


def make_dataset() -> xarray.Dataset:
    """Return random fields over named axes, with NaN among them."""
    field = RNG.random((31, 17, 23)).astype("f4")
    field[RNG.random(field.shape) < 0.1] = np.nan
    return xarray.Dataset(
        {
            "field": (("time", "lat", "lon"), field, {"units": "K"}),
            "mask": (("lat", "lon"), RNG.integers(0, 9, (17, 23), "i2")),
            "scalar": ((), np.float64(RNG.random())),
        },
        coords={
            "time": np.arange(31) * 6,
            "lat": np.linspace(-80, 80, 17),
            "lon": np.linspace(0, 359, 23),
        },
        attrs={"title": "random", "history": ["made", "kept"]},
    )


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("target_format", [2, 3])
def test_a_dataset_reads_back_the_same(
    rechunk: Rechunk, tmp_path: Path, zarr_format: int, target_format: int
) -> None:
    """xarray sees an identical dataset, in the chunks asked for."""
    source, target = tmp_path / "a.zarr", tmp_path / "b.zarr"
    dataset = make_dataset()
    encoding = {
        "field": {"chunks": (1, 17, 23)},
        "time": {"chunks": (4,)},
    }
    dataset.to_zarr(
        source, zarr_format=zarr_format, encoding=encoding, consolidated=True
    )
    result = rechunk(
        *("run", source, target, "--chunks", "time=all,lat=5", "--verify"),
        *("--zarr-format", target_format),
    )
    assert result.exit_code == 0, str(result)
    read = xarray.open_zarr(
        target, consolidated=True, zarr_format=target_format
    ).load()
    assert read.identical(xarray.open_zarr(source).load())
    group = zarr.open_consolidated(target, zarr_format=target_format)
    assert group["field"].chunks == (31, 5, 23)
    assert group["mask"].chunks == (5, 23)
    assert group["time"].chunks == (31,)  # Coordinates: one chunk.


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_tree_of_groups_is_kept(
    rechunk: Rechunk, tmp_path: Path, zarr_format: int
) -> None:
    """Nested groups, odd names and arrays that nobody named are copied."""
    source, target = tmp_path / "a.zarr", tmp_path / "b.zarr"
    root = zarr.create_group(
        source, zarr_format=zarr_format, attributes={"level": 0}
    )
    inner = root.create_group("some group/ünner", attributes={"level": 2})
    shapes = {"plain": (9,), "some group/ünner/deep": (13, 7)}
    for name, shape in shapes.items():
        array = root.create_array(
            name, shape=shape, chunks=(3,) * len(shape), dtype="i4"
        )
        array[...] = RNG.integers(-99, 99, shape)
        array.attrs["name"] = name
    assert inner.attrs["level"] == 2
    result = rechunk(
        *("run", source, target),
        *("--array", "some group/ünner/deep:13,2", "--json"),
    )
    assert result.exit_code == 0, str(result)
    after = zarr.open_group(target, mode="r", zarr_format=zarr_format)
    for name in shapes:
        assert np.array_equal(after[name][...], root[name][...])
        assert dict(after[name].attrs) == {"name": name}
    assert after["some group/ünner"].attrs["level"] == 2
    assert after["some group/ünner/deep"].chunks == (13, 2)
    methods = {a["name"]: a["method"] for a in result.json()["arrays"]}
    assert methods["plain"] == "passthrough"
    documents = [p.name for p in target.rglob("*") if p.is_file()]
    assert ".zmetadata" not in documents  # The source was not consolidated.


def test_unknown_codecs_and_strings_pass_through(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """What cannot be decoded is moved byte for byte; changing it is refused."""
    source, target = tmp_path / "a.zarr", tmp_path / "b.zarr"
    root = zarr.create_group(source, zarr_format=2)
    numbers = root.create_array("numbers", shape=(20,), chunks=(3,), dtype="f8")
    numbers[:] = RNG.random(20)
    (source / "odd").mkdir()
    document = {
        "zarr_format": 2, "shape": [4], "chunks": [2], "dtype": "|O",
        "compressor": {"id": "from_the_future"}, "fill_value": None,
        "filters": [{"id": "vlen-utf8"}], "order": "C",
    }  # fmt: skip
    (source / "odd" / ".zarray").write_text(json.dumps(document))
    for key in "01":
        (source / "odd" / key).write_bytes(RNG.bytes(50))
    result = rechunk("run", source, target, "--array", "numbers:20", "--verify")
    assert result.exit_code == 0, str(result)
    for key in "01":
        before, after = (p / "odd" / key for p in (source, target))
        assert before.read_bytes() == after.read_bytes()
    refused = rechunk("run", source, tmp_path / "c.zarr", "--array", "odd:4")
    assert refused.exit_code == 1
    assert "odd" in refused.stderr
    assert not (tmp_path / "c.zarr").exists()


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_strings_are_moved_as_stored(
    rechunk: Rechunk, tmp_path: Path, zarr_format: int
) -> None:
    """Into the other format, too, and beside arrays that get other codecs."""
    source, target = tmp_path / "a.zarr", tmp_path / "b.zarr"
    labels = np.array([f"station {i}" for i in range(31)], dtype=object)
    labels[3:6] = ""
    dataset = make_dataset().assign(label=("time", labels))
    dataset.to_zarr(source, zarr_format=zarr_format)
    result = rechunk.ok(
        *("run", source, target, "--chunks", "lat=5", "--verify"),
        *("--codec", "zstd:3", "--zarr-format", 5 - zarr_format),
    )
    assert "not rechunked: label (string)" in result.stderr
    read = xarray.open_zarr(target).load()
    xarray.testing.assert_identical(read, xarray.open_zarr(source).load())
    group = zarr.open_group(target, mode="r")
    codecs = [type(c).__name__.lower() for c in group["field"].compressors]
    assert codecs in (["zstdcodec"], ["zstd"])


def test_what_asks_for_strings_by_name_is_refused(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """The error names array and cause, and says what works."""
    source, target = tmp_path / "a.zarr", tmp_path / "b.zarr"
    labels = np.array(["a", "b"], dtype=object)
    xarray.Dataset({"label": ("x", labels)}).to_zarr(source, zarr_format=3)
    for flag in (["--array", "label:1"], ["--array-codec", "label:zstd:3"]):
        refused = rechunk.fails("run", source, target, *flag)
        assert "array label: rechunk cannot decode data type string yet" in (
            refused.stderr
        )
        assert "hint: zarr-python may decode it" in refused.stderr
        assert not target.exists()


def test_verify_compares_what_it_can(rechunk: Rechunk, tmp_path: Path) -> None:
    """Strings in two encodings are unknown, not different; the rest is read."""
    labels = np.array(["some", "labels"], dtype=object)
    dataset = make_dataset().assign(label=("place", labels))
    for zarr_format in (2, 3):
        dataset.to_zarr(tmp_path / str(zarr_format), zarr_format=zarr_format)
    result = rechunk("verify", tmp_path / "2", tmp_path / "3", "--json")
    assert result.exit_code == 1
    arrays = {array["name"]: array for array in result.json()["arrays"]}
    assert not arrays["label"]["compared"] and not arrays["label"]["equal"]
    assert "string" in arrays.pop("label")["difference"]
    assert len(arrays) == 6
    assert all(array["equal"] for array in arrays.values())
    table = rechunk("verify", tmp_path / "2", tmp_path / "3").stdout
    assert re.search(r"^unknown +label ", table, re.MULTILINE)


def test_a_misspelt_dimension_is_refused(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Though each array of a group may lack some of the names."""
    make_dataset().to_zarr(tmp_path / "a.zarr")
    result = rechunk.fails(
        *("run", tmp_path / "a.zarr", tmp_path / "b.zarr"),
        *("--chunks", "time=all,latitude=5"),
    )
    assert '"latitude"' in result.stderr
    assert "lat, lon, time" in result.stderr
    assert not (tmp_path / "b.zarr").exists()


def test_stale_consolidated_metadata_is_not_believed(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """The nodes' own documents count; the target's copy is made anew."""
    source, target = tmp_path / "a.zarr", tmp_path / "b.zarr"
    root = zarr.create_group(source, zarr_format=2)
    array = root.create_array("x", shape=(10,), chunks=(3,), dtype="i4")
    array[:] = values = RNG.integers(0, 99, 10)
    zarr.consolidate_metadata(source, zarr_format=2)
    stale = (source / ".zmetadata").read_text()
    (source / ".zmetadata").write_text(stale.replace("10", "12"))
    result = rechunk("run", source, target, "--chunks", "10")
    assert result.exit_code == 0, str(result)
    read = zarr.open_consolidated(target, zarr_format=2)["x"]
    assert read.shape == (10,)
    assert np.array_equal(read[:], values)
