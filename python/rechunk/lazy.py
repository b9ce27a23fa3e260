"""What an object reads when it is sliced: arrays, stores and paths in it.

A dask array, a lazy dataset or a wrapper hides where its elements lie. They
are found by looking through what it holds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from rechunk.stores import StoreAdapter, place_in

_PLAIN = (
    *(int, float, complex, bool, type(None), bytes, slice, range),
    *(np.dtype, np.generic, type, ModuleType, BuiltinFunctionType),
)


@dataclass(frozen=True)
class Found:
    """A place that an object reads.

    `exact`: an array or a group lies there. Else it is a text that may be a
    path, or the root of a store of which a part is read.
    """

    place: str | StoreAdapter
    exact: bool


def is_future(item: Any) -> bool:
    """True for a Future of `distributed`."""
    return _is_a(item, "distributed", "Future")


def futures_in(source: Any) -> list[Any]:
    """Results on a Dask cluster that the object needs."""
    if "distributed" not in sys.modules:
        return []
    return [item for item in _parts(source) if is_future(item)]


def places_read(source: Any) -> Iterator[Found]:
    """The places that the object reads; those that can be found."""
    for item in _parts(source):
        if isinstance(item, (str, os.PathLike)):
            text = os.fspath(item)
            # Other words are more often names than paths.
            if isinstance(text, str) and ("/" in text or "." in text):
                yield Found(text, exact=False)
        elif _is_a(item, "zarr.storage", "StorePath"):
            yield Found(place_in(item.store, item.path), exact=True)
        elif _is_a(item, "zarr.abc.store", "Store"):
            yield Found(place_in(item), exact=False)


def _is_a(item: Any, module: str, name: str) -> bool:
    """True for instances of a class of a package that may be missing."""
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(item, kind)


def _parts(root: Any) -> Iterator[Any]:
    """Everything that the object holds, at any depth, itself included."""
    stack = [root]
    # Kept, so that no other object gets the id of one that was seen.
    seen: dict[int, Any] = {}
    texts: set[str] = set()
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            if item not in texts:
                texts.add(item)
                yield item
            continue
        if isinstance(item, _PLAIN) or id(item) in seen:
            continue
        seen[id(item)] = item
        yield item
        # What these hold belongs to a client or a store, and not to the source.
        if is_future(item) or _is_a(item, "zarr.storage", "StorePath"):
            continue
        stack.extend(_members(item))


def _members(item: Any) -> Iterable[Any]:
    """What the object holds, without computing anything."""
    if isinstance(item, np.ndarray):
        return item.flat if item.dtype.hasobject else ()
    if isinstance(item, dict):
        return item.values()
    if isinstance(item, (list, tuple, set, frozenset)):
        return item
    if isinstance(item, MethodType):
        return (item.__self__,)
    if isinstance(item, FunctionType):
        return (
            *(_content(cell) for cell in item.__closure__ or ()),
            *(item.__defaults__ or ()),
        )
    if type(item).__module__.startswith("tensorstore"):
        return (_tensorstore_spec(item),)
    held = [*_attributes(item)]
    if hasattr(type(item), "__dask_graph__"):
        held.append(item.__dask_graph__())
    # Layers of dask are Mappings that make their tasks when they are asked.
    elif isinstance(item, Mapping) and not held:
        held.extend(item.values())
    return held


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # Not filled yet.
        return None


def _tensorstore_spec(item: Any) -> Any:
    try:
        return item.spec().to_json()
    except (AttributeError, ValueError, NotImplementedError):
        return None


def _attributes(item: Any) -> Iterator[Any]:
    """Of its dict and slots, and what wrappers call the wrapped.

    Past `__getattr__`, which may make up anything.
    """
    names = {"__dict__", "__wrapped__", "func", "args", "keywords"}
    for kind in type(item).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names.update((slots,) if isinstance(slots, str) else slots)
    for name in names - {"__weakref__"}:
        try:
            yield object.__getattribute__(item, name)
        except Exception:  # Not there, or not set.
            continue
