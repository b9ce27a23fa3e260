"""All kinds of sources, chunks, targets and places for temporary data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.storage import FsspecStore, LocalStore, MemoryStore, ZipStore

from compare import assert_same_elements
from rechunk import rechunk
from trees import assert_only
from workloads import random_elements

SHAPE, CHUNKS, NAMES = (20, 33), (6, 33), ("y", "x")
ELEMENTS = random_elements(SHAPE, "f4")


def fill_group(store: Any, path: str = "") -> zarr.Group:
    """Write a group with an array in it, and one further down."""
    group = zarr.create_group(store, path=path, attributes={"title": "random"})
    for name in ("v", "deep/w"):
        array = group.create_array(
            name,
            shape=SHAPE,
            chunks=CHUNKS,
            dtype="f4",
            fill_value=-1,
            compressors=None,
            dimension_names=NAMES,
            attributes={"units": "K"},
        )
        array[...] = ELEMENTS
    return group


def h5py_dataset(folder: Path) -> Any:
    """Return a dataset of HDF5 that stays open."""
    import h5py

    file = h5py.File(folder / "a.h5", "w")
    return file.create_dataset("v", data=ELEMENTS, chunks=CHUNKS)


def dask_array(_: Path) -> Any:
    """Return one with chunks that are not regular."""
    import dask.array

    return dask.array.from_array(ELEMENTS, chunks=((6, 6, 6, 2), (33,)))


def zip_group(folder: Path) -> zarr.Group:
    """Return a group in a file that is complete."""
    with ZipStore(folder / "g.zip", mode="w") as store:
        fill_group(store)
    return zarr.open_group(ZipStore(folder / "g.zip", mode="r"), mode="r")


def fsspec_store(name: str) -> FsspecStore:
    """Return a place in the memory file system of fsspec."""
    import fsspec

    return FsspecStore.from_mapper(fsspec.get_mapper(f"memory://{name}"))


ARRAYS: dict[str, Callable[[Path], Any]] = {
    "path": lambda folder: fill_group(folder / "g") and folder / "g/v",
    "text": lambda folder: fill_group(folder / "g") and f"{folder}/g/deep/w",
    "local": lambda folder: fill_group(folder / "g")["v"],
    "memory": lambda _: fill_group(MemoryStore(), "below")["deep/w"],
    "fsspec": lambda folder: fill_group(fsspec_store(folder.name))["v"],
    "zip": lambda folder: zip_group(folder)["v"],
    "numpy": lambda _: ELEMENTS,
    "dask": dask_array,
    "h5py": h5py_dataset,
}
NAMED = ("path", "text", "local", "memory", "fsspec", "zip")
# Of the array above, and what comes of it.
FORMS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "tuple": ((20, 4), (20, 4)),
    "list": ([7, 4], (7, 4)),
    "numpy": (np.array([7, 4]), (7, 4)),
    "whole": ((-1, 4), (20, 4)),
    "kept": ((None, 4), (6, 4)),
    "all kept": (None, CHUNKS),
    "all whole": (-1, SHAPE),
    "by number": ({1: 4}, (6, 4)),
    "oversize": ((500, 4), (500, 4)),
    "text": ("all,4", (20, 4)),
    "auto": ("auto:1kB", ()),
    "auto in a tuple": ((7, "auto"), ()),
    "by name": ({"x": 4}, (6, 4)),
    "by name, whole": ({"y": -1, "x": None}, (20, 33)),
    "by name, text": ({"y": "all"}, (20, 33)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ARRAYS)
def test_every_form_of_chunks_works_for_every_array(
    tmp_path: Path, kind: str, form: str
) -> None:
    """Names where the source has them; numpy has no chunks to keep."""
    chunks, expected = FORMS[form]
    if form.startswith("by name") and kind not in NAMED:
        chunks = {NAMES.index(name): value for name, value in chunks.items()}
    source = ARRAYS[kind](tmp_path)
    target = rechunk(source, chunks, "2MB", tmp_path / "t").execute()
    if kind == "numpy" and expected[:1] == CHUNKS[:1]:
        expected = (SHAPE[0], *expected[1:])
    assert not expected or target.chunks == expected
    assert_same_elements(target[...], ELEMENTS)
    if kind in NAMED:
        assert (dict(target.attrs), target.fill_value) == ({"units": "K"}, -1)
        assert target.metadata.dimension_names == NAMES


GROUPS: dict[str, Callable[[Path], Any]] = {
    "path": lambda folder: fill_group(folder / "g") and folder / "g",
    "local": lambda folder: fill_group(folder / "g"),
    "memory": lambda _: fill_group(MemoryStore()),
    "below": lambda _: fill_group(MemoryStore(), "some/where"),
    "fsspec": lambda folder: fill_group(fsspec_store(folder.name), "g"),
    "zip": zip_group,
}


@pytest.mark.parametrize(
    ("chunks", "of_v", "of_w"),
    [
        ({"v": (20, 4)}, (20, 4), CHUNKS),
        ({"v": {"x": 4}, "deep/w": -1}, (6, 4), SHAPE),
        ({"v": None, "deep/w": {0: -1}}, CHUNKS, (20, 33)),
        ({"x": 4, "y": -1}, (20, 4), (20, 4)),
        ({"x": "all", "y": 7}, (7, 33), (7, 33)),
        ({"y": 500}, (500, 33), (500, 33)),
        (None, CHUNKS, CHUNKS),
        ({}, CHUNKS, CHUNKS),
        (-1, SHAPE, SHAPE),
        ((7, 4), (7, 4), (7, 4)),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", GROUPS)
def test_every_form_of_chunks_works_for_every_group(
    tmp_path: Path, kind: str, chunks: Any, of_v: Any, of_w: Any
) -> None:
    """By array or by dimension; arrays that are not named are copied."""
    source = GROUPS[kind](tmp_path)
    target = rechunk(source, chunks, "2MB", tmp_path / "t").execute()
    assert dict(target.attrs) == {"title": "random"}
    for name, expected in (("v", of_v), ("deep/w", of_w)):
        assert target[name].chunks == expected, name
        assert_same_elements(target[name][...], ELEMENTS)


TARGETS: dict[str, Callable[[Path], Any]] = {
    "path": lambda folder: folder / "t",
    "text": lambda folder: str(folder / "a/b/t"),
    "local": lambda folder: LocalStore(folder / "t"),
    "memory": lambda _: MemoryStore(),
    "fsspec": lambda folder: fsspec_store(f"{folder.name}-t"),
    "group": lambda folder: zarr.open_group(folder / "t", mode="w"),
    "group in memory": lambda _: zarr.create_group(MemoryStore(), path="a/b"),
}


def keys_of(store: Any) -> set[str]:
    """Return all keys of a zarr store."""
    from zarr.core.sync import sync

    async def collect() -> set[str]:
        return {key async for key in store.list()}

    return sync(collect())


@pytest.mark.parametrize("max_mem", ["16MB", "1MB"])
@pytest.mark.parametrize("source", ["array", "group"])
@pytest.mark.parametrize("kind", TARGETS)
def test_targets_and_temporary_stores(
    tmp_path: Path, kind: str, source: str, max_mem: str
) -> None:
    """Of all kinds; `overwrite` replaces what is there, nothing is left."""
    elements = np.random.default_rng(7).normal(size=(300, 31, 29))
    root = zarr.create_group(MemoryStore())
    wanted: Any = root.create_array("v", data=elements, chunks=(7, 31, 29))
    place = TARGETS[kind](tmp_path)
    name = None
    if source == "group":
        wanted = root
    elif kind.startswith("group"):
        name = "u"
    staged = max_mem == "1MB"
    temps = [tmp_path / "temp", MemoryStore(), None] if staged else [None]
    for number, temp in enumerate(temps):
        planned = rechunk(
            wanted,
            (300, 5, 4),
            max_mem,
            place,
            temp_store=temp,
            array_name=name,
            overwrite=number > 0,
            threads=1,
        )
        (array,) = planned.describe()["arrays"]
        assert array["method"] == ("staged" if staged else "direct")
        target = planned.execute()
        if source == "group":
            target = target["v"]
        assert target.chunks == (300, 5, 4)
        assert_same_elements(target[...], elements)
        assert not any("rechunk" in key for key in keys_of(target.store))
        if isinstance(temp, MemoryStore):
            assert not keys_of(temp)
    assert_only(tmp_path, "t", "a", "temp")
    assert not any(tmp_path.glob("temp/*"))
