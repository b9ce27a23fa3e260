"""xarray datasets as sources: xarray encodes, lazily, and writes the metadata
documents; rechunk reads the encoded arrays. Needs xarray, zarr and dask.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
import zarr
from xarray.backends import ZarrStore
from xarray.conventions import encode_dataset_coordinates
from zarr.storage import MemoryStore

from rechunk.errors import InvalidArgumentError
from rechunk.sources import ArrayLike, Source, regular_chunks
from rechunk.stores import StoreAdapter, store_at

_DOCUMENTS = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")


class _EncodedStore(MemoryStore):
    """Documents, and strings; other processes get a copy."""

    def __reduce__(self) -> Any:
        return _EncodedStore, (self._store_dict,)


class _Writer:
    """What xarray gives its encoded arrays to: keeps them for later."""

    def __init__(self) -> None:
        self.sources: dict[str, Any] = {}

    def add(self, source: Any, target: Any, region: Any = None) -> None:
        """Called by xarray for every variable."""
        if np.dtype(source.dtype).hasobject:
            # Strings of any length: encoded now, and moved as they are.
            target[...] = np.asarray(source)
        else:
            self.sources[target.path.strip("/")] = source


def dataset_source(
    dataset: xr.Dataset,
    encoding: Mapping[str, Any] | None = None,
    zarr_format: int | None = None,
) -> Source:
    """The dataset as `to_zarr(encoding=...)` would write it."""
    encoding = dict(encoding or {})
    _check_encoding(dataset, encoding)
    documents: dict[str, Any] = {}
    store = _EncodedStore(documents)
    group = ZarrStore.open_group(
        store,
        mode="w",
        zarr_format=zarr_format or _format_of(dataset),
        consolidate_on_close=True,
        safe_chunks=False,
    )
    variables, attributes = encode_dataset_coordinates(dataset)
    writer = _Writer()
    group.store(
        {
            name: _prepared(variable, encoding.get(name, {}))
            for name, variable in variables.items()
        },
        attributes,
        check_encoding_set=set(encoding),
        writer=writer,
    )
    sources = {
        name: ArrayLike(source, regular_chunks(source) is None)
        for name, source in writer.sources.items()
    }
    return Source(
        stores={
            "source": StoreAdapter(store),
            "documents": {
                key: value.to_bytes().decode()
                for key, value in documents.items()
                if key.rpartition("/")[2] in _DOCUMENTS
            },
            "array_sources": sources,
        },
        arrays=[str(name) for name in variables],
        dimensions=[str(name) for name in dataset.dims],
        default_chunks={
            str(name): tuple(variable.encoding["chunks"])
            for name, variable in dataset.variables.items()
            if variable.encoding.get("chunks")
        },
    )


# How values are packed, which must be as in the target.
_PACKING = (
    "units",
    "calendar",
    "dtype",
    "scale_factor",
    "add_offset",
    "_FillValue",
    "missing_value",
    "_Unsigned",
)


def dataset_like(dataset: xr.Dataset, place: str | StoreAdapter) -> Source:
    """The dataset, packed as the variables of a group that exists.

    Dimensions that both have are brought into the group's order.
    """
    store, path = store_at(place)
    packed = dataset.copy()
    with xr.open_zarr(
        store, group=path or None, chunks=None, consolidated=False
    ) as existing:
        for name, own in existing.variables.items():
            if name in packed and set(packed[name].dims) == set(own.dims):
                packed[name] = packed[name].transpose(*own.dims)
        for name, variable in packed.variables.items():
            kept = {
                key: value
                for key, value in variable.encoding.items()
                if key not in _PACKING
            }
            if name in existing.variables:
                own = existing.variables[name].encoding
                kept |= {key: own[key] for key in _PACKING if key in own}
            variable.encoding = kept
    group = zarr.open_group(store, path=path, mode="r")
    return dataset_source(packed, zarr_format=group.metadata.zarr_format)


def _check_encoding(dataset: xr.Dataset, encoding: Mapping[str, Any]) -> None:
    for name, own in encoding.items():
        if name not in dataset.variables:
            raise InvalidArgumentError(
                f"target_options: the dataset has no variable {name!r}",
                f"it has {', '.join(map(str, dataset.variables))}",
            )
        if "chunks" in own:
            raise InvalidArgumentError(
                f"target_options of {name!r}: it has chunks",
                "chunks belong into target_chunks",
            )


def _format_of(dataset: xr.Dataset) -> int:
    """2 where codecs of the variables are those of Zarr v2, else 3."""
    from numcodecs.abc import Codec

    for variable in dataset.variables.values():
        codecs = variable.encoding.get("compressors") or ()
        codecs = codecs if isinstance(codecs, (tuple, list)) else (codecs,)
        old = variable.encoding.get("compressor")
        if any(isinstance(codec, Codec) for codec in (*codecs, old)):
            return 2
    return 3


def _prepared(
    variable: xr.Variable, encoding: Mapping[str, Any]
) -> xr.Variable:
    """Lazy, in regular chunks, and with the encoding that is asked for."""
    own = dict(variable.encoding)
    if not variable._in_memory and variable.chunks is None:
        known = own.get("preferred_chunks") or dict(
            zip(variable.dims, own.get("chunks") or ())
        )
        variable = variable.chunk(known or "auto")
    variable = variable.copy(deep=False)
    chunks = regular_chunks(variable) if variable.chunks else None
    if chunks:
        own["chunks"] = tuple(chunks)
    variable.encoding = {**own, **encoding}
    return variable
