"""What can be rechunked, as places, documents and array sources."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED

from rechunk.array_likes import as_array_like, is_array_like, refuse_container
from rechunk.checks import local_path
from rechunk.errors import InvalidArgumentError, RechunkError
from rechunk.futures import wait_for
from rechunk.source import Source, kind_of
from rechunk.stores import place_of


def as_source(
    source: Any,
    encoding: Mapping[str, Any] | None = None,
    zarr_format: int | None = None,
    below: Sequence[str] = (),
    storage: Mapping[str, Mapping[str, str]] | None = None,
) -> Source:
    """Finds out what `source` is; a dataset gets an encoding and a format,
    a file of references the places that it may name.

    Raises InvalidArgumentError.
    """
    if isinstance(source, (str, os.PathLike)):
        place = local_path(os.fspath(source), "source")
        return _hierarchy(Source.at(place), below, storage)
    kind = kind_of(source)
    if kind in ("zarr.Array", "zarr.Group"):
        return _native_zip(source) or _hierarchy(Source.at(place_of(source)))
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


def waited(source: Source) -> Source:
    """Once a cluster has computed what the source needs of it."""
    for like in source.stores["array_sources"].values():
        wait_for(like.futures)
    return source


# Larger ones that are deflated can only be read from their beginning.
_MOST_DEFLATED = 64 << 20


def _native_zip(node: Any) -> Source | None:
    """A node of an archive that the core can read itself, which is faster.

    None for other nodes: of other stores, of archives that are still written,
    are no longer where they were, or are packed in other ways.
    """
    store = node.store_path.store
    if type(store).__name__ != "ZipStore" or not store.read_only:
        return None
    path = os.path.abspath(store.path)
    try:
        opened, there = os.fstat(store._zf.fp.fileno()), os.stat(path)
    except (AttributeError, OSError, ValueError):
        return None
    if not os.path.samestat(opened, there) or any(
        entry.flag_bits & 1
        or entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED)
        or (
            entry.compress_type != ZIP_STORED
            and entry.file_size > _MOST_DEFLATED
        )
        for entry in store._zf.infolist()
    ):
        return None
    try:
        return _hierarchy(Source.at(os.path.join(path, node.path)))
    except RechunkError:
        return None  # It has another name than archives have.


def _hierarchy(
    source: Source,
    below: Sequence[str] = (),
    storage: Mapping[str, Mapping[str, str]] | None = None,
) -> Source:
    """Names of arrays and dimensions, as the core reads them."""
    from rechunk import _core

    stores = {**source.stores, "storage": storage or {}}
    nodes = json.loads(_core.describe(source.url, stores, list(below)))
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
