"""Zip archives as targets, read by zipfile, zarr-python and xarray."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from zarr.storage import ZipStore

from binary import Rechunk, binary_path
from servers import Bucket, RechunkOnS3
from trees import assert_only, files

RNG = np.random.default_rng(12)
FIELD = RNG.random((31, 40)).astype("f4")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write a dataset, and a file beside its arrays."""
    folder = tmp_path / "s.zarr"
    xr.Dataset(
        {
            "v": (("y", "x"), FIELD),
            "name": ("y", [f"station {i}" for i in range(31)]),
        },
        coords={"x": np.arange(40.0)},
        attrs={"title": "random"},
    ).to_zarr(folder, encoding={"v": {"chunks": (4, 40)}})
    (folder / "tables").mkdir()
    (folder / "tables/t.csv").write_text("a,b")
    return folder


def entries(archive: Path) -> dict[str, bytes]:
    """Read all objects, stored as they are; each name stands there once."""
    with zipfile.ZipFile(archive) as packed:
        assert packed.testzip() is None
        names = packed.namelist()
        assert len(set(names)) == len(names)
        assert all(
            entry.compress_type == zipfile.ZIP_STORED
            for entry in packed.infolist()
        )
        return {name: packed.read(name) for name in names}


@pytest.mark.parametrize(
    "options",
    [
        ("--chunks", "y=31,x=3"),
        ("--array", "v:7,5", "--zarr-format", "3", "--verify"),
        ("--chunks", "y=8,x=8", "--max-memory", "1MiB", "--zarr-format", "2"),
    ],
)
@pytest.mark.parametrize("name", ["t.zip", "t.ozx"])
def test_an_archive_holds_what_a_folder_does(
    rechunk: Rechunk,
    tmp_path: Path,
    source: Path,
    options: tuple[str, ...],
    name: str,
) -> None:
    """Each object, and nothing else is left; users' libraries read it."""
    folder, archive = tmp_path / "t.zarr", tmp_path / name
    rechunk.ok("run", source, folder, *options)
    made = rechunk.ok("run", source, archive, *options, "--json").json()
    assert entries(archive) == {
        key: path.read_bytes() for key, path in files(folder).items()
    }
    assert made["files"]["copied"] == 1
    assert_only(tmp_path, "s.zarr", "t.zarr", name)
    with ZipStore(archive, mode="r") as store:
        xr.testing.assert_identical(
            xr.open_zarr(store).load(), xr.open_zarr(source).load()
        )
    rechunk.ok("verify", source, archive)
    state = rechunk.ok("status", archive, "--json").json()["state"]
    assert state == "complete"


def test_an_array_becomes_an_archive(rechunk: Rechunk, tmp_path: Path) -> None:
    """With shards; objects that the memory does not hold are packed, too."""
    data = RNG.integers(0, 1 << 40, (600, 700))
    zarr.create_array(tmp_path / "a", data=data, chunks=(600, 70))
    archive = tmp_path / "a.zip"
    rechunk.ok(
        *("run", tmp_path / "a", archive, "--chunks", "60,70"),
        *("--shards", "600,700", "--codec", "none", "--max-memory", "2100KiB"),
    )
    assert set(entries(archive)) == {"zarr.json", "c/0/0"}
    with ZipStore(archive, mode="r") as store:
        np.testing.assert_array_equal(zarr.open_array(store)[...], data)


def test_an_archive_is_replaced_whole(
    rechunk: Rechunk, tmp_path: Path, source: Path
) -> None:
    """If that is asked for; files that are no Zarr and its rights stay."""
    archive = tmp_path / "t.zip"
    rechunk.ok("run", source, archive)
    with zipfile.ZipFile(archive, "a") as packed:
        packed.writestr("README", "mine")
    archive.chmod(0o640)
    before = archive.read_bytes()
    failed = rechunk.fails("run", source, archive, "--chunks", "x=5")
    assert "--overwrite replaces it" in failed.stderr, str(failed)
    assert archive.read_bytes() == before
    rechunk.ok("run", source, archive, "--chunks", "x=5", "--overwrite")
    assert archive.stat().st_mode & 0o777 == 0o640
    new = entries(archive)
    assert new["README"] == b"mine"
    assert new["tables/t.csv"] == b"a,b"
    assert json.loads(new["v/zarr.json"])["chunk_grid"]["configuration"][
        "chunk_shape"
    ] == [4, 5]
    assert_only(tmp_path, "s.zarr", "t.zip")


def test_what_cannot_be_an_archive_is_refused(
    rechunk: Rechunk, tmp_path: Path, source: Path
) -> None:
    """Before anything is written; nothing is lost."""
    archive = tmp_path / "t.zip"
    rechunk.ok("run", source, archive)
    (tmp_path / "folder.zip").mkdir()
    (tmp_path / "link.zip").symlink_to(archive)
    (tmp_path / "other.zip").write_text("no archive")
    (tmp_path / "data.zip").write_bytes(archive.read_bytes())
    with zipfile.ZipFile(tmp_path / "data.zip", "a") as packed:
        packed.writestr("v/c", "in the way")
    before = files(tmp_path).keys()
    content = archive.read_bytes()
    for target, flags, cause in (
        ("t.zip", ("--append", "y"), "can be replaced, but not changed"),
        ("t.zip", ("--region", "all"), "can be replaced, but not changed"),
        ("t.zip", ("--overwrite-in-place",), "made whole"),
        ("t.zip/v", (), "zip archive"),
        ("new.zip/v", (), "give the archive as the target"),
        ("folder.zip", ("--overwrite",), "it is a folder"),
        ("link.zip", ("--overwrite",), "it is a symbolic link"),
        ("other.zip", ("--overwrite",), "other.zip"),
        ("s.zarr", ("--overwrite",), "same place"),
    ):
        failed = rechunk.fails("run", source, tmp_path / target, *flags)
        assert cause in failed.stderr, str(failed)
    assert files(tmp_path).keys() == before
    assert archive.read_bytes() == content


def test_tasks_of_several_processes_make_an_archive(
    rechunk: Rechunk, tmp_path: Path, source: Path
) -> None:
    """The last one packs what all have written; late ones change nothing."""
    archive, plan = tmp_path / "t.zip", tmp_path / "plan.json"
    rechunk.ok("plan", source, archive, "--chunks", "x=7", "--save", plan)
    tasks = [
        (array, stage)
        for array, spec in enumerate(json.loads(plan.read_text())["arrays"])
        for stage in range(len(spec["stages"]))
    ]
    for array, stage in tasks:
        assert not archive.exists()
        rechunk.ok("task", plan, array, stage, "all")
    before = archive.read_bytes()
    rechunk.ok("task", plan, *tasks[0], "all")
    rechunk.ok("commit", plan)
    assert archive.read_bytes() == before
    with ZipStore(archive, mode="r") as store:
        xr.testing.assert_identical(
            xr.open_zarr(store).load(), xr.open_zarr(source).load()
        )
    assert_only(tmp_path, "s.zarr", "t.zip", "plan.json", "t.zip.rechunk")


def test_an_archive_is_made_in_a_bucket(
    bucket: Bucket, tmp_path: Path, source: Path
) -> None:
    """The tree lies beside it until it is packed, and may be replaced."""
    rechunk = RechunkOnS3(binary_path(), bucket)
    target = bucket.url("deep/t.zip")
    rechunk.ok("run", source, target, "--chunks", "y=31,x=3", "--verify")
    first = entries(bucket.folder / "deep/t.zip")
    rechunk.ok("run", source, target, "--overwrite")
    rechunk.ok("verify", source, target)
    assert first.keys() != entries(bucket.folder / "deep/t.zip").keys()
    rechunk.ok("run", source, tmp_path / "t.zarr")
    written = files(tmp_path / "t.zarr").items()
    assert entries(bucket.folder / "deep/t.zip") == {
        key: path.read_bytes() for key, path in written
    }
    left = {path.name for path in bucket.folder.rglob("*") if path.is_file()}
    assert left == {"t.zip"}
