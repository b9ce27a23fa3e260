"""The workloads: one array each, its source and target layout and memory."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, replace
from fractions import Fraction

# Part of every data stamp: raise it when the generator changes what it makes.
GENERATOR_VERSION = 1
SEED = 20260

BLOSC_LZ4 = {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1}
BLOSC_ZSTD = {"id": "blosc", "cname": "zstd", "clevel": 3, "shuffle": 2}
ZSTD = {"id": "zstd", "level": 3}


@dataclass(frozen=True)
class Workload:
    """One array to rechunk. Shapes count elements, memory counts bytes."""

    name: str
    title: str
    shape: tuple[int, ...]
    dtype: str
    zarr_format: int
    source_chunks: tuple[int, ...]
    target_chunks: tuple[int, ...]
    target_shards: tuple[int, ...] | None
    codec: dict | None  # in the form of numcodecs; None stores raw bytes
    memory_bytes: int | None  # of the table of workloads; None: an eighth
    field: str  # which generator in make_data.py
    source_shards: tuple[int, ...] | None = None
    target_format: int | None = None  # None: as the source
    filled_share: float = 1  # of the columns of chunks that hold data
    seed: int = SEED

    @property
    def raw_bytes(self) -> int:
        """Bytes of the whole array, decoded."""
        return math.prod(self.shape) * int(self.dtype[2:])

    @property
    def source_objects(self) -> tuple[int, ...]:
        """Elements per dimension of what one source object holds."""
        return self.source_shards or self.source_chunks

    @property
    def target_objects(self) -> tuple[int, ...]:
        """Elements per dimension of what one target object holds."""
        return self.target_shards or self.target_chunks

    @property
    def final_format(self) -> int:
        """The Zarr format of the target."""
        return self.target_format or self.zarr_format

    def scaled(self, scale: str) -> Workload:
        """The same work on a longer or shorter first axis, equal memory."""
        if scale == "1":
            return self
        length = round(self.shape[0] * Fraction(scale))
        chunks = {
            name: (min(length, first), *rest)
            for name in ("source_chunks", "target_chunks")
            for first, *rest in [getattr(self, name)]
        }
        return replace(
            self,
            name=f"{self.name}x{float(Fraction(scale)):g}",
            shape=(length, *self.shape[1:]),
            **chunks,
        )

    def memory(self, name: str) -> int:
        """Bytes of a memory setting: "table", or a share such as "1/8"."""
        if name == "table":
            return self.memory_bytes or self.raw_bytes // 8
        return int(self.raw_bytes * Fraction(name))

    def stamp(self) -> str:
        """Names the source's data and layout; equal stamps, equal stores."""
        parts = asdict(self)
        for key in ("name", "title", "memory_bytes", "seed", *_OF_THE_TARGET):
            parts.pop(key)
        for key, usual in (("source_shards", None), ("filled_share", 1)):
            if parts[key] == usual:
                parts.pop(key)
        parts["generator"] = (GENERATOR_VERSION, self.seed)
        return _hash(parts)

    def target_stamp(self) -> str:
        """Names the target's data and layout."""
        parts = {key: getattr(self, key) for key in _OF_THE_TARGET}
        return _hash(parts | {"source": self.stamp()})


_OF_THE_TARGET = ("target_chunks", "target_shards", "target_format")


def _hash(parts: dict) -> str:
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


WORKLOADS = (
    Workload(
        "W1", "series", (2000, 361, 720), "<f4", 2,
        (10, 361, 720), (2000, 19, 20), None, BLOSC_LZ4, 256_000_000, "map",
    ),
    Workload(
        "W2n", "transposition, no codec", (16384, 16384), "<f4", 2,
        (16, 16384), (16384, 16), None, None, 64_000_000, "plane",
    ),
    Workload(
        "W2z", "transposition, zstd", (16384, 16384), "<f4", 2,
        (16, 16384), (16384, 16), None, ZSTD, 64_000_000, "plane",
    ),
    Workload(
        "W3", "volume", (1024, 1024, 512), "<u2", 2,
        (1, 1024, 512), (64, 64, 64), None, BLOSC_ZSTD, 256_000_000, "counts",
    ),
    Workload(
        "W4", "merge", (8192, 8192), "<f8", 2,
        (256, 256), (1024, 1024), None, BLOSC_LZ4, 256_000_000, "fine_plane",
    ),
    Workload(
        "W5", "shards", (2000, 361, 720), "<f4", 3,
        (10, 361, 720), (500, 20, 20), (2000, 40, 40), ZSTD,
        256_000_000, "map",
    ),
    Workload(
        "ERA5", "hourly maps to series", (8760, 181, 360), "<f4", 2,
        (1, 181, 360), (8760, 10, 10), None, BLOSC_LZ4, None, "map",
    ),
    Workload(
        "MUR", "packed sea surface, coprime chunks", (400, 2000, 900), "<i2", 2,
        (5, 1799, 900), (400, 100, 100), None, BLOSC_LZ4, None, "waves",
    ),
    Workload(
        "4D", "levels and times to places", (200, 37, 91, 180), "<f4", 2,
        (1, 37, 91, 180), (200, 1, 13, 20), None, BLOSC_LZ4, None, "waves",
    ),
    Workload(
        "SMALL", "200,000 chunks of 8 KiB", (800, 640, 800), "<f4", 2,
        (8, 16, 16), (80, 80, 80), None, BLOSC_LZ4, None, "waves",
    ),
    Workload(
        "EMPTY", "95 % empty", (512, 1280, 1280), "<u2", 2,
        (16, 128, 128), (256, 32, 32), None, BLOSC_ZSTD, None, "counts",
        filled_share=0.05,
    ),
    Workload(
        "SHARDS", "other shards, equal inner chunks", (1024, 1024, 512), "<u2",
        3, (64, 64, 64), (64, 64, 64), (1024, 128, 128), ZSTD, None, "counts",
        source_shards=(64, 1024, 512),
    ),
    Workload(
        "V2V3", "v2 to v3", (366, 721, 720), "<f4", 2,
        (6, 721, 720), (366, 60, 60), None, ZSTD, None, "waves",
        target_format=3,
    ),
)  # fmt: skip
BY_NAME = {workload.name: workload for workload in WORKLOADS}
MEMORIES = ("table", "1/2", "1/8", "1/32")


def to_json(workload: Workload) -> str:
    """A workload for another process; see `from_json`."""
    return json.dumps(asdict(workload))


def from_json(text: str) -> Workload:
    fields = json.loads(text)
    for key, value in fields.items():
        if isinstance(value, list):
            fields[key] = tuple(value)
    return Workload(**fields)
