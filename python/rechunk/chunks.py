"""Target chunks as people write them in Python, as the text the core reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rechunk.errors import CHUNK_FORMS, InvalidArgumentError


def chunk_text(chunks: Any, what: str = "target_chunks") -> str:
    """The text for one array; "" keeps what it has.

    None in a tuple or dict, and as a whole, keeps the source's chunk; -1 is
    the whole dimension. `what`: the parameter, for messages.
    """
    if hasattr(chunks, "tolist"):  # Of numpy.
        chunks = chunks.tolist()
    if chunks is None:
        return ""
    if isinstance(chunks, str):
        return chunks
    if _is_length(chunks):
        return _length_text(chunks, what)
    if isinstance(chunks, Mapping):
        return ",".join(
            f"{name}={_length_text(length, what)}"
            for name, length in chunks.items()
            if length is not None
        )
    if isinstance(chunks, Sequence) and not isinstance(chunks, bytes):
        if any(length is None for length in chunks):
            return chunk_text(dict(enumerate(chunks)), what)
        if not chunks:  # Of an array without dimensions.
            return ""
        return (
            "("
            + ",".join(_length_text(length, what) for length in chunks)
            + ")"
        )
    raise InvalidArgumentError(f"{what}: {chunks!r} is no shape", CHUNK_FORMS)


def _is_length(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)


def _length_text(length: Any, what: str) -> str:
    if isinstance(length, str):
        return length
    if not _is_length(length):
        raise InvalidArgumentError(
            f"{what}: {length!r} is no length", CHUNK_FORMS
        )
    number = length.__index__()
    return "all" if number == -1 else str(number)


@dataclass
class ChunkOptions:
    """What `target_chunks` asks of all arrays, and of some by path."""

    chunks: str = ""
    array_chunks: list[tuple[str, str]] = field(default_factory=list)


def group_chunks(
    chunks: Any, arrays: Sequence[str], dimensions: Sequence[str]
) -> ChunkOptions:
    """Of a group or dataset: by array, or by dimension for all arrays.

    A dict whose keys are all dimensions with lengths is by dimension; else its
    keys are arrays. Other forms are for every array that they fit.
    """
    if not isinstance(chunks, Mapping):
        return ChunkOptions(chunk_text(chunks))
    by_dimension = bool(chunks) and all(
        name in dimensions and (_is_length(value) or isinstance(value, str))
        for name, value in chunks.items()
    )
    if by_dimension:
        return ChunkOptions(chunk_text(chunks))
    for name in chunks:
        if name not in arrays:
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
            if (text := chunk_text(value))
        ],
    )
