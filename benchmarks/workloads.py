"""The workloads: one array each, its source and target layout and memory."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass

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
    memory_bytes: int
    field: str  # which generator in make_data.py

    @property
    def raw_bytes(self) -> int:
        """Bytes of the whole array, decoded."""
        return math.prod(self.shape) * int(self.dtype[2:])

    @property
    def target_objects(self) -> tuple[int, ...]:
        """Elements per dimension of what one target object holds."""
        return self.target_shards or self.target_chunks

    def stamp(self) -> str:
        """Names the source's data and layout; equal stamps, equal stores."""
        parts = asdict(self)
        for key in ("name", "title", "memory_bytes"):
            parts.pop(key)
        for key in ("target_chunks", "target_shards"):
            parts.pop(key)
        parts["generator"] = (GENERATOR_VERSION, SEED)
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
)  # fmt: skip
