"""What a plan is made of: copies, and the stages of one array."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rechunk.errors import InvalidArgumentError

Region = tuple[slice, ...]


def _same_type(a: Any, b: Any) -> bool:
    """Equal up to byte order."""
    if isinstance(a, np.dtype) and isinstance(b, np.dtype):
        return a.newbyteorder("=") == b.newbyteorder("=")
    return bool(a == b)


@dataclass(frozen=True)
class CopySpec:
    """One stage: copy `source` to `target` in tasks of shape `chunks`.

    Source and target are array-likes with `shape`, `dtype` and slicing. The
    last task of each dimension is clipped to the array. Each object of the
    target (its `shards`, or else its `chunks`) belongs to one task only.

    Raises InvalidArgumentError if shapes or types differ, or if two tasks
    would share an object. The message names the dimension.
    """

    source: Any
    target: Any
    chunks: tuple[int, ...]

    def __post_init__(self) -> None:
        shape = tuple(self.source.shape)
        if shape != tuple(self.target.shape):
            raise InvalidArgumentError(
                f"copy spec: the source has shape {shape}, "
                f"the target {tuple(self.target.shape)}"
            )
        if not _same_type(self.source.dtype, self.target.dtype):
            raise InvalidArgumentError(
                f"copy spec: the source has type {self.source.dtype}, "
                f"the target {self.target.dtype}"
            )
        if len(self.chunks) != len(shape):
            raise InvalidArgumentError(
                f"copy spec: chunks {self.chunks} have {len(self.chunks)} "
                f"dimensions, the arrays have {len(shape)}"
            )
        for axis in range(len(shape)):
            self._check_axis(axis)

    def _check_axis(self, axis: int) -> None:
        length, chunk = self.target.shape[axis], self.chunks[axis]
        if not 1 <= chunk <= max(1, length):
            raise InvalidArgumentError(
                f"copy spec: chunks {self.chunks} of dimension {axis}: "
                f"{chunk} is not in 1..{max(1, length)}, its length"
            )
        objects = getattr(self.target, "shards", None) or getattr(
            self.target, "chunks", None
        )
        if not objects or not isinstance(objects[axis], int):
            return
        if chunk < length and chunk % objects[axis]:
            raise InvalidArgumentError(
                f"copy spec: tasks of {chunk} in dimension {axis} would share "
                f"objects of the target, which hold {objects[axis]} there"
            )

    @property
    def task_count(self) -> int:
        """Number of tasks; 0 for an array without elements."""
        return math.prod(
            -(-length // chunk)
            for length, chunk in zip(self.source.shape, self.chunks)
        )

    def regions(self) -> Iterator[Region]:
        """The tasks, as slices, in row-major order."""
        shape = self.source.shape
        counts = [
            -(-length // chunk) for length, chunk in zip(shape, self.chunks)
        ]
        for task in range(self.task_count):
            yield tuple(
                slice(int(i) * chunk, min((int(i) + 1) * chunk, length))
                for i, chunk, length in zip(
                    np.unravel_index(task, counts), self.chunks, shape
                )
            )


@dataclass(frozen=True)
class StagedCopySpec:
    """All stages of one array; each target is the source of the next."""

    stages: tuple[CopySpec, ...]
    name: str = ""

    def __post_init__(self) -> None:
        if not self.stages:
            raise InvalidArgumentError("staged copy spec: it has no stages")
        for number, (one, next_one) in enumerate(
            zip(self.stages, self.stages[1:])
        ):
            if one.target is not next_one.source:
                raise InvalidArgumentError(
                    f"staged copy spec: the target of stage {number} is not "
                    f"the source of stage {number + 1}"
                )
