"""Chunks and shards that lie: bombs, wrong sizes, indices that lead astray."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numcodecs
import numpy as np
import pytest
import zarr

from binary import Rechunk
from hostile import MEMORY_BYTES, check_cost, make_array, refuse_run

BOMB_BYTES = 256 << 20  # What a bomb decodes to.
CHUNK_BYTES = 1 << 20  # What the metadata say.

BLOSC_NAMES = ("lz4", "lz4hc", "blosclz", "zlib", "zstd")
V2_CODECS: dict[str, dict] = {
    "zstd": {"id": "zstd", "level": 1},
    "gzip": {"id": "gzip", "level": 9},
    "zlib": {"id": "zlib", "level": 9},
    "lz4": {"id": "lz4", "acceleration": 1},
    **{
        f"blosc-{name}": {
            "id": "blosc",
            "cname": name,
            "clevel": 9,
            "shuffle": 0,
        }
        for name in BLOSC_NAMES
    },
}


def make_source(path: Path, codec: dict, chunk: bytes) -> None:
    """An array of two chunks of bytes, the second as given."""
    array = zarr.create_array(
        path,
        shape=(2 * CHUNK_BYTES,),
        chunks=(CHUNK_BYTES,),
        dtype="u1",
        zarr_format=2,
        compressors=numcodecs.get_codec(codec),
    )
    array[:CHUNK_BYTES] = np.arange(CHUNK_BYTES) % 251
    (path / "1").write_bytes(chunk)


@pytest.mark.parametrize("name", V2_CODECS)
def test_a_bomb_costs_no_more_than_the_budget(
    rechunk: Rechunk, tmp_path: Path, name: str
) -> None:
    """A chunk of 1 MiB that would decode to 256 MiB."""
    encoded = numcodecs.get_codec(V2_CODECS[name]).encode(bytes(BOMB_BYTES))
    assert len(encoded) * 200 < BOMB_BYTES
    make_source(tmp_path / "a", V2_CODECS[name], bytes(encoded))
    # With its tables, zstd within blosc needs more than the others.
    message = refuse_run(rechunk, tmp_path, memory_bytes=2 * MEMORY_BYTES)
    assert f"{tmp_path}/a/1" in message
    assert str(CHUNK_BYTES) in message


@pytest.mark.parametrize("name", V2_CODECS)
def test_an_honest_bomb_must_fit_the_budget(
    rechunk: Rechunk, tmp_path: Path, name: str
) -> None:
    """The metadata say 256 MiB, and so do the data: more memory is needed."""
    codec = numcodecs.get_codec(V2_CODECS[name])
    zarr.create_array(
        tmp_path / "a",
        shape=(BOMB_BYTES,),
        chunks=(BOMB_BYTES,),
        dtype="u1",
        zarr_format=2,
        compressors=codec,
    )
    (tmp_path / "a" / "0").write_bytes(bytes(codec.encode(bytes(BOMB_BYTES))))
    message = refuse_run(rechunk, tmp_path)
    assert "--max-memory" in message


def gzip_members() -> bytes:
    """A thousand members of as much as the whole chunk may hold."""
    member = numcodecs.GZip(level=9).encode(bytes(CHUNK_BYTES))
    return bytes(member) * 1000


def zstd_frames() -> bytes:
    """The same in frames."""
    return bytes(numcodecs.Zstd(level=1).encode(bytes(CHUNK_BYTES))) * 1000


def zstd_claim() -> bytes:
    """A frame header that claims 2^62 bytes and a window of as many."""
    return (
        b"\x28\xb5\x2f\xfd" + b"\xe0" + struct.pack("<Q", 1 << 62) + b"\1\0\0"
    )


def zstd_window() -> bytes:
    """A frame without size whose window is 3.75 TiB."""
    return b"\x28\xb5\x2f\xfd" + b"\x00" + b"\xff" + b"\3\0\0\0"


def lz4_claim() -> bytes:
    """The size of the largest block there can be, and more."""
    return b"\xff\xff\xff\xff" + b"\x1f\0\1\0" * 10


def blosc_claim() -> bytes:
    """Sizes of 2 GiB in a buffer of 64 bytes."""
    sizes = struct.pack("<III", 0x7FFFFFFF, 0x7FFFFFFF, 64)
    return b"\2\1\0\1" + sizes + bytes(48)


def zlib_trailing() -> bytes:
    """A whole stream, and another behind it."""
    return zlib.compress(bytes(CHUNK_BYTES)) * 2


@pytest.mark.parametrize(
    ("codec", "chunk"),
    [
        ("gzip", gzip_members),
        ("zstd", zstd_frames),
        ("zstd", zstd_claim),
        ("zstd", zstd_window),
        ("lz4", lz4_claim),
        ("blosc-lz4", blosc_claim),
        ("zlib", zlib_trailing),
    ],
)
def test_sizes_in_headers_are_not_believed(
    rechunk: Rechunk, tmp_path: Path, codec: str, chunk: Callable[[], bytes]
) -> None:
    """Nothing is allocated for what a header claims."""
    make_source(tmp_path / "a", V2_CODECS[codec], chunk())
    refused = refuse_run(rechunk, tmp_path, chunks="1000000")
    assert f"{tmp_path}/a/1" in refused


def test_a_blosc_buffer_of_one_block_is_refused(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """The library would take three times the block beside the budget."""
    chunk_bytes = 48 << 20
    zarr.create_array(
        tmp_path / "a",
        shape=(chunk_bytes,),
        chunks=(chunk_bytes,),
        dtype="u1",
        zarr_format=2,
        compressors=numcodecs.Blosc(cname="zstd", clevel=1, shuffle=0),
    )
    codec = numcodecs.Blosc(
        cname="zstd", clevel=1, shuffle=0, blocksize=chunk_bytes
    )
    data = np.random.default_rng(1).integers(0, 3, chunk_bytes, "u1")
    encoded = bytes(codec.encode(data))
    assert struct.unpack_from("<I", encoded, 8) == (chunk_bytes,)
    (tmp_path / "a" / "0").write_bytes(encoded)
    message = refuse_run(
        rechunk, tmp_path, "--codec", "none", memory_bytes=160_000_000
    )
    assert "blocks of" in message


# --- Shards ---

SHARD_OPTIONS = {"chunks": (5, 10), "shards": (20, 30), "compressors": None}
INNER_BYTES = 4 * 5 * 10


def crc32c(data: bytes) -> bytes:
    """Return the checksum that ends an index."""
    return bytes(numcodecs.CRC32C().encode(data))[-4:]


def write_index(path: Path, entries: list[tuple[int, int]]) -> None:
    """Replace the index of a shard of 12 chunks; the checksum is right."""
    index = b"".join(struct.pack("<QQ", *entry) for entry in entries)
    data = path.read_bytes()[: -(16 * 12 + 4)]
    path.write_bytes(data + index + crc32c(index))


@pytest.mark.parametrize(
    "entry",
    [
        (12 * INNER_BYTES + 200, INNER_BYTES),  # Beyond the end.
        (1 << 63, INNER_BYTES),
        ((1 << 64) - INNER_BYTES, INNER_BYTES),  # The sum wraps to 0.
        (0, 1 << 63),
        (0, (1 << 64) - 1),
        ((1 << 64) - 1, 0),
        (0, 0),
        (0, INNER_BYTES - 1),
        (0, INNER_BYTES + 1),
    ],
)
@pytest.mark.parametrize(
    "chunks", ["auto", "5,10"], ids=["decoded", "moved as stored"]
)
def test_an_entry_that_leads_astray_is_named(
    rechunk: Rechunk, tmp_path: Path, entry: tuple[int, int], chunks: str
) -> None:
    """Offsets and sizes that no shard can have."""
    make_array(tmp_path / "a", **SHARD_OPTIONS)
    entries = [(i * INNER_BYTES, INNER_BYTES) for i in range(12)]
    entries[7] = entry
    write_index(tmp_path / "a" / "c" / "0" / "0", entries)
    message = refuse_run(rechunk, tmp_path, "--shards", "none", chunks=chunks)
    assert f"{tmp_path}/a/c/0/0" in message


@pytest.mark.parametrize("chunks", ["7,7", "5,10"])
def test_entries_that_overlap_are_what_they_say(
    rechunk: Rechunk, tmp_path: Path, chunks: str
) -> None:
    """All chunks in one place, and one across two: as zarr-python reads it."""
    make_array(tmp_path / "a", **SHARD_OPTIONS)
    entries = [(INNER_BYTES, INNER_BYTES)] * 11 + [(100, INNER_BYTES)]
    write_index(tmp_path / "a" / "c" / "0" / "0", entries)
    result = rechunk.ok(
        *("run", tmp_path / "a", tmp_path / "out", "--chunks", chunks),
        *("--shards", "none", "--max-memory", MEMORY_BYTES),
    )
    check_cost(result)
    assert np.array_equal(
        zarr.open_array(tmp_path / "a")[:], zarr.open_array(tmp_path / "out")[:]
    )


def test_a_shard_of_nothing_but_index_is_refused(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """A million inner chunks, all in the same four bytes, which lack."""
    count = 1 << 20
    array = zarr.create_array(
        tmp_path / "a",
        shape=(count,),
        chunks=(1,),
        shards=(count,),
        dtype="u4",
        compressors=None,
    )
    array[0] = 1
    index = struct.pack("<QQ", 1 << 40, 4) * count
    shard = tmp_path / "a" / "c" / "0"
    shard.write_bytes(index + crc32c(index))
    result = rechunk(
        *("run", tmp_path / "a", tmp_path / "out", "--chunks", "1024"),
        *("--shards", "none", "--max-memory", "64MB"),
    )
    assert result.exit_code == 1, str(result)
    assert str(shard) in result.stderr
    check_cost(result, 64_000_000)
    assert not (tmp_path / "out").exists()


# --- What is no file ---


@pytest.mark.parametrize("kind", ["fifo", "device", "looping link"])
def test_chunks_must_be_files(
    rechunk: Rechunk, tmp_path: Path, kind: str
) -> None:
    """Named, and neither waited for nor read without end."""
    make_array(tmp_path / "a")
    path = tmp_path / "a" / "c" / "1" / "0"
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else path)
    assert "c/1/0" in refuse_run(rechunk, tmp_path)
