"""Sources of all codecs, and damage to their objects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import (
    BloscCodec,
    BytesCodec,
    Crc32cCodec,
    GzipCodec,
    ShardingCodec,
    ZstdCodec,
)

SHAPE = (23, 17, 9)
CHUNKS = (6, 9, 9)
SHARDS = (12, 18, 9)
TARGET_CHUNKS = "23,5,4"


@dataclass(frozen=True)
class Layout:
    """How a source lies in its objects.

    `checksum`: "all" if every bit is covered; "data" if every element is, but
    perhaps not all of what stands around them; "" if nothing is.
    """

    checksum: str
    options: dict[str, Any]
    dtype: str = "<f4"

    def write(self, path: Path) -> np.ndarray:
        """Write it; return its elements, of which a part compresses well."""
        rng = np.random.default_rng(3)
        elements = rng.normal(size=SHAPE).astype(self.dtype)
        elements[:, :, :5] = np.arange(SHAPE[0], dtype=self.dtype)[
            :, None, None
        ]
        array = zarr.create_array(
            path, shape=SHAPE, dtype=self.dtype, **self.options
        )
        array[...] = elements
        return elements


def _v3(*codecs: Any, **options: Any) -> dict[str, Any]:
    compressors = list(codecs) or None
    return {"chunks": CHUNKS, "compressors": compressors, **options}


def _v2(compressor: Any, **options: Any) -> dict[str, Any]:
    return {
        "chunks": CHUNKS,
        "compressors": compressor,
        "zarr_format": 2,
        **options,
    }


def _shards(*codecs: Any, location: str = "end", crc: bool = True) -> Any:
    index = [BytesCodec(), Crc32cCodec()] if crc else [BytesCodec()]
    sharding = ShardingCodec(
        chunk_shape=CHUNKS,
        codecs=[BytesCodec(), *codecs],
        index_codecs=index,
        index_location=location,
    )
    return {"chunks": SHARDS, "serializer": sharding, "compressors": None}


def _numcodecs(name: str, **configuration: Any) -> Any:
    import numcodecs

    return numcodecs.get_codec({"id": name, **configuration})


def _blosc(name: str, shuffle: str = "shuffle") -> BloscCodec:
    return BloscCodec(cname=name, clevel=4, shuffle=shuffle, typesize=4)


CRC = Crc32cCodec()
LAYOUTS = {
    "crc32c": Layout("all", _v3(CRC)),
    "zstd, crc32c": Layout("all", _v3(ZstdCodec(level=2), CRC)),
    "blosc, crc32c": Layout("all", _v3(_blosc("lz4"), CRC)),
    "gzip, crc32c": Layout("all", _v3(GzipCodec(level=1), CRC)),
    "shards of zstd, crc32c": Layout("all", _shards(ZstdCodec(level=2), CRC)),
    "shards of crc32c": Layout("all", _shards(CRC, location="start")),
    "zstd with checksum": Layout(
        "data", _v3(ZstdCodec(level=3, checksum=True))
    ),
    "shards of zstd with checksum": Layout(
        "data", _shards(ZstdCodec(level=3, checksum=True))
    ),
    "gzip": Layout("data", _v3(GzipCodec(level=6))),
    "v2 gzip": Layout("data", _v2(_numcodecs("gzip", level=1)), ">i4"),
    "v2 zlib": Layout("data", _v2(_numcodecs("zlib", level=4)), "<u2"),
    "raw": Layout("", _v3()),
    "v2 raw": Layout("", _v2(None), ">f8"),
    "zstd": Layout("", _v3(ZstdCodec(level=3))),
    "v2 zstd": Layout("", _v2(_numcodecs("zstd", level=7)), "<i2"),
    "v2 lz4": Layout("", _v2(_numcodecs("lz4"))),
    "blosc lz4": Layout("", _v3(_blosc("lz4"))),
    "blosc zstd": Layout("", _v3(_blosc("zstd", "bitshuffle"))),
    "blosc blosclz": Layout("", _v3(_blosc("blosclz", "noshuffle"))),
    "v2 blosc zlib": Layout(
        "", _v2(_numcodecs("blosc", cname="zlib", clevel=5, shuffle=1))
    ),
    "v2 blosc lz4hc": Layout(
        "", _v2(_numcodecs("blosc", cname="lz4hc", clevel=9, shuffle=2))
    ),
    "shards of zstd": Layout("", _shards(ZstdCodec(level=2))),
    "shards of raw": Layout("", _shards(location="start")),
    "shards of blosc, index without crc": Layout(
        "", _shards(_blosc("lz4"), crc=False)
    ),
}


def damaged(rng: np.random.Generator, whole: bytes) -> tuple[bytes, str]:
    """Return the bytes with one bit flipped, or cut off; and what was done."""
    if rng.random() < 0.25:
        length = int(rng.integers(0, len(whole)))
        return whole[:length], f"cut off at {length} of {len(whole)}"
    # Headers and indices are short, and matter most.
    end = len(whole) if rng.random() < 0.6 else min(len(whole), 40)
    at = int(rng.integers(0, end))
    if rng.random() < 0.3:
        at = len(whole) - 1 - at
    bit = int(rng.integers(0, 8))
    flipped = bytes([whole[at] ^ 1 << bit])
    return whole[:at] + flipped + whole[at + 1 :], f"bit {bit} of byte {at}"


def elements_or_none(path: Path) -> np.ndarray | None:
    """What zarr-python reads; None where it cannot."""
    try:
        return zarr.open_array(path, mode="r")[...]
    except Exception:  # It lets through what its codecs raise.
        return None


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays hold the same, NaNs by their bits."""
    return a.astype(b.dtype, copy=False).tobytes() == b.tobytes()
