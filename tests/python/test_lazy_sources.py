"""Sources that are computed when they are read: where they lie is found."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr
import zarr
from zarr.storage import FsspecStore, LocalStore, LoggingStore, MemoryStore

from rechunk import RechunkError, rechunk
from trees import tree_hash

NUMBERS = np.random.default_rng(3).random((12, 20))
CHUNKS = (12, 5)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`x.zarr`, a dataset whose variable `v` may also be a target."""
    dataset = xr.Dataset(
        {"v": (("y", "x"), NUMBERS), "w": (("y", "x"), NUMBERS)}
    )
    encoding = {name: {"chunks": (4, 20)} for name in "vw"}
    dataset.to_zarr(tmp_path / "x.zarr", encoding=encoding, consolidated=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Wrapped:
    """What a user wrote around an array."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self.shape, self.dtype = array.shape, array.dtype
        self.ndim = len(array.shape)

    def __getitem__(self, region: Any) -> Any:
        return self.array[region] + 1


class Decorated(Wrapped):
    """Another way to hold what is wrapped."""

    def __init__(self, array: Any) -> None:
        super().__init__(array)
        self.__wrapped__ = array
        del self.array

    def __getitem__(self, region: Any) -> Any:
        return self.__wrapped__[region]


def opened(**options: Any) -> xr.Dataset:
    """Return the dataset, lazy."""
    return xr.open_zarr("x.zarr", consolidated=False, **options)


def of_delayed() -> Any:
    """Nothing in the graph but a path."""
    load = dask.delayed(lambda path: zarr.open_array(path)[...])
    return da.from_delayed(load("./x.zarr/v"), NUMBERS.shape, "f8")


def of_partial() -> Any:
    """A path in a function that is called for each block."""
    load = functools.partial(_read_block, path="x.zarr/v")
    return da.map_blocks(load, chunks=((4, 4, 4), (20,)), dtype="f8")


def _read_block(block_info: Any = None, path: str = "") -> Any:
    (rows, columns) = block_info[None]["array-location"]
    return zarr.open_array(path)[slice(*rows), slice(*columns)]


def of_fsspec() -> Any:
    """Return one whose store is no LocalStore."""
    store = FsspecStore.from_url(f"file://{Path('x.zarr').absolute()}")
    return da.from_array(zarr.open_array(store, path="v"), chunks=(4, 20))


def logged(path: str = "v") -> Any:
    """Return an array in a store around a store."""
    store = LoggingStore(LocalStore("x.zarr"))
    return zarr.open_array(store, path=path, mode="r")


ARRAYS: dict[str, Callable[[], Any]] = {
    "from_zarr": lambda: da.from_zarr("x.zarr/v"),
    "computed": lambda: (da.from_zarr("x.zarr/v") * 2 + 1)[:, ::-1],
    "from_array": lambda: da.from_array(zarr.open_array("x.zarr/v")),
    "stacked": lambda: da.concatenate(
        [da.zeros((2, 20)), da.from_zarr("x.zarr/v")[:10]]
    ),
    "of a variable": lambda: opened().v.data,
    "wrapped": lambda: Wrapped(zarr.open_array("x.zarr/v")),
    "decorated": lambda: Decorated(zarr.open_array("x.zarr/v")),
    "wrapped twice": lambda: Wrapped(Decorated(opened(chunks=None).v.variable)),
    "wrapped dask": lambda: da.from_array(
        Wrapped(zarr.open_array("x.zarr/v")), chunks=(4, 20)
    ),
    "delayed": of_delayed,
    "partial": of_partial,
    "fsspec": of_fsspec,
    "another store": logged,
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_an_array_over_its_own_target(folder: Path, kind: str) -> None:
    """Refused, whether it would be replaced or written in part."""
    before = tree_hash(folder)
    for target in ("x.zarr/v", "x.zarr", folder / "x.zarr/v"):
        with pytest.raises(RechunkError, match="source and target"):
            rechunk(ARRAYS[kind](), CHUNKS, "1MB", target, overwrite=True)
    with pytest.raises(RechunkError, match="source and target"):
        rechunk(ARRAYS[kind](), None, "1MB", "x.zarr/v", region="all")
    assert tree_hash(folder) == before
    # Beside it there is room.
    source = ARRAYS[kind]()
    rechunk(source, None, "8MB", "x.zarr/w", region="all").execute()
    made = rechunk(source, CHUNKS, "1MB", "x.zarr/new").execute()
    assert made.chunks == CHUNKS


DATASETS: dict[str, Callable[[], Any]] = {
    "chunked": opened,
    "not chunked": lambda: opened(chunks=None),
    "computed": lambda: opened().map(lambda array: array + 1),
    "view": lambda: opened(chunks=None).isel(y=slice(0, 12)),
    "renamed": lambda: opened().rename(v="u").drop_vars("w"),
    "assigned": lambda: xr.Dataset({"v": opened().v.variable}),
    "half loaded": lambda: opened().assign(w=opened().w.load()),
}


@pytest.mark.parametrize("kind", DATASETS)
def test_a_dataset_over_its_own_target(folder: Path, kind: str) -> None:
    """Refused; a dataset that is loaded is no longer lazy."""
    before = tree_hash(folder)
    chunks = {"y": 12, "x": 5}
    with pytest.raises(RechunkError, match="load the source"):
        rechunk(DATASETS[kind](), chunks, "1MB", "x.zarr", overwrite=True)
    with pytest.raises(RechunkError, match="source and target"):
        rechunk(opened()[["v"]], None, "1MB", "x.zarr", region="all")
    assert tree_hash(folder) == before
    loaded = DATASETS[kind]().load()
    rechunk(loaded, chunks, "1MB", "x.zarr", overwrite=True).execute()
    xr.testing.assert_equal(opened().load(), loaded)


def test_levels_of_a_pyramid_lie_in_one_store(folder: Path) -> None:
    """A group beside the one that is read is another place."""
    dataset = xr.Dataset({"v": (("y", "x"), NUMBERS)})
    dataset.to_zarr("p.zarr", group="0", consolidated=False)
    level = xr.open_zarr("p.zarr", group="0", consolidated=False)
    half = level.isel(y=slice(None, None, 2))
    rechunk(half, {"y": -1, "x": 5}, "1MB", "p.zarr/1").execute()
    made = xr.open_zarr("p.zarr", group="1", consolidated=False)
    assert np.array_equal(made.v, NUMBERS[::2])


def test_stores_without_a_path_are_compared(folder: Path) -> None:
    """By what they hold, not by what they look like."""
    store, other = MemoryStore(), MemoryStore()
    for each in (store, other):
        zarr.create_array(each, name="a", data=NUMBERS, chunks=(4, 20))
    lazy = da.from_array(zarr.open_array(store, path="a"), chunks=(4, 20))
    same = MemoryStore(store._store_dict)
    array = zarr.open_array(store, path="a")
    group = zarr.open_group(store)
    for source in (lazy, array, group, lazy + 1):
        for target in (same, group):
            name = None if source is group else "a"
            if name and target is same:
                continue
            with pytest.raises(RechunkError, match="source and target"):
                rechunk(
                    *(source, None, "1MB", target),
                    array_name=name,
                    overwrite=True,
                )
    assert np.array_equal(array[...], NUMBERS)
    rechunk(lazy, CHUNKS, "1MB", other, overwrite=True).execute()
    assert np.array_equal(zarr.open_array(other)[...], NUMBERS)


def test_temporary_data_stays_out_of_source_and_target(folder: Path) -> None:
    """It is removed where it lies; beside them it may lie."""
    for source, temp in (
        ("x.zarr", "x.zarr"),
        ("x.zarr", folder / "x.zarr/deeper"),
        (opened(), "x.zarr/v"),
        (da.from_zarr("x.zarr/v"), "x.zarr/v"),
    ):
        with pytest.raises(RechunkError, match="source and temp_store"):
            rechunk(source, None, "8MB", "t.zarr", temp_store=temp)
    with pytest.raises(RechunkError, match="target and temp_store"):
        rechunk("x.zarr", None, "8MB", "t.zarr", temp_store="t.zarr/tmp")
    for source in ("x.zarr", opened(), da.from_zarr("x.zarr/v")):
        rechunk(source, None, "8MB", "t.zarr", temp_store=folder)
