"""What executors are compared on: sources, and what is to become of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from rechunk import Rechunked, RechunkError, rechunk

Options = dict[str, Any]
NAN_FILL = {"fill_value": np.nan}


def random_elements(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Random bits: NaNs of all kinds, and both zeros, are among them."""
    rng = np.random.default_rng([*shape, 7])
    dtype = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    return rng.integers(0, 256, size, np.uint8).view(dtype).reshape(shape)


def _array(
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
    dtype: str,
    part: float = 1.0,
    **options: Any,
) -> Callable[[Path], Path]:
    """Return what writes an array of which a part has elements."""

    def write(path: Path) -> Path:
        array = zarr.create_array(
            path, shape=shape, chunks=chunks, dtype=dtype, **options
        )
        array.attrs["units"] = "K"
        array.attrs["valid_range"] = [-1.5, 1e30]
        filled = int(part * shape[0]) if shape else None
        region = (slice(0, filled),) if shape else ()
        extent = (filled, *shape[1:]) if shape else ()
        array[region] = random_elements(extent, dtype)
        return path

    return write


def _group(path: Path) -> Path:
    root = zarr.create_group(path, attributes={"title": "random"})
    layouts = {
        "air": ((180, 62, 48), (1, 62, 48), ["time", "lat", "lon"]),
        "deep/sea": ((90, 62), (7, 62), ["time", "lat"]),
        "kept": ((17, 13), (4, 5), ["x", "y"]),
        "time": ((90,), (1,), ["time"]),
        "lat": ((62,), (62,), ["lat"]),
        "lon": ((48,), (5,), ["lon"]),
    }
    for name, (shape, chunks, names) in layouts.items():
        array = root.create_array(
            name,
            shape=shape,
            chunks=chunks,
            dtype="f8",
            dimension_names=names,
            attributes={"long_name": name},
        )
        rng = np.random.default_rng(len(name))
        array[...] = rng.normal(size=shape)
    return path


def _many_arrays(path: Path) -> Path:
    """Return a group of more small arrays than are worth a step each."""
    root = zarr.create_group(path)
    for number in range(70):
        root.create_array(
            f"a{number}",
            data=random_elements((5 + number % 4, 3), "f4"),
            chunks=(2, 3),
            dimension_names=["x", "y"],
        )
    return path


def _of_numpy(path: Path) -> np.ndarray:
    return random_elements((37, 53, 11), ">u4")


def _of_dask(path: Path) -> Any:
    import dask.array

    elements = random_elements((61, 47), "i4")
    return dask.array.from_array(elements, chunks=((20, 20, 20, 1), (47,))) + 1


def _dataset(path: Path) -> Any:
    import xarray as xr

    rng = np.random.default_rng(6)
    dataset = xr.Dataset(
        {
            "air": (("time", "x"), rng.integers(0, 900, (60, 31)) / 4 + 200),
            "flag": (("x",), rng.random(31) < 0.5),
        },
        {"time": np.datetime64("2001-01-01", "ns") + np.arange(60) * 10**13},
        {"title": "random"},
    )
    dataset["air"].encoding = {
        "dtype": "i2",
        "scale_factor": 0.25,
        "add_offset": 300.0,
        "_FillValue": -32768,
    }
    return dataset.chunk({"time": 7})


@dataclass(frozen=True)
class Workload:
    """A source, keywords of `rechunk`, and how it must be planned.

    `stages`: of the first array; its budget is looked for. `method`: of the
    first array, too.
    """

    make: Callable[[Path], Any]
    target_chunks: Any
    stages: int = 1
    method: str = "direct"
    options: Options = field(default_factory=dict)


TIMES = {"dtype": "M8[10s]", "fill_value": np.datetime64("NaT", "s")}
WORKLOADS = {
    "1-d coprime": Workload(_array((20003,), (101,), "i8"), (97,)),
    "2-d v2 in three stages": Workload(
        _array((300, 257), (1, 257), "f8", zarr_format=2, compressors=None),
        (300, 1),
        3,
        "staged",
    ),
    "2-d v2 codecs": Workload(
        _array((120, 77), (7, 77), ">f4", zarr_format=2, order="F"), (11, 13)
    ),
    "3-d staged": Workload(
        _array((300, 31, 29), (1, 31, 29), "f8", compressors=None),
        (300, 5, 4),
        2,
        "staged",
    ),
    "3-d staged codecs": Workload(
        _array((300, 31, 29), (7, 31, 29), "f8", 0.8, **NAN_FILL),
        (300, 5, 4),
        2,
        "staged",
    ),
    "4-d shards": Workload(
        _array((25, 18, 11, 12), (5, 3, 11, 4), "f4", shards=(10, 9, 11, 8)),
        (4, 9, 5, 12),
        options={"shards": (12, 18, 10, 12), "codec": "zstd:3"},
    ),
    "shards in two stages": Workload(
        _array((200, 60, 50), (2, 60, 50), "f4", shards=(20, 60, 50)),
        (200, 4, 5),
        2,
        "staged",
        {"shards": (200, 20, 25)},
    ),
    "5-d": Workload(
        _array((20, 13, 9, 7, 6), (3, 13, 9, 7, 5), "i2"), (20, 5, 4, 3, 2)
    ),
    "passthrough": Workload(
        _array((50, 41), (7, 41), "f4", 0.5), (7, 41), method="passthrough"
    ),
    "v2 to v3": Workload(
        _array((64, 45), (5, 45), ">i4", 0.4, zarr_format=2, fill_value=-9),
        (64, 2),
        options={"zarr_format": 3, "codec": "blosc:lz4:5"},
    ),
    "v3 to v2": Workload(
        _array((64, 45), (5, 45), "f4", 0.6, fill_value=1.5),
        {0: 13, 1: -1},
        options={"zarr_format": 2, "write_empty_chunks": True},
    ),
    "times": Workload(_array((71, 9), (8, 9), **TIMES), (71, 2)),
    "empty": Workload(_array((0, 9), (8, 9), "f4"), (7, 2)),
    "scalar": Workload(_array((), (), "f8"), (), options={"codec": "gzip:1"}),
    "group": Workload(
        _group,
        {"air": (180, 3, 4), "deep/sea": (90, 4), "time": (90,)},
        2,
        "staged",
        {"consolidate": True, "verify": True},
    ),
    "many arrays": Workload(_many_arrays, {"x": 3}),
    "numpy": Workload(_of_numpy, (10, 53, 3)),
    "dask": Workload(_of_dask, (61, 5)),
    "dataset": Workload(_dataset, {"time": 60, "x": 4}),
}
# For engines that take their time; still of every kind.
FEW = [
    "2-d v2 in three stages",
    "3-d staged codecs",
    "4-d shards",
    "passthrough",
    "v2 to v3",
    "group",
    "dask",
    "dataset",
]


@dataclass(frozen=True)
class Made:
    """A workload with its source, its budget, and the reference's result."""

    workload: Workload
    source: Any
    max_mem: int
    reference: Path

    def plan(self, target: Any, executor: Any, **keywords: Any) -> Rechunked:
        """Plan it for a target and an executor."""
        work = self.workload
        options = {**work.options, **keywords}
        return rechunk(
            self.source,
            work.target_chunks,
            self.max_mem,
            target,
            executor=executor,
            threads=2,
            **options,
        )


def made_workload(name: str, folder: Path) -> Made:
    """Write the source, find the budget, let the reference rechunk it."""
    work = WORKLOADS[name]
    folder.mkdir()
    source = work.make(folder / "source")
    reference = folder / "target"
    found = Made(work, source, _budget(work, source, reference), reference)
    rechunked = found.plan(reference, "python")
    array = rechunked.describe()["arrays"][0]
    assert (array["method"], len(array["stages"])) == (work.method, work.stages)
    rechunked.execute()
    return found


def _budget(work: Workload, source: Any, target: Path) -> int:
    """Return the largest of some budgets that gives the stages wanted."""
    budget = 1 << 28
    while True:
        try:
            array = (
                Made(work, source, budget, target)
                .plan(target, "python")
                .describe()["arrays"][0]
            )
        except RechunkError as error:
            raise AssertionError(f"no plan of {work.stages} stages") from error
        if len(array["stages"]) == work.stages:
            return budget
        budget = budget * 7 // 8


def clear(path: Path) -> None:
    """Remove what stands there."""
    shutil.rmtree(path, ignore_errors=True)
