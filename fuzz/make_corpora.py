"""Makes the seeds of the fuzz targets: small inputs, valid and odd ones.

`python fuzz/make_corpora.py RECHUNK_BINARY` writes fuzz/corpora/TARGET/NAME.
Every run gives the same files. What fuzzing finds goes into fuzz/findings.
"""

from __future__ import annotations

import io
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numcodecs
import numpy as np
import zarr

from seed_documents import HIERARCHIES, V2_DOCUMENTS, V3_DOCUMENTS, named
from seed_texts import (
    CHUNKS,
    CODECS,
    FLAGS,
    JOURNALS,
    JSON,
    PAPERS,
    REFERENCES,
    SIZES,
    Objects,
)

CORPORA = Path(__file__).resolve().parent / "corpora"
DATA = np.arange(60, dtype="<i4").reshape(6, 10) % 17


def write(target: str, name: str, content: bytes | str) -> None:
    """Write one seed."""
    folder = CORPORA / target
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        content = content.encode()
    (folder / name).write_bytes(content)


def archive(objects: Objects) -> bytes:
    """Return a store as one text, as `parse_objects` takes it apart."""
    return b"\n".join(
        f"=== {key}\n".encode() + content for key, content in objects.items()
    )


def tree(path: Path) -> Objects:
    """Read a store."""
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


def text_seeds() -> None:
    """Seeds that are written down above."""
    for name, text in JSON.items():
        write("json", name, text)
    for digit, texts in enumerate((SIZES, CHUNKS, CODECS, FLAGS, PAPERS)):
        for number, text in enumerate(texts):
            write("specs", f"{digit}-{number}", f"{digit}{text}")
    for name, objects in JOURNALS.items():
        write("journal", name, archive(objects))


def document_seeds() -> None:
    """Documents of arrays and groups."""
    for name, text in V2_DOCUMENTS.items():
        objects = {".zarray": text, ".zattrs": b'{"a": NaN}'}
        write("metadata", f"v2-{name}", archive(objects))
    for name, text in V3_DOCUMENTS.items():
        write("metadata", f"v3-{name}", archive({"zarr.json": text}))
    for name, objects in HIERARCHIES.items():
        write("hierarchy", name, archive(objects))


# --- Bytes ---


def encoders() -> Iterator[list[numcodecs.abc.Codec]]:
    """Yield the seeded chains of fuzz/codecs_fuzz.cc, in its order."""
    zstd, gzip = numcodecs.Zstd(level=1), numcodecs.GZip(level=1)
    zlib, lz4 = numcodecs.Zlib(level=1), numcodecs.LZ4()
    crc = numcodecs.CRC32C()
    yield []
    for name, shuffle in (
        ("lz4", 1),
        ("lz4hc", 0),
        ("blosclz", 2),
        ("zlib", 1),
        ("zstd", 2),
    ):
        yield [numcodecs.Blosc(cname=name, clevel=5, shuffle=shuffle)]
    yield from ([zstd], [gzip], [zlib], [lz4], [crc], [zstd, crc])
    yield [numcodecs.Blosc(cname="lz4"), gzip]
    yield from ([crc, zstd], [lz4, zstd, crc], [gzip, zlib, lz4, crc])


def codec_seeds() -> None:
    """Each chain: whole, cut, of another size, and noise that stays stored."""
    random = np.random.default_rng(5)
    noise = random.integers(0, 1 << 31, 300, dtype="<i4")
    for number, chain in enumerate(encoders()):
        for name, data in (("few", DATA.ravel()), ("noise", noise)):
            encoded = data
            for codec in chain:
                encoded = codec.encode(encoded)
            encoded = bytes(encoded)
            head = struct.pack(">BH", number, data.nbytes)
            write("codecs", f"{number:02}-{name}", head + encoded)
            write("codecs", f"{number:02}-{name}-cut", head + encoded[:-3])
        head = struct.pack(">BH", number, 7)
        write("codecs", f"{number:02}-other-size", head + encoded[:60])
    zeros = bytes(numcodecs.Zstd(level=1).encode(bytes(1 << 20)))
    write("codecs", "bomb", struct.pack(">BH", 6, 9000) + zeros)


def index_seeds() -> None:
    """Shard indices: right, overlapping, pointing outside."""
    entries = {
        "right": [(0, 8), (8, 8), (2**64 - 1, 2**64 - 1), (16, 4)],
        "overlap": [(0, 8), (4, 8), (0, 8), (0, 0)],
        "outside": [(90, 20), (2**63, 1), (1, 2**63), (2**64 - 1, 1)],
    }
    for name, pairs in entries.items():
        index = b"".join(struct.pack("<QQ", *pair) for pair in pairs)
        for flags in (16, 20, 23 | 32):
            head = struct.pack(">BBBH", flags, 1, 1, 100)
            write("shard_index", f"{name}-{flags}", head + index + b"\0" * 4)


# --- Arrays and jobs ---

ARRAYS: dict[str, dict] = {
    "v2": {"zarr_format": 2, "chunks": (4, 3)},
    "v2-raw-f": {
        "zarr_format": 2,
        "chunks": (2, 10),
        "compressors": None,
        "order": "F",
    },
    "v2-blosc": {
        "zarr_format": 2,
        "chunks": (4, 3),
        "compressors": numcodecs.Blosc(cname="lz4"),
    },
    "v3-zstd": {"chunks": (5, 4)},
    "v3-raw": {"chunks": (6, 2), "compressors": None},
    "v3-gzip": {"chunks": (6, 5), "compressors": [named("gzip", level=1)]},
    "v3-crc": {"chunks": (3, 3), "compressors": [{"name": "crc32c"}]},
    "v3-shards": {"chunks": (2, 2), "shards": (4, 4)},
    "v3-shards-raw": {
        "chunks": (2, 5),
        "shards": (6, 10),
        "compressors": None,
        "fill_value": 3,
    },
}
JOBS = [
    "chunks 6,1",
    "chunks all\nmemory 0123456789abc\nv3",
    "chunks 2,3\nshards 4,9\nv3\ncodec zstd:1+crc32c\nempty",
    "v2\ncodec blosc:lz4:1\nconsolidate\nthreads",
]
# Encoded chunks that move between shards, out of them and into them.
MOVES = {
    "v3-shards": ("chunks 2,2\nshards 6,6", "chunks 2,2\nshards none"),
    "v3-shards-raw": ("chunks 2,5\nshards 2,10\nthreads",),
    "v3-zstd": ("chunks 5,4\nshards 10,8",),
}


def array_seeds(scratch: Path) -> None:
    """Arrays with their chunks, for reading and for rechunking."""
    for number, (name, options) in enumerate(ARRAYS.items()):
        path = scratch / name
        array = zarr.create_array(path, shape=DATA.shape, dtype="i4", **options)
        array[:, :7] = DATA[:, :7]
        objects = tree(path)
        write("array", name, archive(objects))
        job = {"options": JOBS[number % len(JOBS)].encode(), **objects}
        write("job", name, archive(job))
        for move, text in enumerate(MOVES.get(name, ())):
            job = {"options": text.encode(), **objects}
            write("job", f"{name}-moved-{move}", archive(job))
    group = {".zgroup": b'{"zarr_format": 2}'}
    for name, objects in (
        ("a", tree(scratch / "v2")),
        ("g/b", tree(scratch / "v2-blosc")),
    ):
        group |= {f"{name}/{key}": value for key, value in objects.items()}
    write("array", "group", archive(group))
    options = {"options": b"array 1,1\nchunks 3,10\nconsolidate"}
    write("job", "group", archive({**options, **group}))


def plan_seeds(scratch: Path, binary: str) -> None:
    """Plan files: direct, passthrough, of shards, staged."""
    wide = zarr.create_array(
        scratch / "wide",
        shape=(40, 40),
        chunks=(40, 1),
        dtype="i4",
        compressors=None,
    )
    wide[:] = 1
    for name, chunks, memory in (
        ("v2", "6,1", "8MB"),
        ("v3-zstd", "5,4", "8MB"),
        ("v3-shards", "4,4", "8MB"),
        ("wide", "1,40", "3kB"),
    ):
        plan = scratch / f"{name}.json"
        flags = ("--chunks", chunks, "--max-memory", memory)
        flags += ("--threads", "1", "--save", str(plan))
        subprocess.run(
            [binary, "plan", scratch / name, scratch / "target", *flags],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        members = json.loads(plan.read_text().replace(str(scratch), "/data"))
        del members["plan_hash"]  # Of text with the name of the folder.
        write("plan", name, json.dumps(members))
    write(
        "plan", "deep", '{"plan_hash": "0", "a": ' + "[" * 60 + "]" * 60 + "}"
    )


def archive_seeds() -> None:
    """Zip archives and references, whole and odd."""
    content = DATA.tobytes()
    for name, method in (("stored", 0), ("deflated", 8)):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as packed:
            for key in ("zarr.json", "c/0/0", "c/0/1"):
                info = zipfile.ZipInfo(key)
                info.compress_type = method
                packed.writestr(info, content)
        write("zip", name, file.getvalue())
        write("zip", f"{name}-cut", file.getvalue()[:-9])
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        with packed.open(zipfile.ZipInfo("a"), "w", force_zip64=True) as entry:
            entry.write(content)
        packed.comment = b"PK\5\6 is a comment"
    write("zip", "zip64-comment", b"before" + file.getvalue())
    for name, document in REFERENCES.items():
        write("references", name, json.dumps(document))


def main() -> None:
    """Write all seeds anew."""
    shutil.rmtree(CORPORA, ignore_errors=True)
    text_seeds()
    document_seeds()
    index_seeds()
    archive_seeds()
    with (
        tempfile.TemporaryDirectory() as scratch,
        mock.patch("gzip.time.time", return_value=0.0),  # In gzip's header.
    ):
        codec_seeds()
        array_seeds(Path(scratch))
        plan_seeds(Path(scratch), str(Path(sys.argv[1]).resolve()))


if __name__ == "__main__":
    main()
