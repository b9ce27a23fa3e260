"""Links and names that lead out of a store: read with care, never written."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk
from hostile import check_cost, make_array, refuse, refuse_run, snapshot

CHUNKS = ("--chunks", "7,7")


def make_outside(folder: Path) -> Path:
    """Files that are nobody's business."""
    outside = folder / "outside"
    (outside / "sub").mkdir(parents=True)
    for name in ("thesis.tex", "zarr.json", "sub/0.0", ".zarray"):
        (outside / name).write_text("precious")
    return outside


def test_a_store_may_be_a_link(rechunk: Rechunk, tmp_path: Path) -> None:
    """Source and target; the links stay, and are not exchanged for folders."""
    data = make_array(tmp_path / "real.zarr")
    (tmp_path / "place").mkdir()
    (tmp_path / "a").symlink_to("real.zarr")
    (tmp_path / "b").symlink_to("place")
    in_place = "--overwrite-in-place"
    for flags in ((), (in_place,), (in_place, "--verify")):
        rechunk.ok("run", tmp_path / "a", tmp_path / "b", *CHUNKS, *flags)
        assert (tmp_path / "b").is_symlink()
        assert np.array_equal(zarr.open_array(tmp_path / "place")[:], data)
    refused = refuse(
        rechunk,
        tmp_path,
        *("run", tmp_path / "a", tmp_path / "b", *CHUNKS, "--overwrite"),
    )
    assert "symbolic link" in refused
    assert in_place in refused
    rechunk.ok("verify", tmp_path / "a", tmp_path / "b")
    assert rechunk.ok("info", tmp_path / "b").stdout.count("(20, 30)") == 1


def test_links_are_read_as_what_they_lead_to(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Arrays and chunks on another disk; the copy has files of its own."""
    data = make_array(tmp_path / "elsewhere")
    zarr.create_group(tmp_path / "a")
    (tmp_path / "a" / "x").symlink_to(tmp_path / "elsewhere")
    make_array(tmp_path / "a" / "y")
    chunk = tmp_path / "a" / "y" / "c" / "0" / "0"
    os.rename(chunk, tmp_path / "chunk")
    chunk.symlink_to(tmp_path / "chunk")
    before = snapshot(tmp_path)
    rechunk.ok("run", tmp_path / "a", tmp_path / "b", *CHUNKS)
    out = zarr.open_group(tmp_path / "b")
    for name in "xy":
        assert np.array_equal(out[name][:], data)
    found = snapshot(tmp_path)
    assert {name: found[name] for name in before} == before
    assert not [p for p in (tmp_path / "b").rglob("*") if p.is_symlink()]


@pytest.mark.parametrize("sort", ["folder", "file", "dangling", "loop"])
def test_overwrite_removes_links_not_what_they_lead_to(
    rechunk: Rechunk, tmp_path: Path, sort: str
) -> None:
    """A target may be full of them; those that lead to no Zarr stay as links,
    as do other files that are no Zarr.
    """
    data = make_array(tmp_path / "a")
    outside = make_outside(tmp_path)
    target = tmp_path / "out"
    zarr.create_group(target)
    make_array(target / "c")
    place = {
        "folder": outside,
        "file": outside / "thesis.tex",
        "dangling": tmp_path / "nowhere",
        "loop": target,
    }[sort]
    names = {"link", "c/c/0/link", "c/link", "x"}
    for name in names:
        (target / name).symlink_to(place)
    before = snapshot(outside)
    rechunk.ok("run", tmp_path / "a", target, *CHUNKS, "--overwrite")
    assert snapshot(outside) == before
    assert not (tmp_path / "nowhere").exists()
    assert np.array_equal(zarr.open_array(target)[:], data)
    links = [path for path in target.rglob("*") if path.is_symlink()]
    kept = {str(path.relative_to(target)) for path in links}
    assert kept == (set() if sort in ("folder", "loop") else names)


def test_nothing_is_written_through_links(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Where a chunk's folder is a link in a target that seems empty."""
    make_array(tmp_path / "a")
    outside = make_outside(tmp_path)
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "empty", tmp_path / "nowhere"):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "c").symlink_to(place)
        result = rechunk("run", tmp_path / "a", tmp_path / "out", *CHUNKS)
        assert result.exit_code == 1, str(result)
        assert list((tmp_path / "empty").iterdir()) == []
        assert not (tmp_path / "nowhere").exists()
        if (tmp_path / "out" / "c").is_symlink():
            (tmp_path / "out" / "c").unlink()
        if (tmp_path / "out").exists():
            (tmp_path / "out").rmdir()
    assert (outside / "thesis.tex").read_text() == "precious"


@pytest.mark.parametrize(
    "name", [".out.rechunk-temp", "out.rechunk"], ids=["temp", "journal"]
)
def test_planted_links_do_not_empty_other_folders(
    rechunk: Rechunk, tmp_path: Path, name: str
) -> None:
    """In a shared folder, anyone can foresee these names."""
    make_array(tmp_path / "a")
    outside = make_outside(tmp_path)
    before = snapshot(outside)
    (tmp_path / name).symlink_to(outside)
    for flags in ((), ("--overwrite",)):
        arguments = ("run", tmp_path / "a", tmp_path / "out", *CHUNKS, *flags)
        assert name in refuse(rechunk, tmp_path, *arguments)
    assert snapshot(outside) == before


def test_loops_of_links_are_not_entered(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """To itself, to a folder above, to each other, to the root of all."""
    zarr.create_group(tmp_path / "a")
    data = make_array(tmp_path / "a" / "x")
    group = tmp_path / "a" / "g"
    group.mkdir()
    (group / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')
    (group / "self").symlink_to("self")
    (group / "here").symlink_to(".")
    (group / "above").symlink_to("../..")
    (group / "first").symlink_to("second")
    (group / "second").symlink_to("first")
    (group / "root").symlink_to("/")
    result = rechunk.ok("run", tmp_path / "a", tmp_path / "out", *CHUNKS)
    check_cost(result, 64_000_000)
    out = zarr.open_group(tmp_path / "out")
    assert list(out.array_keys()) == ["x"]
    assert list(out.group_keys()) == ["g"]
    assert np.array_equal(out["x"][:], data)


def test_links_that_multiply_are_refused(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Ten folders with ten links each to the next name 10^10 of them."""
    zarr.create_group(tmp_path / "a")
    folders = [tmp_path / f"level{i}" for i in range(10)]
    for folder in folders:
        folder.mkdir()
    for folder, deeper in itertools.pairwise(folders):
        for number in range(10):
            (folder / str(number)).symlink_to(deeper)
    (tmp_path / "a" / "links").symlink_to(folders[0])
    assert "symbolic links" in refuse_run(rechunk, tmp_path)


def test_a_path_beyond_all_lengths_is_named(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Folders deeper than a path can name."""
    zarr.create_group(tmp_path / "a")
    make_array(tmp_path / "a" / "x")
    home = os.getcwd()
    os.chdir(tmp_path / "a")
    try:
        for _ in range(20):
            os.mkdir("d" * 250)
            os.chdir("d" * 250)
        result = rechunk("run", tmp_path / "a", tmp_path / "out", *CHUNKS)
    finally:
        os.chdir(home)
    assert result.exit_code == 1, str(result)
    assert "too long" in result.stderr
    assert not (tmp_path / "out").exists()
