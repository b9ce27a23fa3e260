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

from rechunk.array_likes import ArrayLike, check_slices
from rechunk.documents import DOCUMENTS
from rechunk.errors import InvalidArgumentError, UnsupportedError
from rechunk.foreign_arrays import regular_chunks
from rechunk.source import Source
from rechunk.stores import StoreAdapter, store_at


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
    variables, attributes = encode_dataset_coordinates(dataset)
    prepared = {
        name: _prepared(variable, encoding.get(name, {}))
        for name, variable in variables.items()
    }
    # The core converts what is encoded for the other format.
    group = ZarrStore.open_group(
        store,
        mode="w",
        zarr_format=_format_of(prepared) or zarr_format or 3,
        consolidate_on_close=True,
        safe_chunks=False,
    )
    writer = _Writer()
    try:
        group.store(
            prepared,
            attributes,
            check_encoding_set=set(encoding),
            writer=writer,
        )
    except (NotImplementedError, TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"source: xarray cannot encode the dataset for Zarr: {error}",
            "target_options is its encoding; drop_encoding() removes that of "
            "the variables",
        ) from error
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
                if key.rpartition("/")[2] in DOCUMENTS
            },
            "array_sources": sources,
        },
        arrays=[str(name) for name in variables],
        dimensions=[str(name) for name in dataset.dims],
        shapes={str(name): var.shape for name, var in variables.items()},
        is_dataset=True,
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
                "give chunks in target_chunks",
            )


_OF_CODECS = ("compressors", "compressor", "filters", "serializer")


def _codecs_of(variable: xr.Variable) -> list[Any]:
    found: list[Any] = []
    for key in _OF_CODECS:
        own = variable.encoding.get(key)
        found += own if isinstance(own, (tuple, list)) else [own]
    return [codec for codec in found if codec is not None]


def _format_of(variables: Mapping[Any, xr.Variable]) -> int:
    """The format that codecs of the variables are for; 0 without any."""
    from numcodecs.abc import Codec

    formats: dict[int, Any] = {}
    for name, variable in variables.items():
        for codec in _codecs_of(variable):
            formats.setdefault(2 if isinstance(codec, Codec) else 3, name)
    if len(formats) == 2:
        raise InvalidArgumentError(
            f"source: variable {formats[2]!r} has codecs of Zarr v2, "
            f"{formats[3]!r} of v3",
            "drop_encoding() removes them",
        )
    return next(iter(formats), 0)


def _prepared(
    variable: xr.Variable, encoding: Mapping[str, Any]
) -> xr.Variable:
    """Lazy, in regular chunks, and with the encoding that is asked for."""
    own = dict(variable.encoding)
    if variable.chunks:
        check_slices(variable.data, variable.dtype)  # Encoding hides it.
    if not variable._in_memory and variable.chunks is None:
        known = own.get("preferred_chunks") or dict(
            zip(variable.dims, own.get("chunks") or ())
        )
        variable = variable.chunk(known or "auto")
    variable = variable.copy(deep=False)
    chunks = regular_chunks(variable) if variable.chunks else None
    if chunks:
        own["chunks"] = tuple(chunks)
    elif not own.get("chunks") and all(variable.shape):
        own["chunks"] = variable.shape  # Whole, not as zarr would cut it.
    variable.encoding = {**own, **encoding}
    _check_filters(variable)
    return variable


def _check_filters(variable: xr.Variable) -> None:
    """Filters of strings are applied here; others the core does not know."""
    for codec in variable.encoding.get("filters") or ():
        name = getattr(codec, "codec_id", getattr(codec, "codec_name", ""))
        if name and not variable.dtype.kind == "O" and "vlen" not in name:
            raise UnsupportedError(
                f"source: a variable has the filter {name}, which rechunk "
                "cannot apply yet",
                "target_options={name: {'filters': None}} leaves it out",
            )
