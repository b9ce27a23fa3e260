"""What can be rechunked, as places, documents and array sources."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rechunk.array_likes import as_array_like, is_array_like, refuse_container
from rechunk.checks import local_path
from rechunk.errors import InvalidArgumentError
from rechunk.futures import wait_for
from rechunk.stores import StoreAdapter, place_of


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
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    is_dataset: bool = False  # Of xarray.
    left_out: list[str] = field(default_factory=list)  # Attributes.

    @property
    def is_stored(self) -> bool:
        """True for Zarr data, which is read without Python's help."""
        return "array_sources" not in self.stores

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
        return _hierarchy(Source.at(local_path(os.fspath(source), "source")))
    kind = kind_of(source)
    if kind in ("zarr.Array", "zarr.Group"):
        return _hierarchy(Source.at(place_of(source)))
    if kind == "xarray.Dataset":
        from rechunk.datasets import dataset_source

        return waited(dataset_source(source, encoding, zarr_format))
    refuse_container(source)
    if is_array_like(source):
        return waited(_array_like(source))
    raise InvalidArgumentError(
        f"source: an object of type {type(source).__qualname__}",
        "give a path, a zarr array or group, an xarray Dataset, a dask array, "
        "or anything with shape, dtype and slicing",
    )


def kind_of(source: Any) -> str:
    """Library and class, such as "xarray.Dataset": others have a Dataset."""
    kind = type(source)
    return f"{kind.__module__.partition('.')[0]}.{kind.__name__}"


def waited(source: Source) -> Source:
    """Once a cluster has computed what the source needs of it."""
    for like in source.stores["array_sources"].values():
        wait_for(like.futures)
    return source


def _hierarchy(source: Source) -> Source:
    """Names of arrays and dimensions, as the core reads them."""
    from rechunk import _core

    nodes = json.loads(_core.describe(source.url, source.stores))
    source.is_array = nodes["root_is_array"]
    source.arrays = [array["name"] for array in nodes["arrays"]]
    source.arrays += nodes["unread"]  # The core says why it cannot read them.
    for array in nodes["arrays"]:
        source.shapes[array["name"]] = tuple(array["shape"])
    names = (name for array in nodes["arrays"] for name in array["dimensions"])
    source.dimensions = list(dict.fromkeys(name for name in names if name))
    return source


def _array_like(array: Any) -> Source:
    like, document, left_out = as_array_like(array)
    names = json.loads(document).get("dimension_names") or ()
    return Source(
        stores={
            "documents": {"zarr.json": document},
            "array_sources": {"": like},
        },
        is_array=True,
        arrays=[""],
        dimensions=[name for name in names if name],
        shapes={"": like.shape},
        left_out=left_out,
    )
