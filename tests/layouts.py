"""Random shapes, chunk grids and codecs of Zarr arrays."""

from __future__ import annotations

import functools
import itertools
import math
import re
import subprocess
from dataclasses import dataclass, field

import numpy as np

from binary import binary_path
from elements import ZARR_VERSION, Rng, Type

LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 16, 17, 19, 23, 30, 31, 37, 64]
MOST_BYTES = 150_000
MOST_CHUNKS = 120


@dataclass(frozen=True)
class Layout:
    """How a source array lies in its objects."""

    zarr_format: int
    chunks: tuple[int, ...]  # Innermost.
    shards: tuple[tuple[int, ...], ...] = ()  # Outermost first.
    index_location: str = "end"
    transpose: tuple[int, ...] | None = None  # Of the innermost chunk.
    outer_transpose: tuple[int, ...] | None = None
    codecs: list[dict] = field(default_factory=list)  # v3, bytes -> bytes.
    compressor: dict | None = None  # v2.
    filters: list[dict] | None = None  # v2.
    separator: str = "/"
    v2_keys: bool = False

    @property
    def object_shape(self) -> tuple[int, ...]:
        """Shape of what one key holds."""
        return self.shards[0] if self.shards else self.chunks


def random_shape(rng: Rng, item_bytes: int) -> tuple[int, ...]:
    """0 to 5 awkward lengths, small in all; now and then one of them 0."""
    rank = int(
        rng.choice([0, 1, 2, 3, 4, 5], p=[0.04, 0.2, 0.3, 0.26, 0.1, 0.1])
    )
    shape = [int(rng.choice(LENGTHS)) for _ in range(rank)]
    if rank == 1:
        shape[0] *= int(rng.choice([1, 7, 37]))
    while math.prod(shape) * item_bytes > MOST_BYTES:
        axis = int(np.argmax(shape))
        shape[axis] = -(-shape[axis] // 2)
    if rank and rng.random() < 0.03:
        shape[rng.integers(0, rank)] = 0
    return tuple(shape)


def random_chunks(rng: Rng, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Chunk lengths that need not fit the axes; not too many chunks."""
    chunks = [_chunk_length(rng, length) for length in shape]
    while _count(shape, chunks) > MOST_CHUNKS:
        counts = [-(-n // c) for n, c in zip(shape, chunks)]
        chunks[int(np.argmax(counts))] *= 2
    return tuple(chunks)


def _chunk_length(rng: Rng, length: int) -> int:
    length = max(1, length)
    return int(
        rng.choice(
            [
                1,
                length,
                length + rng.integers(1, 4),
                *rng.integers(1, length + 1, 5),
            ]
        )
    )


def _count(shape: tuple[int, ...], chunks: list[int]) -> int:
    return math.prod(-(-n // c) for n, c in zip(shape, chunks))


def random_layout(
    rng: Rng, shape: tuple[int, ...], kind: Type, zarr_format: int
) -> Layout:
    """Any layout that zarr-python can read and write."""
    chunks = random_chunks(rng, shape)
    if zarr_format == 2:
        filters = None
        compressor = random_compressor(rng)
        if compressor is None and rng.random() < 0.3:
            filters = [[], [{"id": "zlib", "level": 1}]][rng.integers(0, 2)]
        order = tuple(reversed(range(len(shape))))
        return Layout(
            2,
            chunks,
            transpose=order if rng.random() < 0.3 else None,
            compressor=compressor,
            filters=filters,
            separator=str(rng.choice([".", ".", "/"])),
            v2_keys=True,
        )
    shards = _random_shards(rng, chunks) if rng.random() < 0.4 else ()
    if ZARR_VERSION < (3, 4) and (not shape or kind.kind == "V"):
        shards = ()  # zarr-python 3.1 cannot read these.
    outer_order = _random_order(rng, len(shape), 0.3 if shards else 0)
    if outer_order and not _zarr_python_accepts(outer_order, chunks, shards):
        outer_order = None
    return Layout(
        3,
        chunks,
        shards=shards,
        index_location=str(rng.choice(["end", "end", "start"])),
        transpose=_random_order(rng, len(shape), 0.25),
        outer_transpose=outer_order,
        codecs=random_codecs(rng, kind.dtype.itemsize),
        separator=str(rng.choice(["/", "/", "."])),
        v2_keys=bool(rng.random() < 0.2),
    )


def _random_shards(
    rng: Rng, chunks: tuple[int, ...]
) -> tuple[tuple[int, ...], ...]:
    inner = tuple(int(c * rng.integers(1, 4)) for c in chunks)
    if rng.random() > 0.15:
        return (inner,)
    return (tuple(int(c * rng.integers(1, 3)) for c in inner), inner)


def _random_order(rng: Rng, rank: int, share: float) -> tuple[int, ...] | None:
    if rank < 2 or rng.random() > share:
        return None
    return tuple(int(axis) for axis in rng.permutation(rank))


def _zarr_python_accepts(
    order: tuple[int, ...],
    chunks: tuple[int, ...],
    shards: tuple[tuple[int, ...], ...],
) -> bool:
    """It tests that chunks divide shards before it looks at a transpose."""
    levels = [*shards, chunks]
    return all(
        outer[axis] % inner[order[axis]] == 0
        for outer, inner in itertools.pairwise(levels)
        for axis in range(len(order))
    )


def random_compressor(rng: Rng) -> dict | None:
    """Return a v2 compressor."""
    blosc = {
        "id": "blosc",
        "cname": str(rng.choice(["lz4", "lz4hc", "blosclz", "zlib", "zstd"])),
        "clevel": int(rng.integers(0, 10)),
        "shuffle": int(rng.integers(-1, 3)),
        "blocksize": int(rng.choice([0, 0, 512])),
    }
    others = [
        None,
        {"id": "zstd", "level": int(rng.integers(-3, 12))},
        {"id": "gzip", "level": int(rng.integers(0, 10))},
        {"id": "zlib", "level": int(rng.integers(0, 10))},
        {"id": "lz4", "acceleration": int(rng.integers(1, 9))},
        *({"id": name} for name in _other_codecs()),
    ]
    if rng.random() < 0.45:
        return blosc
    return others[rng.integers(0, len(others))]


@functools.cache
def _other_codecs() -> list[str]:
    """Codecs that the command knows and that nothing here draws otherwise.

    numcodecs gives them their settings.
    """
    command = [binary_path(), "--help"]
    helped = subprocess.check_output(command, text=True)
    names = re.search(r"^Codecs: (.*)\.$", helped, re.MULTILINE)
    assert names, helped
    drawn = ("blosc", "zstd", "gzip", "zlib", "lz4", "crc32c")
    # test_filters.py draws these.
    drawn += ("shuffle", "delta", "fixedscaleoffset", "astype", "quantize")
    drawn += ("bitround", "packbits")
    return [name for name in names[1].split(", ") if name not in drawn]


def random_codecs(rng: Rng, item_bytes: int) -> list[dict]:
    """Return the bytes -> bytes codecs of a v3 array, none to two."""
    compressor = random_compressor(rng)
    codecs = [] if compressor is None else [v3_codec(compressor, item_bytes)]
    if codecs and codecs[0]["name"] == "zstd":
        codecs[0]["configuration"]["checksum"] = bool(rng.random() < 0.4)
    if rng.random() < 0.25:
        codecs.append({"name": "crc32c"})
    elif codecs and rng.random() < 0.05:
        configuration = {"level": 1, "checksum": False}
        codecs.append({"name": "zstd", "configuration": configuration})
    return codecs


def v3_codec(compressor: dict, item_bytes: int) -> dict:
    """Return the v3 form of a v2 compressor."""
    name = compressor["id"]
    configuration = {k: v for k, v in compressor.items() if k != "id"}
    if name == "blosc":
        shuffle = configuration["shuffle"]
        if shuffle == -1:
            shuffle = 2 if item_bytes == 1 else 1
        names = ["noshuffle", "shuffle", "bitshuffle"]
        configuration["shuffle"] = names[shuffle]
        configuration["typesize"] = item_bytes if item_bytes < 256 else 1
    if name == "zstd":
        configuration.setdefault("checksum", False)
    if name not in ("blosc", "zstd", "gzip"):
        name = f"numcodecs.{name}"
    return {"name": name, "configuration": configuration}
