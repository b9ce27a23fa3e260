"""What a peer is asked to do, and the boxes in which a plain loop does it."""

from __future__ import annotations

import itertools
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version


@dataclass(frozen=True)
class Job:
    """One copy. Chunks and shards count elements, memory counts bytes."""

    source: str
    target: str
    temporary: str  # a path that may hold temporary data
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None
    codec: dict | None  # of source and target, in the form of numcodecs
    zarr_format: int  # of the target
    memory_bytes: int
    threads: int

    @property
    def objects(self) -> tuple[int, ...]:
        """Elements per dimension of what one target object holds."""
        return self.shards or self.chunks


def from_command_line(package: str) -> Job | None:
    """The job, or None (the version printed) for a run that only imports."""
    if sys.argv[1] == "--bare":
        print(json.dumps({"version": version(package)}))
        return None
    fields = json.loads(sys.argv[1])
    fields["chunks"] = tuple(fields["chunks"])
    fields["shards"] = tuple(fields["shards"]) if fields["shards"] else None
    return Job(**fields)


def _touched(length: int, box: int, chunk: int) -> int:
    """Elements decoded along one axis to read it box by box."""
    return sum(
        (math.ceil(min(at + box, length) / chunk) - at // chunk) * chunk
        for at in range(0, length, box)
    )


def best_box(
    shape: tuple[int, ...],
    objects: tuple[int, ...],
    source_chunks: tuple[int, ...],
    limit_elements: int,
) -> tuple[int, ...]:
    """Whole target objects, within the limit, that decode the source least.

    Grows by one object at a time along the axis that saves most.
    """
    box = tuple(map(min, objects, shape))
    while True:
        grown = []
        for axis, length in enumerate(shape):
            sides = list(box)
            sides[axis] = min(box[axis] + objects[axis], length)
            if box[axis] < length and math.prod(sides) <= limit_elements:
                grown.append(tuple(sides))
        if not grown:
            return box
        box = min(
            grown,
            key=lambda each: math.prod(
                map(_touched, shape, each, source_chunks)
            ),
        )


def boxes(
    shape: tuple[int, ...], box: tuple[int, ...]
) -> Iterator[tuple[slice, ...]]:
    """All boxes of a regular grid over an array, the last axis fastest."""
    axes = [
        [slice(at, min(at + side, length)) for at in range(0, length, side)]
        for length, side in zip(shape, box, strict=True)
    ]
    yield from itertools.product(*axes)
