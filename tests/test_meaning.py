"""What xarray sees of a target in the other format, and what runs say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorstore
import xarray
import zarr

from binary import Rechunk

RNG = np.random.default_rng(39)


def make_dataset() -> tuple[xarray.Dataset, dict[str, dict]]:
    """Return variables of all kinds, and how they are stored."""
    with_gaps = np.where(RNG.random(24) < 0.3, np.nan, RNG.integers(0, 9, 24))
    labels = np.array([f"s{i % 5}" for i in range(24)], dtype=object)
    days = np.datetime64("2000-01-01", "ns") + np.arange(24) * 86400 * 10**9
    variables = {
        "float": (with_gaps, {"_FillValue": -9999.0, "dtype": "f4"}),
        "plain": (with_gaps, {}),
        "half": (with_gaps, {"_FillValue": 0.0, "dtype": ">f2"}),
        "count": (np.arange(24), {}),
        "integer": (with_gaps, {"_FillValue": -7, "dtype": "i2"}),
        "unsigned": (with_gaps, {"_FillValue": 255, "dtype": "u1"}),
        "scaled": (
            with_gaps / 4 + 1,
            {"_FillValue": -1, "dtype": "i4", "scale_factor": 0.25,
             "add_offset": 1.0},
        ),
        "flag": (RNG.random(24) < 0.5, {}),
        "complex": (RNG.random(24) + 2j, {"_FillValue": complex(0, 3)}),
        "day": (days, {"units": "days since 2000-01-01", "dtype": "i8"}),
        "label": (labels, {}),
    }  # fmt: skip
    dataset = xarray.Dataset({n: ("x", v) for n, (v, _) in variables.items()})
    dataset["scalar"] = ((), np.int16(0))
    encoding = {n: {"chunks": (6,), **e} for n, (_, e) in variables.items()}
    return dataset, encoding


def seen(path: Path) -> xarray.Dataset:
    """Return what xarray reads."""
    return xarray.open_zarr(path, consolidated=False).load()


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_xarray_sees_the_same_in_the_other_format(
    rechunk: Rechunk, tmp_path: Path, zarr_format: int
) -> None:
    """Values, types and masks, also of chunks that are missing; and back."""
    dataset, encoding = make_dataset()
    source = tmp_path / "a.zarr"
    dataset.to_zarr(source, zarr_format=zarr_format, encoding=encoding)
    for name in dataset:
        chunk = "c/1" if zarr_format == 3 else "1"
        (source / str(name) / chunk).unlink(missing_ok=True)
    expected = seen(source)
    other, back = tmp_path / "b.zarr", tmp_path / "c.zarr"
    flags = ("--zarr-format", 5 - zarr_format, "--verify")
    result = rechunk.ok("run", source, other, "--chunks", "x=8", *flags)
    xarray.testing.assert_identical(seen(other), expected)
    assert "_FillValue" in result.stderr
    rechunk.ok("run", other, back, "--zarr-format", zarr_format)
    xarray.testing.assert_identical(seen(back), expected)
    strict = ("--strict", *flags)
    refused = rechunk.fails("run", source, tmp_path / "d.zarr", *strict)
    assert "_FillValue" in refused.stderr


def test_what_xarray_cannot_be_told_is_said(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Masks of texts are lost in v3, and the variables can be read."""
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    attributes = {"_ARRAY_DIMENSIONS": ["x"]}
    for name, dtype, fill in (("u", "U3", "a"), ("s", "S2", b"b")):
        group.create_array(
            name, shape=(4,), chunks=(2,), dtype=dtype, fill_value=fill,
            attributes=attributes,
        )[:3] = np.array(["x", "a", "b"]).astype(dtype)  # fmt: skip
    result = rechunk.ok(
        *("run", tmp_path / "a.zarr", tmp_path / "b.zarr"),
        *("--zarr-format", 3, "--json"),
    )
    notes = {n["kind"]: n for n in result.json()["notes"]}
    assert notes["fill_value"]["arrays"] == ["s", "u"]
    assert "xarray no longer masks the fill value" in result.stderr
    assert seen(tmp_path / "b.zarr").u.values.tolist() == ["x", "a", "b", "a"]


def write_v2(path: Path, zattrs: str | None = None, **document: object) -> Path:
    """Write a document of v2 and one chunk of zeros."""
    path.mkdir(parents=True)
    base = {
        "zarr_format": 2, "shape": [4], "dtype": "<i4", "chunks": [4],
        "fill_value": 0, "order": "C", "compressor": None, "filters": None,
    }  # fmt: skip
    (path / ".zarray").write_text(json.dumps({**base, **document}))
    if zattrs is not None:
        (path / ".zattrs").write_text(zattrs)
    return path


def in_tensorstore(path: Path) -> np.ndarray:
    """Return what a strict reader reads."""
    driver = "zarr3" if (path / "zarr.json").exists() else "zarr"
    kvstore = {"driver": "file", "path": f"{path}/"}
    spec = {"driver": driver, "kvstore": kvstore}
    return tensorstore.open(spec).result().read().result()


def test_dimensions_of_nczarr_are_xarrays_too(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """They name chunks, and keep the missing value on the way to v3."""
    source = tmp_path / "a.zarr"
    write_v2(source / "v", _NCZARR_ARRAY={"dimrefs": ["/g/t"]}, fill_value=7)
    (source / ".zgroup").write_text('{"zarr_format": 2}')
    target = tmp_path / "b.zarr"
    result = rechunk.ok(
        *("run", source, target, "--chunks", "t=2", "--zarr-format", 3)
    )
    assert '"_NCZARR_ARRAY" of the metadata is left out' in result.stderr
    assert seen(target).v.dims == ("t",)
    assert np.isnan(seen(target).v.values).all()


@pytest.mark.parametrize("target_format", [2, 3])
@pytest.mark.parametrize(
    ("dtype", "fill", "element"),
    [
        ("<f4", "1e37", 1e37),
        ("<f8", True, 1.0),
        ("<f4", " inf ", np.inf),
        ("|b1", "false", True),
        ("|u1", -1, 255),
        ("<i2", 65535, -1),
        ("<i8", -9.223372036854776e18, -(2**63)),
        ("<i4", "-5", -5),
        ("<U2", 0, ""),
    ],
)
def test_odd_fill_values_are_read_and_written_plainly(
    rechunk: Rechunk,
    tmp_path: Path,
    dtype: str,
    fill: object,
    element: object,
    target_format: int,
) -> None:
    """As zarr-python reads them; the target has a token that all read."""
    source = write_v2(
        tmp_path / "a", dtype=dtype, fill_value=fill, dimension_separator=None
    )
    target = tmp_path / "b"
    result = rechunk.ok(
        *("run", source, target, "--chunks", "3", "--verify"),
        *("--zarr-format", target_format),
    )
    read = zarr.open_array(target, mode="r")[:]
    assert (read == np.array([element] * 4, dtype)).all()
    if target_format == 2:
        assert f"note: fill value {json.dumps(fill)} is written" in (
            result.stderr
        )
    if not dtype.startswith("<U"):
        assert (in_tensorstore(target) == read).all()


@pytest.mark.parametrize("target_format", [2, 3])
def test_what_gdal_writes_of_zstd_is_read_by_all(
    rechunk: Rechunk, tmp_path: Path, target_format: int
) -> None:
    """Its checksum is a word."""
    zstd = {"id": "zstd", "level": 13, "checksum": "NO"}
    source = write_v2(tmp_path / "a", compressor=zstd)
    zarr.create_array(
        tmp_path / "x", data=np.arange(4, dtype="i4"), zarr_format=2,
        compressors={"id": "zstd", "level": 3},
    )  # fmt: skip
    (source / "0").write_bytes((tmp_path / "x" / "0").read_bytes())
    for name, chunks in (("moved", "4"), ("new", "3")):
        target = tmp_path / name
        rechunk.ok(
            *("run", source, target, "--chunks", chunks),
            *("--zarr-format", target_format),
        )
        for read in (in_tensorstore(target), zarr.open_array(target)[:]):
            assert read.tolist() == [0, 1, 2, 3]


def test_nan_in_attributes_is_said_or_written_as_text(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Strict readers refuse it in a zarr.json."""
    source = write_v2(tmp_path / "a", '{"a": [NaN, "NaN \\" -Infinity"]}')
    flags = ("--zarr-format", 3)
    result = rechunk.ok("run", source, tmp_path / "b", *flags)
    assert "attributes hold NaN" in result.stderr
    text = (*flags, "--nan-attributes", "text")
    result = rechunk.ok("run", source, tmp_path / "c", *text)
    assert "are written as strings" in result.stderr
    assert in_tensorstore(tmp_path / "c").tolist() == [0] * 4
    attributes = dict(zarr.open_array(tmp_path / "c").attrs)
    assert attributes == {"a": ["NaN", 'NaN " -Infinity']}


def test_old_attributes_of_ome_and_structs_are_said(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Their readers expect the format that the source had."""
    source = tmp_path / "a.zarr"
    write_v2(source / "0", dtype=[["a", "<i4"], ["b", "<f8"]], fill_value=None)
    (source / ".zgroup").write_text('{"zarr_format": 2}')
    (source / ".zattrs").write_text('{"multiscales": [{"version": "0.4"}]}')
    target = tmp_path / "b.zarr"
    result = rechunk.ok("run", source, target, "--zarr-format", 3)
    assert "OME-Zarr 0.4" in result.stderr
    assert "zarr-python before 3.2 cannot read structs" in result.stderr
    again = rechunk.ok("run", target, tmp_path / "c.zarr", "--chunks", "2")
    assert "OME" not in again.stderr and "read structs" in again.stderr


def test_spellings_of_types_are_kept_or_said(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """A name of v3 stays; what no reader of v2 takes is mended."""
    source = write_v2(tmp_path / "a", dtype="|f8")
    result = rechunk.ok("run", source, tmp_path / "b")
    assert "data type |f8 is written as <f8" in result.stderr
    assert zarr.open_array(tmp_path / "b").dtype == "f8"
    document = json.loads(
        (
            zarr.create_array(tmp_path / "c", shape=4, chunks=2, dtype="c8")
            and (tmp_path / "c" / "zarr.json")
        ).read_text()
    )
    document["data_type"] = "complex_float32"
    (tmp_path / "c" / "zarr.json").write_text(json.dumps(document))
    rechunk.ok("run", tmp_path / "c", tmp_path / "d", "--chunks", "4")
    after = json.loads((tmp_path / "d" / "zarr.json").read_text())
    assert after["data_type"] == "complex_float32"


@pytest.mark.parametrize("version", ["0.3", "0.4", "0.5"])
def test_axes_of_images_name_dimensions(
    rechunk: Rechunk, tmp_path: Path, version: str
) -> None:
    """Where arrays have no names; the target has none either."""
    source, target = tmp_path / "a.zarr", tmp_path / "b.zarr"
    zarr_format = 3 if version == "0.5" else 2
    group = zarr.create_group(source, zarr_format=zarr_format)
    names = ["t", "z", "y"]
    axes = names if version == "0.3" else [{"name": name} for name in names]
    datasets = [{"path": "0"}, {"path": "deep/1"}, {"path": "gone"}, 5]
    image = {"multiscales": [{"axes": axes, "datasets": datasets}, "x"]}
    for place in ("", "labels/cells"):
        inner = group.require_group(place) if place else group
        inner.attrs.update({"ome": image} if version == "0.5" else image)
        for path in ("0", "deep/1"):
            inner.create_array(
                path, data=RNG.random((4, 6, 5)), chunks=(1, 6, 5)
            )
    group.create_array("other", data=np.arange(6), chunks=(2,))
    flags = ("--chunks", "t=4,z=2", "--shards", "t=4,z=6")[
        : zarr_format * 2 - 2
    ]
    rechunk.ok("run", source, target, *flags, "--verify")
    after = zarr.open_group(target)
    for path in ("0", "deep/1", "labels/cells/0", "labels/cells/deep/1"):
        assert after[path].chunks == (4, 2, 5)
        assert after[path].metadata.zarr_format == zarr_format
        assert after[path].attrs.asdict() == {}
        document = after[path].metadata.to_dict()
        assert not document.get("dimension_names")
    assert after["other"].chunks == (2,)
    one = ("--array", "deep/1:z=3")
    rechunk.ok("run", source, tmp_path / "c.zarr", *one)
    assert zarr.open_array(tmp_path / "c.zarr/deep/1").chunks == (1, 3, 5)
    refused = rechunk.fails(
        "run", source, tmp_path / "d.zarr", "--chunks", "c=1"
    )
    assert "its dimensions are: t, y, z" in refused.stderr


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_chunks_under_other_keys_are_no_empty_array(
    rechunk: Rechunk, tmp_path: Path, zarr_format: int
) -> None:
    """The separator that would fit is named, before anything is written."""
    name = "v2" if zarr_format == 2 else "default"
    source, target = tmp_path / "a", tmp_path / "b"
    zarr.create_group(source, zarr_format=zarr_format).create_array(
        "v", data=np.ones((9, 9)), chunks=(2, 2),
        chunk_key_encoding={"name": name, "separator": "/"},
    )  # fmt: skip
    path = source / "v" / (".zarray" if zarr_format == 2 else "zarr.json")
    document = json.loads(path.read_text())
    document.pop("dimension_separator", None)
    if zarr_format == 3:
        document["chunk_key_encoding"] = {
            "name": "default", "configuration": {"separator": "."},
        }  # fmt: skip
    path.write_text(json.dumps(document))
    refused = rechunk.fails("run", source, target, "--chunks", "4,4")
    assert "its chunks lie under other keys" in refused.stderr
    assert '"/" in its' in refused.stderr
    assert not target.exists()
    # A chunk where it belongs, whichever: some may be missing.
    lone = "3.1" if zarr_format == 2 else "c.3.1"
    (source / "v" / lone).write_bytes(b"x")
    assert "other keys" not in rechunk("plan", source, target).stderr


def test_raw_chunks_of_a_wrong_length_are_not_moved(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """The object is named; no reader would take it."""
    short = write_v2(tmp_path / "a")
    (short / "0").write_bytes(b"123456")
    scalar = write_v2(tmp_path / "b", shape=[], chunks=[])
    (scalar / "0").write_bytes(bytes(24))
    for source in (short, scalar):
        for flags in ([], ["--zarr-format", 3], ["--verify"]):
            target = tmp_path / "t"
            refused = rechunk.fails("run", source, target, *flags)
            assert f"{source}/0: it holds" in refused.stderr
            assert not target.exists()


def test_an_odd_array_is_moved_and_verified_as_stored(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """It does not keep the others from being verified."""
    source, target = tmp_path / "a.zarr", tmp_path / "b.zarr"
    write_v2(source / "odd", fill_value="x")
    (source / "odd" / "0").write_bytes(bytes(16))
    zstd = {"id": "zstd", "level": "high"}
    write_v2(source / "odder", compressor=zstd)
    write_v2(source / "fine")
    (source / ".zgroup").write_text('{"zarr_format": 2}')
    flags = ("--chunks", "2", "--verify")
    result = rechunk.ok("run", source, target, *flags)
    assert "not rechunked: odd (" in result.stderr
    assert "verified 1 of 3 arrays, 2 as stored" in result.stderr
    rechunk.ok("verify", source, target)
    (target / "odd" / "0").write_bytes(bytes(15) + b"x")
    different = rechunk("verify", source, target)
    assert different.exit_code == 1
    assert "encoded chunks differ" in different.stdout
    refused = rechunk.fails("run", source, tmp_path / "c", "--array", "odd:2")
    assert 'fill value "x" does not fit data type <i4' in refused.stderr


def test_names_with_colons_are_found(rechunk: Rechunk, tmp_path: Path) -> None:
    """The longest name before a colon that is an array counts."""
    group = zarr.create_group(tmp_path / "a.zarr")
    for name in ("var", "var:1"):
        group.create_array(name, data=np.arange(6), chunks=(3,))
    target = tmp_path / "b.zarr"
    rechunk.ok(
        *("run", tmp_path / "a.zarr", target, "--array", "var:1:2"),
        *("--array", "var:6", "--array-codec", "var:1:gzip:2"),
    )
    after = zarr.open_group(target)
    assert after["var:1"].chunks == (2,)
    assert after["var"].chunks == (6,)
    assert "GzipCodec" in str(after["var:1"].compressors)
    refused = rechunk.fails(
        *("run", tmp_path / "a.zarr", tmp_path / "c", "--array", "no:x=2")
    )
    assert "--array no: the source has no such array" in refused.stderr
