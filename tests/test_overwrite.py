"""--overwrite: the old target stays until the new one is complete."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk
from compare import assert_same_elements, read
from trees import assert_only, tree_hash

pytestmark = pytest.mark.any_place

RNG = np.random.default_rng(16)
CHUNKS = ("--chunks", "7,7")


@pytest.mark.parametrize("target", ["g/b", "g", "new"])
def test_a_run_that_fails_leaves_the_old_target(
    rechunk: Rechunk, place: Path, target: str
) -> None:
    """An array in a group, a group, or nothing."""
    chunk = place / "a/c/39/0"
    whole = chunk.read_bytes()
    chunk.write_bytes(b"damaged")
    before = tree_hash(place / "g")
    command = ("run", place / "a", place / target, *CHUNKS, "--overwrite")
    rechunk.fails(*command, "--max-memory", "1kB")
    assert_only(place, "a", "g")
    memory = ("--threads", "1", "--max-memory", "300kB")
    failed = rechunk.fails(*command, *memory)
    assert "a/c/39/0" in failed.stderr
    assert tree_hash(place / "g").items() >= before.items()
    group = zarr.open_group(place / "g")
    assert [name for name, _ in group.members()] == ["b"]
    assert rechunk("discard", place / target).exit_code in (0, 1)
    assert tree_hash(place / "g") == before
    assert_only(place, "a", "g")
    chunk.write_bytes(whole)
    rechunk.ok(*command)
    assert_same_elements(read(place / "a"), read(place / target))
    assert_only(place, "a", "g", "new")


def test_tasks_of_a_saved_plan_replace_a_target(
    rechunk: Rechunk, place: Path
) -> None:
    """Once: a task that comes late begins nothing."""
    target, plan = place / "g/b", place / "plan.json"
    old = tree_hash(target)
    words = (place / "a", target, *CHUNKS, "--max-memory", "300kB")
    refused = rechunk.fails("plan", *words, "--save", plan)
    assert "--overwrite replaces it" in refused.stderr
    rechunk.ok("plan", *words, "--overwrite", "--save", plan)
    stages = json.loads(plan.read_text())["arrays"][0]["stages"]
    steps = [
        (stage, task)
        for stage, spec in enumerate(stages)
        for task in range(spec["tasks"])
    ]
    assert len(steps) > 1
    for stage, task in steps:
        assert tree_hash(target) == old
        rechunk.ok("task", plan, "0", stage, f"{task}..{task + 1}")
    assert_same_elements(read(place / "a"), read(target))
    new = tree_hash(target)
    assert rechunk.ok("status", target, "--json").json()["state"] == "complete"
    rechunk.ok("task", plan, "0", "0", "all")
    rechunk.ok("commit", plan)
    assert tree_hash(target) == new
    assert_only(place / "g", "b", "zarr.json", "b.rechunk")
    # The same work planned again is another run.
    shutil.rmtree(target)
    shutil.copytree(place / "a", target)
    rechunk.ok("plan", *words, "--overwrite", "--save", plan)
    rechunk.ok("task", plan, "0", "0", "all")
    for stage in range(1, len(stages)):
        rechunk.ok("task", plan, "0", stage, "all")
    assert tree_hash(target) == new


@pytest.mark.parametrize("flag", ["--overwrite", "--overwrite-in-place"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_files_that_are_no_zarr_stay(
    rechunk: Rechunk, tmp_path: Path, flag: str, zarr_format: int
) -> None:
    """Beside arrays and within them; those in the way are named."""
    for name, shape in (("a", (12, 10)), ("t", (9, 9))):
        group = zarr.create_group(tmp_path / name, zarr_format=zarr_format)
        for array in ("x", "deep/y"):
            group.create_array(array, data=RNG.random(shape), chunks=(5, 4))
    mine = {"README": "read me", "deep/tables/t.parquet": "rows", "x/note": "n"}
    for name, text in mine.items():
        path = tmp_path / "t" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    os.utime(tmp_path / "t/README", (1e9, 1e9))
    command = ("run", tmp_path / "a", tmp_path / "t", "--chunks", "12,3", flag)
    rechunk.ok(*command)
    assert_only(tmp_path, "a", "t")
    for name, text in mine.items():
        assert (tmp_path / "t" / name).read_text() == text
    assert (tmp_path / "t/README").stat().st_mtime == 1e9
    for array in ("x", "deep/y"):
        assert_same_elements(
            read(tmp_path / "a" / array), read(tmp_path / "t" / array)
        )
    found = {n: tree_hash(tmp_path / "t" / n) for n in ("x", "deep/y")}
    shutil.rmtree(tmp_path / "t/x")
    (tmp_path / "t/x").write_text("a file")
    refused = rechunk.fails(*command).stderr
    assert "files that are not Zarr are in the place" in refused
    assert "of new arrays: x\n" in refused
    assert (tmp_path / "t/x").read_text() == "a file"
    assert tree_hash(tmp_path / "t/deep/y") == found["deep/y"]
    assert_only(tmp_path, "a", "t")


def test_mode_and_attributes_of_the_old_target_stay(
    rechunk: Rechunk, place: Path
) -> None:
    """And nobody else may look at the new one before."""
    target = place / "g/b"
    target.chmod(0o2710)
    try:
        os.setxattr(target, "user.note", b"mine")
    except OSError:
        pytest.skip("this disk has no extended attributes")
    rechunk.ok("run", place / "a", target, *CHUNKS, "--overwrite")
    assert_same_elements(read(place / "a"), read(target))
    assert stat.S_IMODE(target.stat().st_mode) == 0o2710
    assert os.getxattr(target, "user.note") == b"mine"


def test_what_cannot_be_replaced_is_refused(
    rechunk: Rechunk, place: Path
) -> None:
    """A file; a folder within which a run is unfinished."""
    (place / "file").write_text("mine")
    words = ("run", place / "a")
    refused = rechunk.fails(*words, place / "file", *CHUNKS, "--overwrite")
    assert "it is a file" in refused.stderr
    assert (place / "file").read_text() == "mine"
    inner = place / "g/c.rechunk"
    inner.mkdir()
    (inner / "plan.json").write_text("{}")
    refused = rechunk.fails(*words, place / "g", *CHUNKS, "--overwrite")
    assert f"{place}/g/c has an unfinished run" in refused.stderr
    assert_only(place, "a", "g", "file")
