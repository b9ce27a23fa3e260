"""Workloads that nobody tuned for: drawn anew for every measurement.

The seed is not fixed but kept in the results, so that each can be had again.
"""

from __future__ import annotations

import math
import random

from workloads import BLOSC_LZ4, BLOSC_ZSTD, MEMORIES, ZSTD, Workload

SMALLEST_BYTES, LARGEST_BYTES = 150_000_000, 450_000_000
SMALLEST_OBJECT, LARGEST_OBJECT = 32_000, 16_000_000
MOST_OBJECTS = 6_000
TYPES = ("<f4", "<f8", "<i2", "<u2", "<f4", "<i4")


def _shape(rng: random.Random, elements: int) -> tuple[int, ...]:
    """Sides that differ by up to a factor of about thirty."""
    rank = rng.choice((1, 2, 2, 3, 3, 3, 4))
    weights = [rng.uniform(0.15, 1) for _ in range(rank)]
    return tuple(
        max(2, round(elements ** (weight / sum(weights)))) for weight in weights
    )


def _chunks(
    rng: random.Random, shape: tuple[int, ...], item_bytes: int
) -> tuple[int, ...]:
    """Whole axes, single steps and anything between; awkward numbers."""
    while True:
        chunks = []
        for length in shape:
            kind = rng.random()
            side = math.exp(rng.uniform(0, math.log(length)))
            chunks.append(
                length if kind < 0.35 else 1 if kind < 0.5 else round(side)
            )
        object_bytes = math.prod(chunks) * item_bytes
        objects = math.prod(
            math.ceil(length / side)
            for length, side in zip(shape, chunks, strict=True)
        )
        if (
            SMALLEST_OBJECT <= object_bytes <= LARGEST_OBJECT
            and objects <= MOST_OBJECTS
        ):
            return tuple(chunks)


def _shards(
    rng: random.Random, shape: tuple[int, ...], chunks: tuple[int, ...]
) -> tuple[int, ...]:
    """Some chunks along one axis, so that inner chunks stay large enough."""
    shards = list(chunks)
    axis = rng.randrange(len(shape))
    most = math.ceil(shape[axis] / chunks[axis])
    shards[axis] = chunks[axis] * min(most, rng.choice((2, 3, 8)))
    return tuple(shards)


def draw(seed: int, number: int) -> Workload:
    """The workload of that number; equal seeds draw equal workloads."""
    rng = random.Random(f"{seed}/{number}")
    dtype = rng.choice(TYPES)
    item_bytes = int(dtype[2:])
    elements = round(rng.uniform(SMALLEST_BYTES, LARGEST_BYTES)) // item_bytes
    shape = _shape(rng, elements)
    source = _chunks(rng, shape, item_bytes)
    target = source
    while target == source:
        target = _chunks(rng, shape, item_bytes)
    zarr_format = rng.choice((2, 2, 3))
    codec = rng.choice((BLOSC_LZ4, BLOSC_ZSTD, ZSTD, None))
    sharded = zarr_format == 3 and rng.random() < 0.5
    workload = Workload(
        name=f"R{number}",
        title=f"random, seed {seed}",
        shape=shape,
        dtype=dtype,
        zarr_format=zarr_format,
        source_chunks=source,
        target_chunks=target,
        target_shards=_shards(rng, shape, target) if sharded else None,
        codec=codec,
        memory_bytes=None,
        field="waves",
        seed=seed,
    )
    return _with_memory(rng, workload)


def _with_memory(rng: random.Random, workload: Workload) -> Workload:
    """One of the shares, but never less than some objects of both sides."""
    item_bytes = int(workload.dtype[2:])
    objects = math.prod(workload.source_chunks)
    objects += math.prod(workload.target_chunks)
    least = 12 * item_bytes * objects + 8_000_000
    share = rng.choice(MEMORIES[1:])
    fields = dict(vars(workload))
    fields["memory_bytes"] = max(workload.memory(share), least)
    return Workload(**fields)
