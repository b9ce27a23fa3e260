"""Bad input ends in a clear error, loses nothing and leaves nothing."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk

RNG = np.random.default_rng(11)


def make_array(path: Path, **options: object) -> Path:
    """Write a random (20, 30) array of float32."""
    settings = {"shape": (20, 30), "chunks": (5, 30), "dtype": "f4"}
    array = zarr.create_array(path, **{**settings, **options})
    array[:] = RNG.random((20, 30))
    return path


def tree_hash(path: Path) -> str:
    """Return a hash of all names and contents below a folder."""
    state = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        state.update(str(file.relative_to(path)).encode() + file.read_bytes())
    return state.hexdigest()


def cut(path: Path) -> None:
    """Keep the first half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    """Turn all bits of 8 bytes in the middle."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 8] = bytes(
        b ^ 0xFF for b in data[middle : middle + 8]
    )
    path.write_bytes(bytes(data))


def empty(path: Path) -> None:
    """Leave nothing."""
    path.write_bytes(b"")


def lengthen(path: Path) -> None:
    """Add bytes at the end."""
    path.write_bytes(path.read_bytes() + b"more" * 50_000)


CRC = {"name": "crc32c"}
DAMAGE: list[tuple[dict, str, Callable[[Path], None]]] = [
    ({"zarr_format": 2, "compressors": None}, "1.0", cut),
    ({"zarr_format": 2, "compressors": None}, "1.0", lengthen),
    ({"zarr_format": 2}, "1.0", cut),
    ({"zarr_format": 2}, "1.0", empty),
    ({"zarr_format": 3, "compressors": [CRC]}, "c/1/0", flip),
    ({"zarr_format": 3}, "c/1/0", cut),
    ({"zarr_format": 3}, "c/1/0", lengthen),
    ({"zarr_format": 3, "shards": (10, 30)}, "c/1/0", cut),
    ({"zarr_format": 3, "shards": (10, 30)}, "c/1/0", empty),
    (
        {"zarr_format": 3, "shards": (20, 30), "compressors": [CRC]},
        "c/0/0",
        flip,
    ),
]


@pytest.mark.parametrize(("options", "key", "damage"), DAMAGE)
def test_a_damaged_object_is_named(
    rechunk: Rechunk,
    tmp_path: Path,
    options: dict,
    key: str,
    damage: Callable[[Path], None],
) -> None:
    """The error names the object; the source stays; no target is left."""
    source, target = make_array(tmp_path / "a.zarr", **options), tmp_path / "b"
    damage(source / key)
    before = tree_hash(source)
    result = rechunk("run", source, target, "--chunks", "20,7")
    assert result.exit_code == 1, str(result)
    assert "error: reading" in result.stderr
    assert key in result.stderr
    assert tree_hash(source) == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]


@pytest.mark.parametrize(
    ("document", "part"),
    [
        ("", "zarr.json"),
        ("{", "zarr.json"),
        ("[1, 2]", "zarr.json"),
        ('{"zarr_format": 3, "node_type": "array"}', "shape"),
        ('{"zarr_format": 4, "node_type": "array"}', "zarr_format"),
        (
            '{"zarr_format": 3, "node_type": "array", "shape": [20, 30], '
            '"chunk_grid": {"name": "regular", "configuration": '
            '{"chunk_shape": [0, 30]}}}',
            "chunks of nothing: (0, 30)",
        ),
    ],
)
def test_broken_metadata_is_named(
    rechunk: Rechunk, tmp_path: Path, document: str, part: str
) -> None:
    """The error says which document or member is wrong."""
    source = make_array(tmp_path / "a.zarr")
    (source / "zarr.json").write_text(document)
    result = rechunk("run", source, tmp_path / "b", "--chunks", "20,7")
    assert result.exit_code == 1, str(result)
    assert part in result.stderr
    assert not (tmp_path / "b").exists()


def test_what_is_not_zarr_is_refused(rechunk: Rechunk, tmp_path: Path) -> None:
    """A missing source, and a folder of something else."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "data.nc").write_bytes(b"CDF")
    for name in ("nowhere", "folder"):
        result = rechunk(
            "run", tmp_path / name, tmp_path / "b", "--chunks", "1"
        )
        assert result.exit_code == 1
        assert name in result.stderr


def test_an_existing_target_stays(rechunk: Rechunk, tmp_path: Path) -> None:
    """Without --overwrite; and what is no Zarr stays even with it."""
    source = make_array(tmp_path / "a.zarr")
    other = make_array(tmp_path / "b.zarr")
    before = tree_hash(other)
    result = rechunk("run", source, other, "--chunks", "20,7")
    assert result.exit_code == 1
    assert "--overwrite" in result.stderr
    assert tree_hash(other) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    result = rechunk(
        "run", source, tmp_path / "mine", "--chunks", "20,7", "--overwrite"
    )
    assert result.exit_code == 1
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "precious"
    result = rechunk("run", source, other, "--chunks", "20,7", "--overwrite")
    assert result.exit_code == 0, str(result)
    assert np.array_equal(zarr.open_array(other)[:], zarr.open_array(source)[:])


def test_places_must_not_overlap(rechunk: Rechunk, tmp_path: Path) -> None:
    """A target in the source, around it, or the source itself."""
    source = make_array(tmp_path / "in" / "a.zarr")
    before = tree_hash(source)
    for target in (source, source / "b", tmp_path / "in"):
        result = rechunk(
            "run", source, target, "--chunks", "20,7", "--overwrite"
        )
        assert result.exit_code == 1, str(result)
    assert tree_hash(source) == before


def test_an_unwritable_place_is_named(rechunk: Rechunk, tmp_path: Path) -> None:
    """A path below a file cannot be written, even by root."""
    source = make_array(tmp_path / "a.zarr")
    (tmp_path / "file").write_text("text")
    result = rechunk("run", source, tmp_path / "file" / "b", "--chunks", "20,7")
    assert result.exit_code == 1, str(result)
    assert str(tmp_path / "file") in result.stderr
    assert (tmp_path / "file").read_text() == "text"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a tmpfs")
def test_a_full_disk_is_named(rechunk: Rechunk, tmp_path: Path) -> None:
    """Nothing can be opened; what was done can be removed."""
    source = tmp_path / "a.zarr"
    array = zarr.create_array(
        source, shape=(64, 128, 128), chunks=(1, 128, 128), dtype="f4"
    )
    array[:] = RNG.random(array.shape)
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2M", "tmpfs", disk],
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("this sandbox does not let root mount a tmpfs")
    try:
        for memory in ("100MB", "3MB"):
            result = rechunk(
                *("run", source, disk / "b.zarr", "--chunks", "64,16,16"),
                *("--max-memory", memory),
            )
            assert result.exit_code == 1, str(result)
            assert "space" in result.stderr or "free" in result.stderr
            assert not (disk / "b.zarr" / "zarr.json").exists()
            assert not list(disk.rglob("*.partial"))
            if "rechunk resume" in result.stderr:
                rechunk.ok("discard", disk / "b.zarr")
            assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["--chunks", "0,7"], 2),
        (["--chunks", "-2,7"], 2),
        (["--chunks", "a=b"], 2),
        (["--chunks", "20"], None),
        (["--chunks", "nothing=3"], None),
        (["--chunks", "20,7", "--max-memory", "lots"], 2),
        (["--chunks", "20,7", "--max-memory", "-1"], 2),
        (["--chunks", "20,7", "--threads", "0"], 2),
        (["--chunks", "20,7", "--threads", "many"], 2),
        (["--chunks", "20,7", "--codec", "zip:3"], None),
        (["--chunks", "20,7", "--codec", "zstd:99"], None),
        (["--chunks", "20,7", "--zarr-format", "4"], 2),
        (["--chunks", "20,7", "--array", "x:3"], None),
        (["--chunks", "20,7", "--max-memory", "1"], 1),
        (["--chunk", "20,7"], 2),
        (["--chunks", "20,7", "--zarr-format", "2", "--shards", "20,14"], 1),
    ],
)
def test_nonsense_is_refused(
    rechunk: Rechunk,
    tmp_path: Path,
    arguments: list[str],
    exit_code: int | None,
) -> None:
    """Exit code 1 or 2 and a message; nothing is written."""
    source = make_array(tmp_path / "a.zarr")
    result = rechunk("run", source, tmp_path / "b", *arguments)
    assert result.exit_code in ([1, 2] if exit_code is None else [exit_code])
    assert result.stderr.strip()
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]
