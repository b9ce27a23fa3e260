"""Zip archives as sources: what zarr-python and zipfile write."""

from __future__ import annotations

import json
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr
from zarr.storage import ZipStore

from binary import Rechunk, binary_path
from servers import Bucket, RechunkOnS3
from trees import data_files

RNG = np.random.default_rng(11)
FIELD = RNG.random((31, 40)).astype("f4")
COUNTS = RNG.integers(0, 9, 1000, "i2")


def write_group(store: object, zarr_format: int) -> None:
    """Two arrays, one of them below a group, and attributes written twice."""
    root = zarr.create_group(store, zarr_format=zarr_format)
    root.create_array("field", data=FIELD, chunks=(4, 40), fill_value=0)
    sharded = {"shards": (400,)} if zarr_format == 3 else {}
    below = root.create_group("below")
    below.create_array("counts", data=COUNTS, chunks=(100,), **sharded)
    root.attrs["title"] = "random"


def repacked(folder: Path, archive: Path, method: int) -> None:
    """Pack a tree as a user does."""
    with zipfile.ZipFile(archive, "w", method) as packed:
        for path in sorted(folder.rglob("*")):
            packed.write(path, path.relative_to(folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write the group as a tree."""
    write_group(tmp_path / "tree", 3)
    return tmp_path / "tree"


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_zarr_python_packs_is_read(
    rechunk: Rechunk, tmp_path: Path, zarr_format: int
) -> None:
    """With documents that stand in the archive twice; nothing is unpacked."""
    source, target = tmp_path / "s.zip", tmp_path / "t.zarr"
    with ZipStore(source, mode="w") as store:
        write_group(store, zarr_format)
    content = source.read_bytes()
    listed = rechunk.ok("info", source, "--json").json()
    assert [array["name"] for array in listed["arrays"]] == [
        "below/counts",
        "field",
    ]
    rechunk.ok(
        *("run", source, target, "--verify", "--max-memory", "300kB"),
        *("--array", "field:31,3", "--array", "below/counts:7"),
    )
    made = zarr.open_group(target, mode="r")
    assert dict(made.attrs) == {"title": "random"}
    np.testing.assert_array_equal(made["field"][...], FIELD)
    np.testing.assert_array_equal(made["below/counts"][...], COUNTS)
    assert made["field"].chunks == (31, 3)
    rechunk.ok("verify", source, target)
    rechunk.ok("verify", f"{source}/field", target / "field")
    assert source.read_bytes() == content
    assert {path.name for path in tmp_path.iterdir()} == {"s.zip", "t.zarr"}


def with_zip64(folder: Path, archive: Path) -> None:
    """Sizes in fields of zip64, and padding behind the local headers."""
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_dir():
                continue
            info = zipfile.ZipInfo(str(path.relative_to(folder)))
            info.extra = struct.pack("<HH5x", 0xCAFE, 5)
            with packed.open(info, "w", force_zip64=True) as entry:
                entry.write(path.read_bytes())


def unseekable(folder: Path, archive: Path) -> None:
    """Sizes and checksums behind the data."""

    class Pipe:
        def __init__(self, file: object) -> None:
            self.write, self.flush = file.write, file.flush

    with archive.open("wb") as file, zipfile.ZipFile(Pipe(file), "w") as packed:
        for path in sorted(folder.rglob("*")):
            packed.write(path, path.relative_to(folder))


def with_more_around(folder: Path, archive: Path) -> None:
    """A program before the archive, and a comment behind it."""
    repacked(folder, archive, zipfile.ZIP_STORED)
    content = b"#!/bin/sh\n" * 77 + archive.read_bytes()
    archive.write_bytes(content[:-2] + struct.pack("<H", 5) + b"words")


PACKERS: dict[str, Callable[[Path, Path], None]] = {
    "stored": lambda a, b: repacked(a, b, zipfile.ZIP_STORED),
    "deflated": lambda a, b: repacked(a, b, zipfile.ZIP_DEFLATED),
    "zip64": with_zip64,
    "unseekable": unseekable,
    "around": with_more_around,
}


@pytest.mark.parametrize("name", PACKERS)
def test_archives_of_all_kinds_hold_the_same(
    rechunk: Rechunk, tmp_path: Path, folder: Path, name: str
) -> None:
    """Elements, and each object as it is."""
    archive = tmp_path / "s.zip"
    PACKERS[name](folder, archive)
    assert zipfile.ZipFile(archive).testzip() is None
    rechunk.ok("verify", archive, folder)
    rechunk.ok("run", archive, tmp_path / "t", "--codec", "none", "--verify")
    rechunk.ok("run", archive, tmp_path / "same")
    for key, path in data_files(folder).items():
        assert (tmp_path / "same" / key).read_bytes() == path.read_bytes()


def patched(content: bytes, mark: bytes, at: int, value: bytes) -> bytes:
    """Change a record of the archive: the last with that mark."""
    place = content.rindex(mark) + at
    return content[:place] + value + content[place + len(value) :]


def renamed(content: bytes, old: bytes, new: bytes) -> bytes:
    """Change a name in headers and in the directory."""
    assert len(old) == len(new)
    return content.replace(old, new)


RECORD, END = b"PK\x01\x02", b"PK\x05\x06"
REFUSED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut off": (lambda c: c[:-9], "its end is missing"),
    "two ends": (
        lambda c: c[:-2] + struct.pack("<H", 22) + END + bytes(18),
        "several end records",
    ),
    "two disks": (lambda c: patched(c, END, 4, b"\1"), "several files"),
    "more entries": (lambda c: patched(c, END, 8, b"\1\0\1\0"), "more entries"),
    "overlap": (lambda c: patched(c, RECORD, 42, bytes(4)), "overlaps"),
    "too long": (
        lambda c: patched(c, RECORD, 20, b"\xff\xff\xff\1\xff\xff\xff\1"),
        "overlaps another entry or leads out",
    ),
    "upwards": (
        lambda c: renamed(c, b"field/c/0/0", b"field/../.."),
        "leads out",
    ),
    "absolute": (lambda c: renamed(c, b"field/c/0/0", b"/ield/c/0/0"), "leads"),
    "encrypted": (
        lambda c: c.replace(b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0\1"),
        "encrypted",
    ),
    "method": (
        lambda c: patched(c, RECORD, 10, b"\x0e"),
        "neither stored nor deflated",
    ),
    "other name": (
        lambda c: patched(c, RECORD, 46, b"zarr.j\xc3\xb6"),
        "",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_archive_is_refused_and_named(
    rechunk: Rechunk, tmp_path: Path, folder: Path, name: str
) -> None:
    """The target does not come to be."""
    archive, target = tmp_path / "s.zip", tmp_path / "t.zarr"
    repacked(folder, archive, zipfile.ZIP_STORED)
    change, cause = REFUSED[name]
    archive.write_bytes(change(archive.read_bytes()))
    failed = rechunk.fails("run", archive, target, "--codec", "none")
    assert str(archive) in failed.stderr, str(failed)
    assert cause in failed.stderr, str(failed)
    assert not (target / "zarr.json").exists()


def test_an_archive_is_not_written_by_its_reader(
    rechunk: Rechunk, tmp_path: Path, folder: Path
) -> None:
    """Neither itself nor into it."""
    archive = tmp_path / "s.zip"
    repacked(folder, archive, zipfile.ZIP_STORED)
    content = archive.read_bytes()
    for source, target, cause in (
        (archive, archive, "same place"),
        (archive, archive / "field", "within each other"),
        (folder, archive / "new", "it is a zip archive"),
    ):
        for flags in ((), ("--overwrite",)):
            failed = rechunk.fails("run", source, target, *flags)
            assert cause in failed.stderr, str(failed)
    assert archive.read_bytes() == content


def test_damage_gives_an_error_or_the_right_data(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Also in bytes of chunks, which the archive has a checksum for."""
    archive, target = tmp_path / "s.zip", tmp_path / "t.zarr"
    with ZipStore(archive, mode="w") as store:
        zarr.create_array(
            store, data=FIELD[:8], chunks=(4, 40), compressors=None
        )
    whole = archive.read_bytes()
    ended_well = 0
    for round_ in range(40):
        content = bytearray(whole)
        if round_ % 4 == 0:
            del content[RNG.integers(len(content)) :]
        else:
            content[RNG.integers(len(content))] ^= 1 << RNG.integers(8)
        archive.write_bytes(content)
        result = rechunk(
            *("run", archive, target, "--chunks", "8,5", "--overwrite")
        )
        if result.exit_code == 0:
            read = zarr.open_array(target, mode="r")[...]
            np.testing.assert_array_equal(read, FIELD[:8], str(round_))
            ended_well += 1
        else:
            assert result.exit_code == 1, str(result)
            assert str(archive) in result.stderr, str(result)
    assert 0 < ended_well < 20


def test_archives_and_references_in_buckets_are_read(
    bucket: Bucket, tmp_path: Path, folder: Path
) -> None:
    """By ranges; references there name no local files."""
    rechunk = RechunkOnS3(binary_path(), bucket)
    repacked(folder, bucket.folder / "s.zip", zipfile.ZIP_STORED)
    source = bucket.url("s.zip")
    rechunk.ok("run", source, tmp_path / "t", "--array", "field:31,3")
    rechunk.ok("verify", source, folder)
    rechunk.ok("verify", tmp_path / "t", folder)
    (bucket.folder / "deep").mkdir()
    array = zarr.open_array(folder / "field")
    for name in ("x", "deep/x"):
        shutil.copy(folder / "field/c/7/0", bucket.folder / f"{name}.bin")
    refs = {"zarr.json": (folder / "field/zarr.json").read_text()}
    places = {
        "x.bin": True,
        bucket.url("deep/x.bin"): True,
        "../x.bin": False,
        "s3://elsewhere/x.bin": False,
        str(folder / "field/c/7/0"): False,
        "http://169.254.169.254/latest": False,
    }
    for place, allowed in places.items():
        refs["c/7/0"] = [place]
        (bucket.folder / "r.json").write_text(json.dumps(refs))
        run = ("run", bucket.url("r.json"), tmp_path / "r", "--overwrite")
        if allowed:
            rechunk.ok(*run)
            made = zarr.open_array(tmp_path / "r")
            np.testing.assert_array_equal(made[28:], array[28:])
        else:
            failed = rechunk.fails(*run, "--references-below", "/")
            assert place in failed.stderr, str(failed)
