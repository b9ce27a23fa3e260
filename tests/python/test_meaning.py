"""What readers see of a target, and what `rechunk()` warns of."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import xarray
import zarr
from zarr.storage import LocalStore, MemoryStore

from rechunk import RechunkWarning, rechunk
from rechunk.errors import InvalidArgumentError, UnsupportedError

RNG = np.random.default_rng(18)


def said(*args: Any, **options: Any) -> tuple[list[str], dict[str, Any]]:
    """Rechunk; return what it warned of, and its report."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        planned = rechunk(*args, **options)
        planned.execute()
    assert planned.report is not None
    ours = [w for w in caught if issubclass(w.category, RechunkWarning)]
    return [str(w.message) for w in ours], planned.report


def seen(path: Path) -> xarray.Dataset:
    """Return what xarray reads."""
    opened: xarray.Dataset = xarray.open_zarr(path, consolidated=False).load()
    return opened


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_xarray_sees_the_same_in_the_other_format_and_back(
    tmp_path: Path, zarr_format: int
) -> None:
    """Masks, also of chunks that are missing; each change is a warning."""
    gaps = np.where(RNG.random(24) < 0.3, np.nan, RNG.integers(0, 9, 24))
    stored: dict[str, dict[str, Any]] = {
        "float": {"_FillValue": -9999.0, "dtype": "f4"},
        "plain": {},
        "scaled": {"_FillValue": -1, "dtype": ">i4", "scale_factor": 0.25},
        "unsigned": {"_FillValue": 255, "dtype": "u1"},
    }
    dataset = xarray.Dataset(dict.fromkeys(stored, ("x", gaps)))
    dataset["count"] = ("x", np.arange(24))
    source = tmp_path / "a.zarr"
    chunked = {name: {"chunks": (6,), **e} for name, e in stored.items()}
    dataset.to_zarr(source, zarr_format=zarr_format, encoding=chunked)
    for name in stored:
        (source / name / ("c/1" if zarr_format == 3 else "1")).unlink()
    expected = seen(source)
    other, back = tmp_path / "b.zarr", tmp_path / "c.zarr"
    texts, report = said(
        *(str(source), {"x": 8}, "1MB", str(other)),
        zarr_format=5 - zarr_format,
        verify=True,
    )
    xarray.testing.assert_identical(seen(other), expected)
    assert any("_FillValue" in text for text in texts)
    told = [n["arrays"] for n in report["notes"] if n["kind"] == "fill_value"]
    assert any("scaled" in names for names in told)
    said(str(other), {"x": 6}, "1MB", str(back), zarr_format=zarr_format)
    xarray.testing.assert_identical(seen(back), expected)
    with pytest.raises(InvalidArgumentError, match="_FillValue"):
        rechunk(
            *(str(source), {"x": 8}, "1MB", str(tmp_path / "d.zarr")),
            zarr_format=5 - zarr_format,
            strict=True,
        )
    assert not (tmp_path / "d.zarr").exists()


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_strings_are_moved_as_stored_and_named(
    tmp_path: Path, zarr_format: Literal[2, 3]
) -> None:
    """With the cause, as a warning and in the report; strict refuses."""
    texts = np.array(["a", "", "long word"] * 4, dtype=object)
    dataset = xarray.Dataset({"t": ("x", texts), "v": ("x", np.arange(12.0))})
    source, target = tmp_path / "a.zarr", tmp_path / "b.zarr"
    encoding = {"t": {"chunks": (5,)}}
    dataset.to_zarr(source, zarr_format=zarr_format, encoding=encoding)
    call = (str(source), {"x": 4}, "2MB", str(target))
    warned, report = said(*call)
    (left,) = report["not_rechunked"]
    assert left["name"] == "t" and left["cause"] == "string"
    assert [t for t in warned if "not rechunked: t (string)" in t]
    xarray.testing.assert_identical(seen(target), seen(source))
    assert zarr.open_array(target / "t").chunks == (5,)
    with pytest.raises(UnsupportedError, match=r"array t: .*type string"):
        rechunk(str(source), {"t": (4,)}, "2MB", str(tmp_path / "c.zarr"))
    with pytest.raises(InvalidArgumentError, match="not rechunked: t"):
        rechunk(*call[:3], str(tmp_path / "c.zarr"), strict=True)


def make_odd_group(path: Path) -> dict[str, bytes]:
    """Write an array of an unknown grid beside another; return its objects."""
    group = zarr.create_group(path)
    group.create_array("ok", data=RNG.random((6, 10)), chunks=(1, 10))
    group.create_array("odd", data=RNG.random((6, 10)), chunks=(2, 10))
    document = json.loads((path / "odd" / "zarr.json").read_text())
    document["chunk_grid"]["name"] = "rectilinear"
    (path / "odd" / "zarr.json").write_text(json.dumps(document))
    return objects(path / "odd")


def objects(path: Path) -> dict[str, bytes]:
    """Return all files below, by name."""
    files = [file for file in path.rglob("*") if file.is_file()]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


@pytest.mark.parametrize("executor", ["threads", "python", "dask"])
def test_an_array_of_an_unknown_grid_is_moved(
    tmp_path: Path, executor: str
) -> None:
    """By every engine, from a path and from a store; by name it is refused."""
    source = tmp_path / "a.zarr"
    odd = make_odd_group(source)
    opened = zarr.open_group(LocalStore(source), mode="r")
    for number, given in enumerate((str(source), opened)):
        target = tmp_path / f"b{number}.zarr"
        place = str(target) if number else LocalStore(target)
        call = (given, {"ok": (6, 2)}, "1MB", place)
        texts, report = said(*call, executor=executor)
        assert [t for t in texts if 'odd (parsing zarr.json: chunk grid "' in t]
        assert [left["name"] for left in report["not_rechunked"]] == ["odd"]
        assert objects(target / "odd") == odd
        after = zarr.open_group(target)["ok"]
        assert isinstance(after, zarr.Array) and after.chunks == (6, 2)
    for chunks, options in (
        ({"odd": (6, 2)}, {}),
        ({"ok": (6, 2)}, {"zarr_format": 2}),
    ):
        with pytest.raises(UnsupportedError, match=r'odd.*"rectilinear"'):
            rechunk(
                *(str(source), chunks, "1MB", MemoryStore()),
                executor=executor,
                **options,  # type: ignore[arg-type]
            )


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_inner_consolidated_metadata_is_rebuilt(
    tmp_path: Path, zarr_format: Literal[2, 3]
) -> None:
    """Of a group in a store, in both formats."""
    source = tmp_path / "a.zarr"
    group = zarr.create_group(source, zarr_format=zarr_format)
    group.create_array("in/v", data=RNG.random((6, 4)), chunks=(6, 1))
    zarr.consolidate_metadata(source, path="in")
    for number in (2, 3):
        target = tmp_path / f"b{number}.zarr"
        call = (str(source), {"in/v": (2, 4)}, "1MB", str(target))
        rechunk(*call, zarr_format=number).execute()
        inner = zarr.open_consolidated(target / "in")
        assert inner["v"].chunks == (2, 4)  # type: ignore[union-attr]
        with pytest.raises(ValueError):
            zarr.open_consolidated(target)


def test_nan_in_attributes_is_kept_or_written_as_text(tmp_path: Path) -> None:
    """As one asks for it; either way it is said where it matters."""
    source = tmp_path / "a.zarr"
    zarr.create_array(
        source, data=np.arange(6), chunks=(2,), zarr_format=2
    ).update_attributes({"valid": [0.5, float("nan"), float("inf")]})
    kept, text = tmp_path / "kept.zarr", tmp_path / "text.zarr"
    for target, how, expected in (
        (kept, "keep", "[0.5, NaN, Infinity]"),
        (text, "text", '[0.5, "NaN", "Infinity"]'),
    ):
        texts, report = said(
            *(str(source), (3,), "1MB", str(target)),
            nan_attributes=how,
            zarr_format=3,
        )
        document = (target / "zarr.json").read_text()
        found = json.loads(document)["attributes"]["valid"]
        assert json.dumps(found) == expected
        assert "nan_attributes" in [note["kind"] for note in report["notes"]]
        assert [t for t in texts if "NaN" in t]


def test_axes_of_images_name_dimensions(tmp_path: Path) -> None:
    """For all arrays, and for one; the target's arrays stay without names."""
    source = tmp_path / "a.zarr"
    axes = [{"name": name, "type": "space"} for name in "zyx"]
    image = [{"axes": axes, "datasets": [{"path": "0"}, {"path": "1"}]}]
    group = zarr.create_group(
        source, zarr_format=2, attributes={"multiscales": image}
    )
    for name in "01":
        group.create_array(name, data=RNG.random((4, 6, 5)), chunks=(1, 6, 5))
    chunks: Any
    for number, chunks in enumerate(
        ({"z": 4, "y": 2}, {"1": {"z": 4, "y": 2}})
    ):
        target = tmp_path / f"b{number}.zarr"
        rechunk(str(source), chunks, "2MB", str(target)).execute()
        after = {name: zarr.open_array(target / name) for name in "01"}
        assert after["1"].chunks == (4, 2, 5)
        assert after["0"].chunks == ((1, 6, 5) if number else (4, 2, 5))
        assert after["1"].attrs.asdict() == {}
