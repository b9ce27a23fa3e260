"""Messages say what there is, and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk

# The first bytes of a file, what it is called, and a part of the hint.
FILES = {
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(9), "HDF5", "xarray.open_dataset"),
    "netcdf3": (b"CDF\x02" + bytes(9), "NetCDF-3", "xarray.open_dataset"),
    "grib": (b"GRIB" + bytes(9), "GRIB", "cfgrib"),
    "tiff": (b"II*\0" + bytes(9), "TIFF", "rioxarray"),
    "zip": (b"PK\x03\x04" + bytes(9), "zip", "end in .zip"),
    "parquet": (b"PAR1" + bytes(9), "parquet", "pandas"),
    "references": (b'{"version": 1, "refs": {}}', "kerchunk", "in .json"),
    "document": (b'{"zarr_format": 3}', "metadata", "folder that holds it"),
    "gzip": (b"\x1f\x8b\x08" + bytes(9), "gzip", "unpack"),
    "text": (b"hello", "a file", ""),
    "nothing": (b"", "a file", ""),
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write a small array."""
    elements = np.random.default_rng(3).random((400, 300))
    zarr.create_array(tmp_path / "s.zarr", data=elements, chunks=(3, 300))
    return tmp_path / "s.zarr"


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_told_by_what_it_holds(
    rechunk: Rechunk, source: Path, name: str
) -> None:
    """As source, as target, and to look at; it stays as it is."""
    content, called, hint = FILES[name]
    path = source.parent / "x"
    path.write_bytes(content)
    for arguments in (
        ("info", path),
        ("run", path, source.parent / "t.zarr", "--chunks", "all"),
        ("run", source, path, "--chunks", "all", "--overwrite"),
        ("run", source, path, "--region", "all"),
        ("verify", source, path),
    ):
        failed = rechunk.fails(*arguments)
        assert f"opening {path}: it is " in failed.stderr, str(failed)
        assert called in failed.stderr and hint in failed.stderr, str(failed)
        assert "are folders" in failed.stderr
    assert path.read_bytes() == content


def test_nothing_and_an_empty_folder_are_told_apart(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """A typo is another mistake."""
    (tmp_path / "empty").mkdir()
    assert (
        "it is an empty folder"
        in rechunk.fails("info", tmp_path / "empty").stderr
    )
    assert (
        "it does not exist" in rechunk.fails("info", tmp_path / "typo").stderr
    )


@pytest.mark.parametrize("chunks", ["400,7", "399,300", "all"])
def test_the_memory_that_would_do_does(
    rechunk: Rechunk, source: Path, chunks: str
) -> None:
    """In a form that one types, no less than what it needs."""
    run = ("run", source, source.parent / "t.zarr", "--chunks", chunks)
    failed = rechunk.fails(*run, "--max-memory", "1kB")
    found = re.search(r"--max-memory (\d+[KMG]?i?B) would do", failed.stderr)
    assert found, str(failed)
    rechunk.ok(*run, "--max-memory", found.group(1))


def test_discard_does_not_say_that_it_resumes(
    rechunk: Rechunk, source: Path
) -> None:
    """Where there is nothing to discard."""
    failed = rechunk.fails("discard", source)
    assert "no unfinished run is there" in failed.stderr
    assert "resuming" not in failed.stderr


def test_what_cannot_be_opened_is_named_once(
    rechunk: Rechunk, source: Path
) -> None:
    """A chunk that is a link to itself."""
    chunk = source / "c" / "5" / "0"
    chunk.unlink()
    chunk.symlink_to("0")
    failed = rechunk.fails(
        "run", source, source.parent / "t", "--chunks", "all"
    )
    assert failed.stderr.count(str(chunk)) == 1, str(failed)


# Large chunks without data: planning is all that is done.
@pytest.mark.parametrize(
    ("source_codec", "chunks", "codec", "named"),
    [
        ("blosc", "all", (), "blosc"),
        ("blosc", "2,all", (), "blosc"),
        ("zstd", "all", ("--codec", "blosc:lz4:5"), "blosc"),
        (
            "zstd",
            "all",
            ("--zarr-format", "3", "--codec", "blosc:lz4:5+crc32c"),
            "blosc",
        ),
        ("lz4", "all", (), "lz4"),
    ],
)
def test_chunks_beyond_what_a_codec_holds_are_refused_by_the_plan(
    rechunk: Rechunk,
    tmp_path: Path,
    source_codec: str,
    chunks: str,
    codec: tuple[str, ...],
    named: str,
) -> None:
    """With array, chunk, codec and limit; smaller ones are planned."""
    import numcodecs

    made = {
        "blosc": numcodecs.Blosc("lz4"),
        "zstd": numcodecs.Zstd(1),
        "lz4": numcodecs.LZ4(),
    }
    zarr.create_group(tmp_path / "s", zarr_format=2).create_array(
        "big",
        shape=(3, 1 << 30),
        chunks=(1, 1 << 27),
        dtype="u1",
        compressors=made[source_codec],
    )
    plan = ("plan", tmp_path / "s", tmp_path / "t", "--max-memory", "30GiB")
    failed = rechunk.fails(*plan, "--chunks", chunks, *codec)
    assert "array big" in failed.stderr, str(failed)
    assert f"with {named}: " in failed.stderr, str(failed)
    assert re.search(r"more than the 21\d{8} ", failed.stderr), str(failed)
    assert "smaller chunks or another codec" in failed.stderr
    rechunk.ok(*plan, "--chunks", "1,all", *codec)
    rechunk.ok(*plan, "--chunks", "all", "--codec", "zstd:1")


def test_options_are_spelled_as_flags(rechunk: Rechunk, tmp_path: Path) -> None:
    """By whoever prints a note; a saved plan may be read by others."""
    nan = {"x": float("nan")}
    source = zarr.create_group(tmp_path / "s", zarr_format=2, attributes=nan)
    source.create_array("t", data=np.ones((4, 4)), chunks=(1, 4))
    words = (tmp_path / "s", tmp_path / "t", "--zarr-format", "3")
    note = "refuse; --nan-attributes text writes them as strings"
    saved = tmp_path / "plan.json"
    planned = rechunk.ok("plan", *words, "--json", "--save", saved)
    assert note in planned.stderr and note in planned.stdout
    assert "--" not in saved.read_text()
    assert "nan_attributes_as_text" in saved.read_text()
    done = rechunk.ok("task", saved, 0, 0, "all")
    assert "the target is complete" in done.stderr
    refused = rechunk.fails("run", *words, "--strict")
    assert note in refused.stderr
    assert "hint: without --strict these are notes" in refused.stderr
