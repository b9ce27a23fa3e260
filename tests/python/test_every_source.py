"""Every kind of source on every executor; none may wait for itself."""

from __future__ import annotations

import faulthandler
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import xarray as xr
import zarr
from zarr.storage import MemoryStore, ZipStore

from compare import assert_same_elements
from rechunk import rechunk

NUMBERS = np.random.default_rng(52).random((12, 20))
CHUNKS = (12, 5)
SECONDS = 60


@pytest.fixture(autouse=True)
def _limit() -> Iterator[None]:
    """End the process, with its stacks, where something hangs."""
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def stored(folder: Path) -> zarr.Array:
    """Return a stored array."""
    return zarr.create_array(
        folder / "a.zarr", data=NUMBERS, chunks=(4, 20), overwrite=True
    )


def in_zip(folder: Path) -> zarr.Array:
    """Return an array in a file."""
    with ZipStore(folder / "a.zip", mode="w") as store:
        zarr.create_array(store, data=NUMBERS, chunks=(4, 20))
    return zarr.open_array(ZipStore(folder / "a.zip", mode="r"), mode="r")


def dataset(folder: Path, **options: Any) -> xr.Dataset:
    """Return a dataset that reads Zarr."""
    xr.Dataset({"v": (("y", "x"), NUMBERS)}).to_zarr(
        folder / "x.zarr", encoding={"v": {"chunks": (4, 20)}}
    )
    return xr.open_zarr(folder / "x.zarr", **options)


def hdf5(folder: Path) -> Any:
    """Return a dataset of h5py, in a file that stays open."""
    import h5py

    file = h5py.File(folder / "a.h5", "w")
    return file.create_dataset("v", data=NUMBERS, chunks=(4, 20))


def netcdf(folder: Path) -> Any:
    """Return a variable of netCDF4, in a file that stays open."""
    file = pytest.importorskip("netCDF4").Dataset(folder / "a.nc", "w")
    file.createDimension("y", 12)
    file.createDimension("x", 20)
    variable = file.createVariable("v", "f8", ("y", "x"), chunksizes=(4, 20))
    variable[:] = NUMBERS
    return variable


def tensorstore(folder: Path) -> Any:
    """Return an object of TensorStore."""
    stored(folder)
    kvstore = {"driver": "file", "path": f"{folder}/a.zarr/"}
    spec = {"driver": "zarr3", "kvstore": kvstore}
    return pytest.importorskip("tensorstore").open(spec).result()


def opened_netcdf(folder: Path) -> xr.Dataset:
    """Return a lazy dataset of another format."""
    netcdf(folder).group().close()
    return xr.open_dataset(folder / "a.nc", chunks={})


class Wrapped:
    """An array that reads Zarr when it is sliced."""

    def __init__(self, array: Any) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __getitem__(self, region: Any) -> Any:
        return self.array[region]


SOURCES: dict[str, Callable[[Path], Any]] = {
    "path": lambda folder: stored(folder) and folder / "a.zarr",
    "array": stored,
    "array in memory": lambda _: zarr.create_array(
        MemoryStore(), data=NUMBERS, chunks=(4, 20)
    ),
    "array in a zip file": in_zip,
    "numpy": lambda _: NUMBERS,
    "dask of numpy": lambda _: da.from_array(NUMBERS, chunks=(4, 20)),
    "dask of Zarr": lambda folder: da.from_array(stored(folder)),
    "computed": lambda folder: da.from_array(stored(folder)) * 2 / 2,
    "wrapped": lambda folder: Wrapped(stored(folder)),
    "h5py": hdf5,
    "netCDF4": netcdf,
    "tensorstore": tensorstore,
    "dataset in memory": lambda _: xr.Dataset({"v": (("y", "x"), NUMBERS)}),
    "dataset of Zarr": dataset,
    "dataset, not chunked": lambda folder: dataset(folder, chunks=None),
    "dataset of NetCDF": opened_netcdf,
}
IN_PROCESS = ("threads", "python", "dask-synchronous", "dask-threads", "beam")
ELSEWHERE = ("dask-cluster",)
# What belongs to this process, and says so.
BOUND = ("array in memory", "h5py", "netCDF4")


def planned(
    request: pytest.FixtureRequest, source: Any, folder: Path, engine: str
) -> Callable[[], object]:
    """Plan a source; return what executes it on an engine."""
    made = rechunk(
        source,
        {"y": 12, "x": 5} if isinstance(source, xr.Dataset) else CHUNKS,
        "1MB",
        folder / "t.zarr",
        executor=engine.partition("-")[0],
    )
    if engine == "python":
        return made.execute
    return partial(request.getfixturevalue("run"), engine, made)


def assert_made(folder: Path) -> None:
    """Require the elements in the chunks that were asked for."""
    made = zarr.open(folder / "t.zarr", mode="r")
    made = made["v"] if isinstance(made, zarr.Group) else made
    assert made.chunks == CHUNKS
    assert_same_elements(made[...], NUMBERS)


@pytest.mark.parametrize("engine", [*IN_PROCESS, *ELSEWHERE])
@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_on_every_executor(
    tmp_path: Path, kind: str, engine: str, request: pytest.FixtureRequest
) -> None:
    """Within a minute, or with an error that says what is in the way."""
    source = SOURCES[kind](tmp_path)
    execute = planned(request, source, tmp_path, engine)
    if kind in BOUND and engine in (*ELSEWHERE, "beam"):
        with pytest.raises(Exception, match="threads"):
            execute()
        assert not (tmp_path / "t.zarr/zarr.json").exists()
        return
    execute()
    assert_made(tmp_path)


PERSISTED: dict[str, Callable[[Any, Any], Any]] = {
    "array": lambda array, client: client.persist(array),
    "computed on": lambda array, client: client.persist(array)[:, ::-1][
        :, ::-1
    ],
    "dataset": lambda array, client: client.persist(
        xr.Dataset({"v": (("y", "x"), array)})
    ),
    "future": lambda array, client: da.from_delayed(
        client.submit(lambda: NUMBERS), NUMBERS.shape, NUMBERS.dtype
    ),
}


@pytest.mark.parametrize("engine", ["threads", "python", "dask-cluster"])
@pytest.mark.parametrize("kind", PERSISTED)
def test_what_was_persisted_on_a_cluster(
    tmp_path: Path, kind: str, engine: str, request: pytest.FixtureRequest
) -> None:
    """Is fetched from where it lies, also by workers that are all busy."""
    array = da.from_array(NUMBERS, chunks=(1, 20))
    source = PERSISTED[kind](array, request.getfixturevalue("cluster"))
    planned(request, source, tmp_path, engine)()
    assert_made(tmp_path)
