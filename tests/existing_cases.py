"""Random arrays that exist, and random parts of them to be written."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zarr

from documents import write_array
from elements import Rng, Type, fill_token, random_elements, random_type
from layouts import Layout, random_layout, random_shape
from trees import tree_hash

Box = tuple[slice, ...]


@dataclass(frozen=True)
class Existing:
    """An array, its elements and where they lie."""

    path: Path
    layout: Layout
    elements: np.ndarray

    def keys(self, box: Box) -> set[str]:
        """Names of the objects that a box of elements touches."""
        ranges = [
            range(part.start // size, -(-part.stop // size))
            for part, size in zip(box, self.layout.object_shape)
        ]
        prefix = "" if self.layout.v2_keys else "c" + self.layout.separator
        return {
            prefix + self.layout.separator.join(map(str, place)) or "0"
            for place in itertools.product(*ranges)
        }


def random_pair(rng: Rng) -> tuple[tuple[int, ...], Type, list[int]]:
    """Shape, type, and formats of two arrays that can be in one job."""
    shape: tuple[int, ...] = ()
    while not 1 <= len(shape) <= 4 or 0 in shape:
        shape = random_shape(rng, 8)
    kind = random_type(rng)
    # Raw bytes and structures of v3 are not what every zarr-python reads.
    formats = [2, 2] if kind.kind == "V" else list(rng.integers(2, 4, 2))
    return shape, kind, [int(number) for number in formats]


def make(
    rng: Rng,
    path: Path,
    shape: tuple[int, ...],
    kind: Type,
    layout: Layout,
    names: list[str | None] | None = None,
) -> Existing:
    """Write an array; some chunks hold only its fill value, or are missing."""
    fill = fill_token(rng, kind, layout.zarr_format)
    if kind.dtype.itemsize == 2 and "0x" in fill:
        fill = "0"  # zarr-python loses what else the bits say.
    attributes = [("title", '"random"')]
    write_array(path, shape, kind, layout, fill, attributes, names)
    # What is missing means zeros or NaT then, as readers like.
    dense = rng.random() < 0.4 or (fill == "null" and kind.kind in "mM")
    with zarr.config.set({"array.write_empty_chunks": bool(dense)}):
        array = zarr.open_array(path, mode="r+")
        elements = random_elements(rng, kind, shape)
        if fill != "null" and rng.random() < 0.7:
            for _ in range(int(rng.integers(1, 4))):
                elements[random_box(rng, shape)] = array.fill_value
        array[...] = elements
    elements = np.asarray(zarr.open_array(path, mode="r")[...])
    return Existing(path, layout, elements)


def random_box(rng: Rng, shape: tuple[int, ...]) -> Box:
    """Any box that is not empty."""
    bounds = (np.sort(rng.integers(0, n + 1, 2)) for n in shape)
    return tuple(
        slice(int(a), int(max(b, a + 1))) if a < n else slice(n - 1, n)
        for (a, b), n in zip(bounds, shape)
    )


def aligned_box(
    rng: Rng, shape: tuple[int, ...], steps: tuple[int, ...]
) -> Box:
    """A box on boundaries of objects, or that ends with the array."""
    cells = tuple(-(-n // step) for n, step in zip(shape, steps))
    return tuple(
        slice(part.start * step, min(part.stop * step, n))
        for part, step, n in zip(random_box(rng, cells), steps, shape)
    )


def common_steps(a: Layout, b: Layout) -> tuple[int, ...]:
    """Boundaries that both have."""
    return tuple(map(math.lcm, a.object_shape, b.object_shape))


def region_text(box: Box, names: list[str | None] | None, rng: Rng) -> str:
    """The box on the command line, by names where there are any."""
    words = []
    for axis, part in enumerate(box):
        name = names[axis] if names and names[axis] else str(axis)
        words.append(f"{name}={part.start}:{part.stop}")
    rng.shuffle(words)
    return ",".join(words)


def outside(existing: Existing, box: Box) -> dict[str, str]:
    """Hashes of everything but the objects of a box."""
    inside = existing.keys(box)
    return {
        name: content
        for name, content in tree_hash(existing.path).items()
        if name not in inside
    }


def random_memory(rng: Rng) -> list[str]:
    """Words that make some runs staged; too little says what would do."""
    if rng.random() < 0.4:
        return []
    return ["--max-memory", str(int(rng.choice([20_000, 60_000, 300_000])))]


def random_layouts(
    rng: Rng, shapes: list[tuple[int, ...]], kind: Type, formats: list[int]
) -> list[Layout]:
    """A layout for each; now and then the same chunks, so that they move."""
    layouts = [
        random_layout(rng, shape, kind, number)
        for shape, number in zip(shapes, formats)
    ]
    if formats[0] == formats[1] and rng.random() < 0.25:
        layouts[0] = layouts[1]
    return layouts
