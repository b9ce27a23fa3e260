"""What arrays of other libraries say of themselves: attributes, names, fill.

netCDF4 variables, datasets of h5py, TensorStore objects. Their libraries are
not imported here: who has such an array has them.
"""

from __future__ import annotations

import base64
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rechunk.errors import InvalidArgumentError

# HDF5 of netCDF4 must not be called by two threads.
_netcdf_lock = threading.Lock()


@dataclass
class Traits:
    """An array, and what is to be said of it in Zarr."""

    array: Any  # Sliced.
    dtype: Any
    shape: tuple[Any, ...]
    chunks: list[int] | None = None  # None: regions of any shape cost the same.
    attributes: dict[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    fill_value: Any = None
    left_out: list[str] = field(default_factory=list)  # Of the attributes.


def traits_of(array: Any) -> Traits:
    """By the library that the array comes from."""
    library = type(array).__module__.partition(".")[0]
    if library == "netCDF4":
        return _of_netcdf(array)
    if library == "h5py":
        return _of_hdf5(array)
    if library == "tensorstore":
        return _of_tensorstore(array)
    try:
        dtype = np.dtype(array.dtype)
    except TypeError as error:
        raise InvalidArgumentError(
            f"source: numpy has no type {array.dtype!r}"
        ) from error
    return Traits(array, dtype, array.shape, regular_chunks(array))


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


class RawVariable:
    """A netCDF4 variable as the file has it: no mask, no scale, no strings.

    Through a handle of its own: the settings of the caller's stay.
    """

    def __init__(self, variable: Any) -> None:
        handle = type(variable)(
            variable.group(),
            variable.name,
            variable.datatype,
            variable.get_dims(),
            id=variable._varid,
            endian=variable.endian(),
        )
        handle.set_auto_maskandscale(False)
        handle.set_auto_chartostring(False)
        self._handle = handle
        self.dtype = np.dtype(variable.dtype)
        self.shape = tuple(variable.shape)

    def __getitem__(self, region: Any) -> Any:
        with _netcdf_lock:
            return np.asarray(self._handle[region])


def _of_netcdf(variable: Any) -> Traits:
    if variable.dtype is str:
        raise InvalidArgumentError(
            "source: it holds strings of any length",
            "use xarray.open_dataset(...) as source: it can store them",
        )
    raw = RawVariable(variable)
    chunks = variable.chunking()
    attributes = {name: variable.getncattr(name) for name in variable.ncattrs()}
    return _with_mask(
        Traits(
            raw,
            raw.dtype,
            raw.shape,
            None if isinstance(chunks, str) or not chunks else list(chunks),
            attributes,
            tuple(variable.dimensions),
        )
    )


# What HDF5 and netCDF keep for themselves.
_OWN_NAMES = (
    *("CLASS", "NAME", "DIMENSION_LIST", "DIMENSION_LABELS", "REFERENCE_LIST"),
    *("_Netcdf4Dimid", "_Netcdf4Coordinates", "_nc3_strict", "_NCProperties"),
)
# The name of a netCDF dimension without a variable.
_NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable."


def _of_hdf5(dataset: Any) -> Traits:
    attributes = {
        name: value
        for name, value in dataset.attrs.items()
        if name not in _OWN_NAMES
    }
    names = tuple(_hdf5_name(dimension) for dimension in dataset.dims)
    fill = dataset.fillvalue
    return _with_mask(
        Traits(
            dataset,
            dataset.dtype,
            dataset.shape,
            regular_chunks(dataset),
            attributes,
            names,
            fill if dataset.dtype.kind in "biufc" else None,
        )
    )


def _hdf5_name(dimension: Any) -> str:
    if dimension.label:
        return str(dimension.label)
    for scale in dimension.values():
        return str(scale.name).rpartition("/")[2]
    return ""


def _of_tensorstore(array: Any) -> Traits:
    import tensorstore as ts

    chunks = array.chunk_layout.read_chunk.shape
    regular = chunks is not None and all(chunks)
    return Traits(
        _FromZero(array[ts.d[:].translate_to[0]] if array.ndim else array),
        array.dtype.numpy_dtype,
        tuple(array.shape),
        [int(length) for length in chunks] if regular else None,
        names=tuple(array.domain.labels),
        fill_value=array.fill_value
        if array.dtype.numpy_dtype.kind in "biufc"
        else None,
    )


class _FromZero:
    """A TensorStore object whose slices are read at once."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self.shape = tuple(array.shape)
        self.dtype = array.dtype.numpy_dtype

    def __getitem__(self, region: Any) -> Any:
        return self.array[region].read().result()


def _with_mask(traits: Traits) -> Traits:
    """Attributes as JSON has them; `_FillValue` as xarray writes it."""
    fill = traits.attributes.pop("_FillValue", None)
    plain = {
        name: plain_attribute(value)
        for name, value in traits.attributes.items()
    }
    traits.left_out = [name for name, value in plain.items() if value is None]
    traits.attributes = {
        name: value for name, value in plain.items() if value is not None
    }
    if fill is None:
        return traits
    if traits.dtype.kind not in "biuf":
        traits.left_out.append("_FillValue")  # xarray refuses it for text.
        return traits
    element = np.asarray(fill).reshape(-1)[0]
    traits.fill_value = element
    traits.attributes["_FillValue"] = (
        base64.standard_b64encode(struct.pack("<d", float(element))).decode()
        if traits.dtype.kind == "f"
        else int(element)
    )
    return traits


def plain_attribute(value: Any) -> Any:
    """An attribute as JSON has it; None for what it cannot have."""
    if isinstance(value, np.ndarray):
        value = value.tolist() if value.size != 1 else value.reshape(-1)[0]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (list, tuple)):
        items = [plain_attribute(item) for item in value]
        return None if None in items else items
    if isinstance(value, Mapping):
        return {str(key): plain_attribute(item) for key, item in value.items()}
    return value if isinstance(value, (str, int, float, bool)) else None
