"""A digest of an array's elements that does not depend on its chunking."""

from __future__ import annotations

import numpy as np

_POSITION = np.uint64(0x9E3779B97F4A7C15)
_VALUE = np.uint64(0xC2B2AE3D27D4EB4F)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_BLOCK_ELEMENTS = 1 << 18  # keeps the temporary arrays inside the cache
_MASK = (1 << 64) - 1


def _positions(
    start: tuple[int, ...], box: tuple[int, ...], shape: tuple[int, ...]
) -> np.ndarray:
    """Row-major positions in the whole array of a box's elements."""
    positions = np.zeros((1,) * len(box), dtype=np.uint64)
    stride = 1
    for axis in reversed(range(len(box))):
        index = np.arange(start[axis], start[axis] + box[axis], dtype=np.uint64)
        sides = [1] * len(box)
        sides[axis] = box[axis]
        positions = positions + (index * np.uint64(stride)).reshape(sides)
        stride *= shape[axis]
    return positions


def digest_box(
    values: np.ndarray, start: tuple[int, ...], shape: tuple[int, ...]
) -> int:
    """The wrapping sum of a hash of (position, bits) over one box.

    The digests of boxes that tile the array add up, modulo 2**64, to the
    digest of the array, whatever the boxes.
    """
    if values.size > _BLOCK_ELEMENTS:
        axis = int(np.argmax(values.shape))
        middle = values.shape[axis] // 2
        first, second = np.split(values, [middle], axis=axis)
        next_start = list(start)
        next_start[axis] += middle
        return (
            digest_box(first, start, shape)
            + digest_box(second, tuple(next_start), shape)
        ) & _MASK
    bits = np.ascontiguousarray(values).view(f"u{values.itemsize}")
    mixed = _positions(start, values.shape, shape) * _POSITION
    mixed ^= (bits.astype(np.uint64) + np.uint64(1)) * _VALUE
    mixed ^= mixed >> np.uint64(32)
    mixed *= _MIX
    mixed ^= mixed >> np.uint64(29)
    return int(mixed.sum(dtype=np.uint64))


def combine(digests: list[int]) -> str:
    """The digest of the whole array from those of its boxes, as text."""
    return f"{sum(digests) & _MASK:016x}"
