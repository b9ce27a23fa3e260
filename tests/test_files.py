"""Files of a source that are no Zarr: copied with their tree, and counted."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk

RNG = np.random.default_rng(31)


def files_below(root: Path) -> set[str]:
    """Every file by its path below the root."""
    return {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file()
    }


def write_files(root: Path, names: list[str]) -> dict[str, bytes]:
    """Write random files, one of which is longer than a block of a copy."""
    contents = {}
    for number, name in enumerate(names):
        content = RNG.bytes(3_000_001 if number == 0 else number * 100)
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
        contents[name] = content
    return contents


def make_spatial_data(root: Path, zarr_format: int) -> dict[str, bytes]:
    """Write arrays with what OME-Zarr, SpatialData and NCZarr put beside them.

    Some of the files are named as chunks are, but lie in groups.
    """
    group = zarr.open_group(root, mode="w", zarr_format=zarr_format)
    for path in ("0/0", "image/1", "labels"):
        array = group.create_array(
            path, shape=(50, 41), chunks=(7, 41), dtype="u2"
        )
        array[:] = RNG.integers(0, 99, (50, 41))
    group.create_group("points/transcripts")
    return write_files(
        root,
        [
            "points/transcripts/points.parquet/part.0.parquet",
            "OME/METADATA.ome.xml",
            "README.md",
            "0/0/.nczarray",
            "labels/labels.pam.aux.xml",
            "image/1.0",
            "points/0",
            "points/empty file",
            "c/0/1",
            ".hidden",
        ],
    )


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("to_format", [2, 3])
def test_files_are_copied_with_their_tree(
    rechunk: Rechunk, tmp_path: Path, zarr_format: int, to_format: int
) -> None:
    """All files arrive, with the same bytes, and nothing else does."""
    contents = make_spatial_data(tmp_path / "s", zarr_format)
    result = rechunk.ok(
        "run", tmp_path / "s", tmp_path / "t", "--chunks", "50,3", "--json",
        "--verify", "--zarr-format", to_format, "--strict",
    )  # fmt: skip
    assert result.json()["files"] == {
        "copied": len(contents),
        "bytes": sum(map(len, contents.values())),
    }
    for name, content in contents.items():
        assert (tmp_path / "t" / name).read_bytes() == content
    assert {
        name
        for name in files_below(tmp_path / "t")
        if name not in contents and not is_zarr(name)
    } == set()
    for path in ("0/0", "image/1", "labels"):
        np.testing.assert_array_equal(
            zarr.open_array(tmp_path / "t" / path)[:],
            zarr.open_array(tmp_path / "s" / path)[:],
        )


def is_zarr(name: str) -> bool:
    """A document, or a chunk of the three arrays."""
    last = name.rpartition("/")[2]
    documents = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")
    return last in documents or last.replace(".", "").isdigit()


def test_a_root_array_keeps_its_files(rechunk: Rechunk, tmp_path: Path) -> None:
    """Also where chunks lie beside them, and whatever their separator."""
    for separator in "./":
        source, target = tmp_path / f"s{separator == '.'}", tmp_path / "t"
        array = zarr.create_array(
            source, shape=(9, 8), chunks=(2, 8), dtype="f4", zarr_format=2,
            chunk_key_encoding={"name": "v2", "separator": separator},
        )  # fmt: skip
        array[:] = 1
        contents = write_files(source, ["a.xml", "1.0.tif", "4.x/0", "0.0.gz"])
        rechunk.ok(
            "run", source, target, "--chunks", "9,1", "--overwrite", "--strict"
        )
        for name, content in contents.items():
            assert (target / name).read_bytes() == content
        assert not any(
            name in files_below(target) for name in ("1.0", "1/0", "4.0", "4/0")
        )


def test_files_may_be_left_out(rechunk: Rechunk, tmp_path: Path) -> None:
    """Then nothing is copied, and the report says so."""
    make_spatial_data(tmp_path / "s", 3)
    result = rechunk.ok(
        "run", tmp_path / "s", tmp_path / "t", "--chunks", "50,3", "--json",
        "--without-files",
    )  # fmt: skip
    assert result.json()["files"] == {"copied": 0, "bytes": 0}
    assert all(is_zarr(name) for name in files_below(tmp_path / "t"))


def test_what_cannot_be_read_is_said(rechunk: Rechunk, tmp_path: Path) -> None:
    """Links that lead nowhere and pipes are noted; with --strict they stop."""
    make_spatial_data(tmp_path / "s", 3)
    (tmp_path / "s" / "link.txt").symlink_to("/nowhere/at/all")
    (tmp_path / "s" / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "s" / "labels" / "pipe")
    names = ["labels/pipe", "link.txt", "loop"]
    text = "left out, because it cannot be read"
    result = rechunk.ok(
        "run", tmp_path / "s", tmp_path / "t", "--chunks", "50,3", "--json"
    )
    assert f"note: {text}: {', '.join(names)}\n" in result.stderr
    assert result.json()["notes"] == [
        {"kind": "files", "arrays": names, "text": text}
    ]
    strict = rechunk(
        "run", tmp_path / "s", tmp_path / "u", "--chunks", "50,3", "--strict"
    )
    assert strict.exit_code == 1 and "link.txt" in strict.stderr
    assert not (tmp_path / "u" / "zarr.json").exists()


def test_runs_within_the_source_are_no_files(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """What other runs keep below the source is theirs."""
    make_spatial_data(tmp_path / "s", 3)
    write_files(
        tmp_path / "s",
        ["image/2.rechunk/plan.json", "image/.2.rechunk-temp/0/1/2"],
    )
    rechunk.ok("run", tmp_path / "s", tmp_path / "t", "--chunks", "50,3")
    assert not any("rechunk" in name for name in files_below(tmp_path / "t"))
