"""Target chunks as people write them in Python, as the text the core reads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rechunk.errors import InvalidArgumentError
from rechunk.source import Source
from rechunk.spelling import CHUNK_FORMS

_HINT = f"the forms are {CHUNK_FORMS}"


def chunk_text(
    chunks: Any,
    what: str = "target_chunks",
    shape: tuple[int, ...] | None = None,
) -> str:
    """The text for one array; "" keeps what it has.

    None in a tuple or dict, and as a whole, keeps the source's chunk; -1 is
    the whole dimension. `what`: the parameter, for messages; `shape`: of the
    array, where there is one: a single length is for each of its dimensions,
    and axes count from its end, too.
    """
    if hasattr(chunks, "tolist"):  # Of numpy.
        chunks = chunks.tolist()
    if chunks is None:
        return ""
    if isinstance(chunks, str):
        return _size_text(chunks)
    if _is_length(chunks):
        text = _length_text(chunks, what)
        many = shape is not None and len(shape) > 1 and text != "all"
        return f"({','.join([text] * len(shape or ()))})" if many else text
    if isinstance(chunks, Mapping):
        return ",".join(
            f"{_axis_text(name, shape)}={_length_text(length, what)}"
            for name, length in chunks.items()
            if length is not None
        )
    if isinstance(chunks, Sequence) and not isinstance(chunks, bytes):
        return _list_text(chunks, what, shape)
    raise InvalidArgumentError(f"{what}: {chunks!r} is no shape", _HINT)


def _list_text(
    chunks: Sequence[Any], what: str, shape: tuple[int, ...] | None
) -> str:
    if any(length is None for length in chunks):
        return chunk_text(dict(enumerate(chunks)), what, shape)
    if not chunks:
        if shape:
            raise InvalidArgumentError(
                f"{what}: 0 given for {len(shape)} dimensions", _HINT
            )
        return ""  # Of an array without dimensions.
    return f"({','.join(_length_text(length, what) for length in chunks)})"


def _is_length(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)


# "10MB", as dask has it: of one chunk.
_BYTE_SIZE = re.compile(r"[0-9.]+ *[kKMGTP]i?B", re.ASCII)


def _size_text(text: str) -> str:
    return f"auto:{text}" if _BYTE_SIZE.fullmatch(text.strip()) else text


def _axis_text(name: Any, shape: tuple[int, ...] | None) -> Any:
    if isinstance(name, str):  # A comma would end it.
        return name.replace("\\", "\\\\").replace(",", "\\,")
    from_end = _is_length(name) and name < 0 and shape is not None
    return name + len(shape or ()) if from_end else name


def _length_text(length: Any, what: str) -> str:
    if isinstance(length, str):
        return _size_text(length)
    if isinstance(length, (tuple, list)) and length:
        length = _regular_length(length, what)
    if not _is_length(length):
        raise InvalidArgumentError(f"{what}: {length!r} is no length", _HINT)
    number = length.__index__()
    return "all" if number == -1 else str(number)


def _regular_length(lengths: Sequence[Any], what: str) -> Any:
    """The length of chunks that dask lists one by one."""
    first, last = lengths[0], lengths[-1]
    if not all(_is_length(length) and length > 0 for length in lengths):
        raise InvalidArgumentError(f"{what}: {lengths!r} is no length", _HINT)
    if any(length != first for length in lengths[:-1]) or last > first:
        raise InvalidArgumentError(
            f"{what}: the lengths {lengths!r} differ",
            "chunks of Zarr have one length along a dimension; only the last "
            "may be shorter",
        )
    return first


@dataclass
class ChunkOptions:
    """What `target_chunks` asks of all arrays, and of some by path."""

    chunks: str = ""
    array_chunks: list[tuple[str, str]] = field(default_factory=list)


def group_chunks(chunks: Any, source: Source) -> ChunkOptions:
    """Of a group or dataset: by array, or by dimension for all arrays.

    A dict whose keys are all dimensions with lengths is by dimension; else its
    keys are arrays. Other forms are for every array that they fit.
    """
    if not isinstance(chunks, Mapping):
        return ChunkOptions(chunk_text(chunks))
    arrays, dimensions = source.arrays, source.dimensions
    by_dimension = bool(chunks) and all(
        name in dimensions
        and (_is_length(value) or value is None or isinstance(value, str))
        for name, value in chunks.items()
    )
    # {"t": None} of an array without such a dimension says nothing else.
    if by_dimension and any(value is not None for value in chunks.values()):
        return ChunkOptions(chunk_text(chunks))
    for name in chunks:
        if name not in arrays and not by_dimension:
            raise InvalidArgumentError(
                f"target_chunks: the source has no array {name!r}",
                f"its arrays are {', '.join(arrays) or 'none'}; its dimensions "
                f"{', '.join(dimensions) or 'unnamed'}",
            )
    return ChunkOptions(
        "",
        [
            (name, text)
            for name, value in chunks.items()
            if (text := chunk_text(value, shape=source.shapes.get(name)))
        ],
    )
