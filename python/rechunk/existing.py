"""Parts of arrays that exist: what users ask for, and handles on them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rechunk.arrays import ZarrArray
from rechunk.errors import InvalidArgumentError

_FORMS = (
    "give 'all', text like 'time=0:8760', or a dict like {'time': (0, 8760)}"
)


def region_text(region: Any) -> str:
    """`region` as the command line has it; "" for None."""
    if region is None:
        return ""
    if isinstance(region, str):
        if not region:
            raise InvalidArgumentError("region: the text is empty", _FORMS)
        return region
    if not isinstance(region, Mapping) or not region:
        raise InvalidArgumentError(f"region: {region!r} is no region", _FORMS)
    words = []
    for name, bounds in region.items():
        if isinstance(bounds, range):
            bounds = slice(bounds.start, bounds.stop, bounds.step)
        if isinstance(bounds, slice):
            if bounds.step not in (None, 1):
                raise InvalidArgumentError(
                    f"region: {bounds} of {name!r} has a step", _FORMS
                )
            bounds = (bounds.start, bounds.stop)
        words.append(f"{_name(name)}={_bounds(name, bounds)}")
    return ",".join(words)


def _name(name: Any) -> str:
    text = str(name)
    if isinstance(name, bool) or not isinstance(name, (str, int)) or not text:
        raise InvalidArgumentError(
            f"region: {name!r} is no dimension", "give its name or its number"
        )
    if "," in text:
        raise InvalidArgumentError(
            f"region: the name {name!r} has a comma",
            "give the number of the dimension",
        )
    return text


def _bounds(name: Any, bounds: Any) -> str:
    if not isinstance(bounds, (tuple, list)) or len(bounds) != 2:
        raise InvalidArgumentError(
            f"region: {bounds!r} of {name!r} is no range", _FORMS
        )
    words = []
    for bound in bounds:
        whole = hasattr(bound, "__index__") and not isinstance(bound, bool)
        if bound is not None and (not whole or int(bound) < 0):
            raise InvalidArgumentError(
                f"region: {bound!r} of {name!r} is no index",
                "indices are counted from the beginning",
            )
        words.append("" if bound is None else str(int(bound)))
    return ":".join(words)


def append_text(append: Any) -> str:
    """`append` as the command line has it; "" for None."""
    if append is None:
        return ""
    whole = isinstance(append, int) and not isinstance(append, bool)
    if not (whole and append >= 0) and not (isinstance(append, str) and append):
        raise InvalidArgumentError(
            f"append: {append!r} is no dimension",
            "give its name or its number",
        )
    return str(append)


def check_kept(**options: Any) -> None:
    """What a target that exists decides itself must not be asked for."""
    for name, value in options.items():
        if value is not None and value is not False and value != {}:
            raise InvalidArgumentError(
                f"{name}: {value!r} is given, and the target exists",
                "with region or append the target keeps its layout and all "
                "other data",
            )


@dataclass(frozen=True)
class Window:
    """A box of an array, sliced as an array of its own."""

    array: Any
    start: tuple[int, ...]
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None = None

    @property
    def dtype(self) -> Any:
        """That of the array."""
        return self.array.dtype

    @property
    def stored_dtype(self) -> Any:
        """The type with the byte order that is stored."""
        return self.array.stored_dtype

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def open(self) -> Window:
        """The same, open for many slices."""
        opened = (
            self.array.open() if hasattr(self.array, "open") else self.array
        )
        return replace(self, array=opened)

    def __getitem__(self, region: Any) -> Any:
        return self.array[self._moved(region)]

    def __setitem__(self, region: Any, elements: Any) -> None:
        self.array[self._moved(region)] = elements

    def _moved(self, region: Any) -> tuple[slice, ...]:
        return tuple(
            slice(part.start + start, part.stop + start)
            for part, start in zip(region, self.start)
        )


@dataclass(frozen=True)
class Appended:
    """What the last objects of a target hold already, and all behind it."""

    kept: Any
    added: Any
    axis: int
    length: int

    @property
    def shape(self) -> tuple[int, ...]:
        """That of both, one behind the other."""
        shape = list(self.added.shape)
        shape[self.axis] += self.length
        return tuple(shape)

    @property
    def chunks(self) -> Any:
        """Of what is appended."""
        return getattr(self.added, "chunks", None)

    @property
    def dtype(self) -> Any:
        """Of what is appended; the target's is the same but for byte order."""
        return self.added.dtype

    def open(self) -> Appended:
        """The same, open for many slices."""
        kept, added = (
            array.open() if hasattr(array, "open") else array
            for array in (self.kept, self.added)
        )
        return replace(self, kept=kept, added=added)

    def __getitem__(self, region: Any) -> Any:
        own = region[self.axis]
        parts = []
        for array, start, stop in (
            (self.kept, own.start, min(own.stop, self.length)),
            (
                self.added,
                max(own.start - self.length, 0),
                own.stop - self.length,
            ),
        ):
            if start < stop:
                box = list(region)
                box[self.axis] = slice(start, stop)
                parts.append(np.asarray(array[tuple(box)]))
        return np.concatenate(parts, self.axis)


def window_of(array: ZarrArray, part: Mapping[str, Any]) -> Window:
    """The part of a stored array whose handle has the part's own shape."""
    key = "zarr.json" if "zarr.json" in array.documents else ".zarray"
    document = {
        **json.loads(array.documents[key]),
        "shape": part["shape"],
    }
    whole = replace(
        array,
        documents={**array.documents, key: json.dumps(document)},
        shape=tuple(part["shape"]),
    )
    return Window(
        whole, tuple(part["start"]), array.shape, array.chunks, array.shards
    )
