"""Array-likes as sources: anything with shape, dtype and slicing.

Each slice must be what the array says: a slice of another type, with a mask or
a unit would become wrong numbers without a word, so it is refused.
"""

from __future__ import annotations

import json
import pickle
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from rechunk import _core
from rechunk.errors import InvalidArgumentError
from rechunk.foreign_arrays import Traits, traits_of
from rechunk.futures import compute
from rechunk.lazy import futures_in


class ArrayLike:
    """An array that is read region by region, and sliced by executors.

    Pickled with the array, so that workers can read it, if it can be.
    """

    def __init__(
        self, array: Any, any_regions: bool, dtype: Any = None
    ) -> None:
        self.array = array
        self.any_regions = any_regions
        self.shape = tuple(map(int, array.shape))
        self.ndim = len(self.shape)
        self.dtype = np.dtype(array.dtype if dtype is None else dtype)
        self.futures = futures_in(array) if is_dask(array) else []

    def __reduce__(self) -> Any:
        return (
            _array_like_of,
            (_pickled(self.array), self.any_regions, self.dtype),
        )

    def __getitem__(self, region: Any) -> Any:
        """The elements, computed, as numpy has them."""
        part = self.array[region if region else ()]
        if is_dask(part):
            part = compute(part, self.futures)
        return plain_elements(part, self.dtype)

    def read(
        self, start: Sequence[int], stop: Sequence[int], memory: memoryview
    ) -> None:
        """Fills `memory` with a region, in C order and the array's type."""
        region = tuple(slice(a, b) for a, b in zip(start, stop))
        shape = tuple(b - a for a, b in zip(start, stop))
        part = self[region]
        if part.shape != shape and not (shape == () and part.size == 1):
            raise InvalidArgumentError(
                f"source: it gave shape {part.shape} for a region of {shape}"
            )
        out = np.frombuffer(memory, dtype=self.dtype).reshape(shape)
        out[...] = part.reshape(shape)


def is_dask(array: Any) -> bool:
    """True for collections of dask."""
    base = sys.modules.get("dask.base")
    return base is not None and base.is_dask_collection(array)


def plain_elements(part: Any, dtype: Any) -> Any:
    """A slice as numpy has it. Raises InvalidArgumentError if that loses."""
    _check_kind(part)
    with warnings.catch_warnings():
        # Libraries only warn if, for example, a unit is lost. Here that is an
        # error.
        warnings.simplefilter("error")
        try:
            elements = np.asarray(part)
        except Exception as error:
            raise InvalidArgumentError(
                f"source: its slices, of type {_name(part)}, are not numpy "
                f"arrays: {error}",
                "give an array whose slices are numpy arrays",
            ) from error
    if not np.can_cast(elements.dtype, dtype, "equiv"):
        raise InvalidArgumentError(
            f"source: its dtype is {dtype}, but its slices are "
            f"{elements.dtype}",
            "turn off the conversion, or give an array whose dtype is "
            f"{elements.dtype}",
        )
    return elements


def _check_kind(part: Any) -> None:
    if isinstance(part, np.ma.MaskedArray):
        raise InvalidArgumentError(
            "source: its slices have masks, but Zarr has no masks",
            "give source.filled(value), and add the value to the target's "
            "attributes as _FillValue",
        )
    if hasattr(part, "magnitude") and hasattr(part, "units"):
        raise InvalidArgumentError(
            f"source: its slices have the unit {part.units}, but Zarr has no "
            "units",
            "give source.magnitude, and the unit as an attribute of the target",
        )
    if hasattr(part, "todense"):
        raise InvalidArgumentError(
            f"source: its slices are sparse ({_name(part)})",
            "give source.todense(), or with dask "
            "source.map_blocks(lambda block: block.todense())",
        )


def _name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def check_slices(array: Any, dtype: Any) -> None:
    """Refuses what its slices would show, before anything is read."""
    _check_kind(array)
    if is_dask(array):
        # An empty array of the type that the chunks have.
        part = getattr(array, "_meta", None)
    else:
        try:
            part = array[(slice(0, 0),) * len(array.shape)]
        except Exception:
            return  # Not every array has empty slices.
    if part is not None:
        plain_elements(part, dtype)


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


def _array_like_of(pickled: Any, any_regions: bool, dtype: Any) -> ArrayLike:
    if isinstance(pickled, bytes):
        pickled = pickle.loads(pickled)
    return ArrayLike(pickled, any_regions, dtype)


def as_array_like(array: Any) -> tuple[ArrayLike, str, list[str]]:
    """The array, a `zarr.json` that says what it is, and names of attributes
    that Zarr cannot have.

    Raises InvalidArgumentError.
    """
    traits = traits_of(array)
    dtype = traits.dtype
    if dtype.hasobject:
        raise InvalidArgumentError(
            f"source: it holds elements of type {dtype}",
            "only types of a fixed size can be rechunked",
        )
    if any(length != length for length in traits.shape):
        raise InvalidArgumentError(
            f"source: its shape {tuple(traits.shape)} is not known",
            "source.compute_chunk_sizes() finds it out",
        )
    check_slices(traits.array, dtype)
    like = ArrayLike(traits.array, traits.chunks is None, dtype)
    return like, _document(traits), traits.left_out


def _document(traits: Traits) -> str:
    dtype = traits.dtype
    known = dtype.fields or _has_code(dtype)
    shape = [int(length) for length in traits.shape]
    old = {
        "zarr_format": 2,
        "shape": shape,
        "chunks": traits.chunks or [max(1, length) for length in shape],
        # A type without a code gets a stand-in of its size. It is replaced
        # below.
        "dtype": (dtype.descr if dtype.fields else dtype.str)
        if known
        else np.dtype(f"u{dtype.itemsize}").str,
        "compressor": {"id": "zstd", "level": 0, "checksum": False},
        "filters": None,
        "fill_value": None,
        "order": "C",
    }
    document = json.loads(_core.document_v3(json.dumps(old)))
    if not known:  # What numpy has no code for: bfloat16, int4, ...
        document["data_type"] = dtype.name
    document["attributes"] = {**document.get("attributes", {})} | (
        traits.attributes
    )
    if any(traits.names):
        document["dimension_names"] = [name or None for name in traits.names]
    if traits.fill_value is not None:
        document["fill_value"] = _fill_json(traits.fill_value, dtype)
    return json.dumps(document)


def _has_code(dtype: Any) -> bool:
    """False for types of packages such as ml_dtypes."""
    try:
        return bool(np.dtype(dtype.str) == dtype)
    except TypeError:
        return False


def _fill_json(value: Any, dtype: Any) -> Any:
    """A number as `zarr.json` has it."""
    element = np.asarray(value).astype(dtype)
    if dtype.kind == "f" and not np.isfinite(element):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[
            str(float(element))
        ]
    return element.item()


def is_array_like(source: Any) -> bool:
    """True for what has shape, dtype and slicing."""
    return all(
        hasattr(source, name) for name in ("shape", "dtype", "__getitem__")
    )


_CONTAINERS = {
    "xarray.DataArray": "make it a dataset: source.to_dataset(name=...)",
    "xarray.Variable": "make it a dataset: xarray.Dataset({name: source})",
    "xarray.DataTree": "rechunk its datasets one by one, or the store it is in",
    "pandas.DataFrame": "give source.to_xarray(), or source.to_numpy()",
    "pandas.Series": "give source.to_numpy(), or source.to_xarray() as dataset",
    "zarr.AsyncArray": "give a zarr.Array",
    "zarr.AsyncGroup": "give a zarr.Group",
    "netCDF4.Dataset": "give xarray.open_dataset(...), or one of its variables",
    "h5py.File": "give one of its datasets, or xarray.open_dataset(...)",
    "h5py.Group": "give one of its datasets, or xarray.open_dataset(...)",
}


def refuse_container(source: Any) -> None:
    """Raises InvalidArgumentError for what holds arrays or says more."""
    for kind in type(source).__mro__:
        name = f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
        if name in _CONTAINERS:
            module, _, short = name.partition(".")
            raise InvalidArgumentError(
                f"source: a {short} of {module}", _CONTAINERS[name]
            )
