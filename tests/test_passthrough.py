"""Encoded chunks move between shards and objects without being decoded."""

from __future__ import annotations

import itertools
import json
import struct
from pathlib import Path

import google_crc32c
import numpy as np
import pytest
import zarr

from binary import Rechunk
from compare import assert_same_elements, read
from compare import read_with_tensorstore as tensorstore_read
from trees import assert_no_partial_files, data_files

pytestmark = pytest.mark.any_place

SEED = 4711
CASES = 80
MISSING = 2**64 - 1
CODECS: list[list[dict]] = [
    [],
    [{"name": "zstd", "configuration": {"level": 3, "checksum": False}}],
    [{"name": "gzip", "configuration": {"level": 1}}],
    [
        {
            "name": "blosc",
            "configuration": {
                "cname": "lz4",
                "clevel": 5,
                "shuffle": "shuffle",
                "typesize": 4,
                "blocksize": 0,
            },
        }
    ],
]
Chunks = dict[tuple[int, ...], bytes]


def sharding(
    chunks: list[int], inner: list[dict], start: bool, crc32c: bool
) -> dict:
    """Return a sharding codec with such an index."""
    little = {"name": "bytes", "configuration": {"endian": "little"}}
    configuration = {
        "chunk_shape": chunks,
        "codecs": inner,
        "index_codecs": [little, *([{"name": "crc32c"}] if crc32c else [])],
        "index_location": "start" if start else "end",
    }
    return {"name": "sharding_indexed", "configuration": configuration}


def write_document(
    path: Path, shape: list[int], grid: list[int], codecs: list[dict]
) -> zarr.Array:
    """Make an empty v3 array of float32 with such codecs."""
    path.mkdir()
    document = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": shape,
        "data_type": "float32",
        "chunk_grid": {
            "name": "regular",
            "configuration": {"chunk_shape": grid},
        },
        "chunk_key_encoding": {"name": "default"},
        "fill_value": -7.5,
        "codecs": codecs,
        "attributes": {},
    }
    (path / "zarr.json").write_text(json.dumps(document))
    return zarr.open_array(path)


def encoded_chunks(path: Path) -> Chunks:
    """Read all encoded chunks by the specification, those in shards too."""
    if (path / ".zarray").exists():
        separator = json.loads((path / ".zarray").read_text()).get(
            "dimension_separator", "."
        )
        return {
            tuple(map(int, name.split(separator))): file.read_bytes()
            for name, file in data_files(path).items()
        }
    document = json.loads((path / "zarr.json").read_text())
    grid = document["chunk_grid"]["configuration"]["chunk_shape"]
    chunks: Chunks = {}
    for name, file in data_files(path).items():
        place = tuple(map(int, name.split("/")[1:]))
        (codec, *_) = document["codecs"]
        if codec["name"] != "sharding_indexed":
            chunks[place] = file.read_bytes()
            continue
        parts = encoded_in_shard(file.read_bytes(), grid, codec)
        counts = shard_counts(grid, codec)
        assert parts, f"a shard without chunks was written: {name}"
        for within, data in parts.items():
            cell = zip(place, counts, within)
            chunks[tuple(p * n + w for p, n, w in cell)] = data
    return chunks


def shard_counts(grid: list[int], codec: dict) -> list[int]:
    """Return the inner chunks of a shard per axis."""
    inner = codec["configuration"]["chunk_shape"]
    return [g // c for g, c in zip(grid, inner)]


def encoded_in_shard(data: bytes, grid: list[int], codec: dict) -> Chunks:
    """Take a shard apart; check its index."""
    configuration = codec["configuration"]
    counts = shard_counts(grid, codec)
    has_crc32c = len(configuration["index_codecs"]) == 2
    size = 16 * int(np.prod(counts)) + (4 if has_crc32c else 0)
    at_start = configuration.get("index_location") == "start"
    index = data[:size] if at_start else data[-size:]
    if has_crc32c:
        (stored,) = struct.unpack("<I", index[-4:])
        assert google_crc32c.value(index[:-4]) == stored
    chunks = {}
    for number, place in enumerate(itertools.product(*map(range, counts))):
        offset, length = struct.unpack_from("<QQ", index, 16 * number)
        if (offset, length) != (MISSING, MISSING):
            chunks[place] = data[offset : offset + length]
    return chunks


class Case:
    """A random source, and what to make of it."""

    def __init__(self, seed: int, folder: Path) -> None:
        rng = np.random.default_rng((SEED, seed))
        rank = int(rng.integers(1, 4))
        self.shape = [int(n) for n in rng.integers(1, 40, rank)]
        self.chunks = [int(n) for n in rng.integers(1, 12, rank)]
        inner = [
            {"name": "bytes", "configuration": {"endian": "little"}},
            *CODECS[rng.integers(0, len(CODECS))],
        ]
        self.path = folder / "source"
        self.sharded = bool(rng.random() < 0.7)
        if self.sharded:
            start, crc32c = rng.random(2) < 0.5
            grid = self._shards(rng)
            codecs = [sharding(self.chunks, inner, bool(start), bool(crc32c))]
        else:
            grid, codecs = self.chunks, inner
        array = write_document(self.path, self.shape, grid, codecs)
        self._write(rng, array)
        self.arguments = self._arguments(rng)

    def _shards(self, rng: np.random.Generator) -> list[int]:
        return [int(c * rng.integers(1, 5)) for c in self.chunks]

    def _write(self, rng: np.random.Generator, array: zarr.Array) -> None:
        """Fill some boxes, so that chunks and whole shards are missing."""
        if rng.random() < 0.4:
            array[...] = rng.random(self.shape, dtype="f4")
        for _ in range(rng.integers(0, 4)):
            box = []
            for length in self.shape:
                start, stop = sorted(rng.integers(0, length + 1, 2))
                box.append(slice(int(start), int(stop)))
            if all(part.start < part.stop for part in box):
                extent = [part.stop - part.start for part in box]
                array[tuple(box)] = rng.random(extent, dtype="f4")

    def _arguments(self, rng: np.random.Generator) -> list[str]:
        if self.sharded and rng.random() < 0.4:
            to_v2 = ["--zarr-format", "2"] if rng.random() < 0.5 else []
            return ["--shards", "none", *to_v2]
        return ["--shards", ",".join(map(str, self._shards(rng)))]


@pytest.mark.parametrize("batch", range(8))
def test_chunks_move_as_they_are(
    rechunk: Rechunk, tmp_path: Path, batch: int
) -> None:
    """Same encoded bytes, same elements, nothing decoded, counts as planned."""
    for seed in range(batch, CASES, 8):
        folder = tmp_path / str(seed)
        folder.mkdir()
        case = Case(seed, folder)
        try:
            check_case(rechunk, case, folder / "target", seed)
        except Exception as error:
            error.add_note(f"seed {seed}: {vars(case)}")
            raise


def check_case(rechunk: Rechunk, case: Case, target: Path, seed: int) -> None:
    """Run with the smallest budget, or with plenty."""
    command = ["run", case.path, target, *case.arguments, "--json"]
    command += ["--verify"] if seed % 3 == 0 else []
    budget = 64 << 20
    if seed % 2:
        refused = rechunk.fails(*command, "--max-memory", 1)
        budget = refused.smallest_budget_bytes()
    result = rechunk.ok(*command, "--max-memory", budget, "--threads", 2)
    (array,) = result.json()["arrays"]
    assert array["method"] == "passthrough"
    (stage,) = array["stages"]
    assert stage["bytes_decoded"] == stage["bytes_encoded"] == 0
    for name in ("objects_read", "objects_written", "tasks"):
        both = stage["counted"][name] + stage["skipped"].get(name, 0)
        assert both == stage[name], (name, stage)
    for name in ("bytes_decoded", "bytes_encoded"):
        assert stage["counted"][name] == stage["skipped"][name] == 0
    assert stage["counted"]["objects_written"] == len(data_files(target))
    before = encoded_chunks(case.path)
    assert encoded_chunks(target) == before
    assert_same_elements(read(target), read(case.path))
    zarr_format = 2 if "--zarr-format" in case.arguments else 3
    if before:
        elements = tensorstore_read(target, zarr_format)
        assert_same_elements(elements, read(case.path))
    assert_no_partial_files(target)


def test_v2_chunks_become_shards(rechunk: Rechunk, tmp_path: Path) -> None:
    """Across formats: v2 chunks lie in shards of v3, and come out again."""
    source, shards, back = (tmp_path / name for name in "abc")
    array = zarr.create_array(
        source,
        shape=(50, 41),
        chunks=(7, 6),
        dtype="f4",
        zarr_format=2,
        compressors={"id": "zstd", "level": 5},
    )
    array[:44] = np.random.default_rng(1).random((44, 41), dtype="f4")
    flags = ["--zarr-format", "3", "--shards", "21,18", "--verify", "--json"]
    to_v2 = ["--zarr-format", "2", "--shards", "none", "--json"]
    for run in ((source, shards, *flags), (shards, back, *to_v2)):
        (report,) = rechunk.ok("run", *run).json()["arrays"]
        assert report["method"] == "passthrough"
    assert encoded_chunks(shards) == encoded_chunks(source)
    assert encoded_chunks(back) == encoded_chunks(source)
    assert_same_elements(read(shards), array[...])
    assert_same_elements(read(back), array[...])


def make_sharded(path: Path) -> zarr.Array:
    """Write an array in shards with random data."""
    little = {"name": "bytes", "configuration": {"endian": "little"}}
    codecs = [sharding([5, 4], [little, *CODECS[1]], False, True)]
    array = write_document(path, [33, 30], [10, 12], codecs)
    array[...] = np.random.default_rng(2).random((33, 30), dtype="f4")
    return array


@pytest.mark.parametrize(
    ("codec", "method"),
    [
        ("zstd:3", "passthrough"),
        ("zstd:4", "direct"),
        ("none", "direct"),
        ("zstd:3+crc32c", "direct"),
    ],
)
def test_another_codec_encodes_anew(
    rechunk: Rechunk, tmp_path: Path, codec: str, method: str
) -> None:
    """One that differs in any field."""
    array = make_sharded(tmp_path / "a")
    flags = ["--shards", "15,4", "--codec", codec, "--verify", "--json"]
    result = rechunk.ok("run", tmp_path / "a", tmp_path / "b", *flags)
    (report,) = result.json()["arrays"]
    assert report["method"] == method
    assert_same_elements(read(tmp_path / "b"), array[...])


def test_shards_in_shards_are_decoded(rechunk: Rechunk, tmp_path: Path) -> None:
    """Only one level of shards is taken apart."""
    little = {"name": "bytes", "configuration": {"endian": "little"}}
    inner = sharding([5, 4], [little, *CODECS[1]], False, True)
    codecs = [sharding([10, 12], [inner], False, True)]
    array = write_document(tmp_path / "a", [33, 30], [20, 24], codecs)
    array[...] = np.random.default_rng(3).random((33, 30), dtype="f4")
    flags = ["--shards", "none", "--verify", "--json"]
    result = rechunk.ok("run", tmp_path / "a", tmp_path / "b", *flags)
    assert result.json()["arrays"][0]["method"] == "direct"
    assert_same_elements(read(tmp_path / "b"), array[...])


def test_chunks_that_cannot_be_decoded_move(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Strings leave their shards; verification compares encoded chunks."""
    source, target = tmp_path / "a", tmp_path / "b"
    array = zarr.create_array(
        source, shape=(40,), chunks=(4,), shards=(16,), dtype="str"
    )
    array[:30] = np.array([f"{'ä' * (i % 7)}{i}" for i in range(30)], object)
    flags = ["--shards", "none", "--verify", "--json"]
    result = rechunk.ok("run", source, target, *flags)
    assert result.json()["arrays"][0]["method"] == "passthrough"
    assert read(target).tolist() == array[...].tolist()
    assert encoded_chunks(target) == encoded_chunks(source)
    rechunk.ok("verify", source, target)
    file = data_files(target)["c/3"]
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    assert rechunk("verify", source, target).exit_code == 1
    file.unlink()
    assert rechunk("verify", source, target).exit_code == 1


@pytest.mark.parametrize("damage", ["cut", "index", "offset"])
def test_damaged_shards_are_named(
    rechunk: Rechunk, tmp_path: Path, damage: str
) -> None:
    """And no target is left that could be opened."""
    make_sharded(tmp_path / "a")
    shard = tmp_path / "a" / "c" / "1" / "1"
    data = bytearray(shard.read_bytes())
    index_bytes = 16 * 6 + 4
    if damage == "cut":
        data = data[: index_bytes - 1]
    if damage == "index":
        data[-index_bytes + 3] ^= 0x40
    if damage == "offset":
        index = bytearray(data[-index_bytes:-4])
        struct.pack_into("<Q", index, 16, len(data) - 3)
        checksum = struct.pack("<I", google_crc32c.value(bytes(index)))
        data[-index_bytes:] = index + checksum
    shard.write_bytes(bytes(data))
    for flags in (["--shards", "none"], ["--shards", "30,24"]):
        target = tmp_path / flags[1]
        result = rechunk.fails("run", tmp_path / "a", target, *flags)
        assert rechunk.word(shard) in result.stderr, str(result)
        assert not (target / "zarr.json").exists()
