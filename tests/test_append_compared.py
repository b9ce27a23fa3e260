"""What an append or a region compares before anything is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk
from trees import tree_hash

pytestmark = pytest.mark.any_place

NAMES = {
    "v": ("time", "level"),
    "time": ("time",),
    "level": ("level",),
    "flag": ("level",),
}
WAYS = (("--append", "time"), ("--region", "time=0:2"))


def write(path: Path, zarr_format: int = 3, **changed: object) -> None:
    """Write a group of two times and three levels."""
    arrays = {
        "v": np.arange(6.0).reshape(2, 3),
        "time": np.arange(2),
        "level": np.array([1000.0, 850.0, np.nan]),
        "flag": np.array([1, -2, 3], "i2"),
        **changed,
    }
    root = zarr.create_group(path, zarr_format=zarr_format)
    for name, elements in arrays.items():
        if elements is None:
            continue
        names = NAMES.get(name, ("level",))
        array = root.create_array(
            name,
            shape=elements.shape,
            chunks=elements.shape,
            dtype=elements.dtype,
            dimension_names=names if zarr_format == 3 else None,
            attributes={"_ARRAY_DIMENSIONS": list(names)},
        )
        array[...] = elements


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"level": np.array([850.0, 1000.0, np.nan])},
            "array level: element (0,) is 850.0 in the source and 1000.0",
        ),
        (
            {"level": np.array([1000.0, 850.0, 500.0])},
            'element (2,) is 500.0 in the source and "NaN"',
        ),
        (
            {"flag": np.array([1, 2, 3], "<i4")},
            "element (1,) is 2 in the source and -2 in the target (of types",
        ),
        ({"flag": np.array(["1", "2", "3"], "S1")}, "array flag: element (0,)"),
        ({"more": np.arange(3)}, "the target has no array more"),
    ],
)
def test_other_values_are_refused(
    rechunk: Rechunk, tmp_path: Path, changed: dict, message: str
) -> None:
    """The first difference is named; nothing is written."""
    write(tmp_path / "b")
    write(tmp_path / "a", **changed)
    before = tree_hash(tmp_path)
    for way in WAYS:
        for command in ("plan", "run"):
            words = (command, tmp_path / "a", tmp_path / "b", *way)
            assert message in rechunk.fails(*words).stderr
    assert tree_hash(tmp_path) == before


def test_equal_numbers_are_equal(rechunk: Rechunk, tmp_path: Path) -> None:
    """Of any type, byte order, chunks and format; what is missing is named."""
    write(tmp_path / "b", only=np.arange(3))
    write(
        tmp_path / "a",
        zarr_format=2,
        level=np.array([1000, 850, np.nan], ">f4"),
        flag=np.array([1, -2, 3], ">i8"),
    )
    for way in WAYS:
        words = ("run", tmp_path / "a", tmp_path / "b", *way, "--strict")
        stderr = rechunk.ok(*words).stderr
        assert "nothing of flag, level: they stay as they are" in stderr
        assert "nothing of only: only the target has them" in stderr
    root = zarr.open_group(tmp_path / "b", mode="r")
    assert root["level"].dtype == "f8" and root["v"].shape == (4, 3)


def test_what_is_too_large_is_not_compared(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """For the budget; the run says so."""
    for name, number in (("a", 1), ("b", 2)):
        root = zarr.create_group(tmp_path / name)
        for array, shape in (("map", (512, 512)), ("time", (10,))):
            root.create_array(
                array, data=np.full(shape, number, "f8"),
                dimension_names=("y", "x") if array == "map" else ("time",),
            )  # fmt: skip
    words = ("run", tmp_path / "a", tmp_path / "b", "--append", "time")
    assert "array map: element (0, 0)" in rechunk.fails(*words).stderr
    small = (*words, "--max-memory", "2MB")
    assert "not compared" in rechunk.fails(*small, "--strict").stderr
    stderr = rechunk.ok(*small).stderr
    assert "note: not compared" in stderr and "map" in stderr


def test_dimensions_in_another_order_are_refused(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """And others; unnamed ones pass."""
    names = {
        "b": ("time", "y", "x"),
        "swapped": ("time", "x", "y"),
        "other": ("time", "y", "z"),
        "unnamed": None,
        "partly": ("time", None, "x"),
    }
    for name, dimensions in names.items():
        zarr.create_array(
            tmp_path / name, data=np.ones((2, 4, 4)), dimension_names=dimensions
        )
    for way in WAYS:
        for name in ("swapped", "other"):
            words = ("run", tmp_path / name, tmp_path / "b", *way)
            assert "its dimensions are (time, " in rechunk.fails(*words).stderr
        for name in ("unnamed", "partly"):
            rechunk.ok("run", tmp_path / name, tmp_path / "b", *way)


def test_chunks_may_be_longer_than_an_array_that_will_grow(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """The coordinate's, too; `all` and auto are today's length."""
    root = zarr.create_group(tmp_path / "a")
    for name, shape, names in (
        ("t", (24, 6), ("time", "x")),
        ("time", (24,), ("time",)),
    ):
        elements = np.arange(np.prod(shape)).reshape(shape)
        root.create_array(
            name, data=elements, chunks=(6,) * len(shape), dimension_names=names
        )
    for number, (text, chunks, coordinate) in enumerate(
        (
            ("time=8760,x=2", (8760, 2), 8760),
            ("time=all,x=2", (24, 2), 24),
            ("time=-1", (24, 6), 24),
            ("auto", (24, 6), 24),
            ("time=12", (12, 6), 24),
        )
    ):
        target = tmp_path / str(number)
        rechunk.ok("run", tmp_path / "a", target, "--chunks", text)
        found = zarr.open_group(target, mode="r")
        assert found["t"].chunks == chunks, text
        assert found["time"].chunks == (coordinate,), text
        assert np.array_equal(found["t"][...], root["t"][...])
    words = ("plan", tmp_path / "a", tmp_path / "c", "--max-memory", "1MB")
    failed = rechunk.fails(*words, "--chunks", "time=87600,x=6")
    assert "the array has 24" in failed.stderr and "`all`" in failed.stderr
