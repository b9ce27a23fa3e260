"""Boxes of elements: regular grids of them over an array."""

from __future__ import annotations

import itertools
from collections.abc import Iterator


def grid(
    shape: tuple[int, ...], box: tuple[int, ...]
) -> Iterator[tuple[slice, ...]]:
    """Every box of a regular grid over an array, clipped at its edges."""
    axes = [
        [slice(at, min(at + step, length)) for at in range(0, length, step)]
        for length, step in zip(shape, box, strict=True)
    ]
    yield from itertools.product(*axes)


def starts(region: tuple[slice, ...]) -> tuple[int, ...]:
    """The first index of a region along each dimension."""
    return tuple(part.start for part in region)
