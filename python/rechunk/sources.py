"""What can be rechunked, as places, documents and array sources."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rechunk.checks import check_folder
from rechunk.errors import InvalidArgumentError
from rechunk.stores import StoreAdapter, place_of

_DEFAULT_CHUNK_BYTES = 16 << 20


class ArrayLike:
    """Anything with shape, dtype and slicing, read region by region.

    Pickled with the array, so that workers can read it, if it can be.
    """

    def __init__(self, array: Any, any_regions: bool) -> None:
        self.array = array
        self.any_regions = any_regions

    def __reduce__(self) -> Any:
        return _array_like_of, (_pickled(self.array), self.any_regions)

    def read(
        self, start: Sequence[int], stop: Sequence[int], memory: memoryview
    ) -> None:
        """Fills `memory` with a region, in C order and the array's type."""
        region = tuple(slice(a, b) for a, b in zip(start, stop))
        part = self.array[region if region else ()]
        if hasattr(part, "compute"):  # Of dask; a scheduler runs us already.
            part = part.compute(scheduler="synchronous")
        shape = tuple(b - a for a, b in zip(start, stop))
        out = np.frombuffer(memory, dtype=self.array.dtype).reshape(shape)
        part = np.asarray(part)
        if part.shape != shape:
            raise ValueError(
                f"the array gave shape {part.shape} for a region of {shape}"
            )
        out[...] = part


def _pickled(array: Any) -> Any:
    """Bytes, so that what cannot be pickled is named; arrays of numpy as is."""
    if isinstance(array, np.ndarray):
        return array
    try:
        from cloudpickle import dumps
    except ImportError:
        from pickle import dumps
    try:
        return dumps(array)
    except Exception as error:
        raise InvalidArgumentError(
            f"sending the source, a {type(array).__qualname__}, to another "
            f"process: {error}",
            'executor="threads" reads it in this one',
        ) from error


def _array_like_of(pickled: Any, any_regions: bool) -> ArrayLike:
    if isinstance(pickled, bytes):
        pickled = pickle.loads(pickled)
    return ArrayLike(pickled, any_regions)


@dataclass
class Source:
    """A source in the core's terms, and what is known of it."""

    url: str = ""
    stores: dict[str, Any] = field(default_factory=dict)
    is_array: bool = False
    arrays: list[str] = field(default_factory=list)
    dimensions: list[str] = field(default_factory=list)
    # Of arrays that are not named, where they are not the source's.
    default_chunks: dict[str, tuple[int, ...]] = field(default_factory=dict)
    zarr_format: int = 0  # Of the target, if not asked for; 0: as the source.

    @classmethod
    def at(cls, place: str | StoreAdapter) -> Source:
        """A Zarr array or group at a place."""
        if isinstance(place, str):
            return cls(url=place)
        return cls(stores={"source": place})


def as_source(
    source: Any,
    encoding: Mapping[str, Any] | None = None,
    zarr_format: int | None = None,
) -> Source:
    """Finds out what `source` is; a dataset gets an encoding and a format.

    Raises InvalidArgumentError.
    """
    if isinstance(source, (str, os.PathLike)):
        path = os.fspath(source)
        check_folder(path, "source")
        return _hierarchy(Source.at(path))
    kind = (
        f"{type(source).__module__.partition('.')[0]}.{type(source).__name__}"
    )
    if kind in ("zarr.Array", "zarr.Group"):
        return _hierarchy(Source.at(place_of(source)))
    if kind == "xarray.Dataset":
        from rechunk.datasets import dataset_source

        return dataset_source(source, encoding, zarr_format)
    if kind == "xarray.DataArray":
        raise InvalidArgumentError(
            "source: an xarray DataArray",
            "make it a dataset: source.to_dataset(name=...)",
        )
    if all(hasattr(source, name) for name in ("shape", "dtype", "__getitem__")):
        return _array_like(source)
    raise InvalidArgumentError(
        f"source: an object of type {type(source).__qualname__}",
        "give a path, a zarr array or group, an xarray Dataset, a dask array, "
        "or anything with shape, dtype and slicing",
    )


def _hierarchy(source: Source) -> Source:
    """Names of arrays and dimensions, as the core reads them."""
    from rechunk import _core

    nodes = json.loads(_core.describe(source.url, source.stores))
    source.is_array = nodes["root_is_array"]
    source.arrays = [array["name"] for array in nodes["arrays"]]
    names = (name for array in nodes["arrays"] for name in array["dimensions"])
    source.dimensions = list(dict.fromkeys(name for name in names if name))
    return source


def _array_like(array: Any) -> Source:
    dtype = np.dtype(array.dtype)
    if dtype.hasobject:
        raise InvalidArgumentError(
            f"source: it holds elements of type {dtype}",
            "only types of a fixed size can be rechunked",
        )
    chunks = regular_chunks(array)
    document = {
        "zarr_format": 2,
        "shape": list(array.shape),
        "chunks": chunks or [max(1, length) for length in array.shape],
        "dtype": dtype.descr if dtype.fields else dtype.str,
        "compressor": {"id": "zstd", "level": 0, "checksum": False},
        "filters": None,
        "fill_value": None,
        "order": "C",
    }
    return Source(
        stores={
            "documents": {".zarray": json.dumps(document)},
            "array_sources": {"": ArrayLike(array, chunks is None)},
        },
        is_array=True,
        arrays=[""],
        zarr_format=3,
    )


def regular_chunks(array: Any) -> list[int] | None:
    """The chunks of an array-like; the longest where they are not regular.

    None for arrays in memory, which have none.
    """
    chunks = getattr(array, "chunks", None)
    if not chunks:
        return None
    return [
        max(1, length if isinstance(length, int) else max(length, default=1))
        for length in chunks
    ]
