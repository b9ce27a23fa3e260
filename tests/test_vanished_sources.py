"""A source that is not where it was planned is an error, not fill values."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk
from jobs import JOBS, assert_equal_elements
from test_tasks import save, stages_of
from trees import assert_only


@pytest.mark.parametrize("name", JOBS)
def test_a_source_that_was_moved_is_missed_by_every_task(
    rechunk: Rechunk, tmp_path: Path, name: str
) -> None:
    """Each array of the plan is; put back, the same plan makes the target."""
    plan = save(rechunk, tmp_path, name)
    (tmp_path / "a").rename(tmp_path / "moved")
    for array, stage, _ in stages_of(plan):
        if stage == 0:
            failed = rechunk.fails("task", plan, array, stage, "0..1")
            assert f"{tmp_path / 'a'}/" in failed.stderr, str(failed)
            assert "when the run was planned" in failed.stderr, str(failed)
    assert_only(tmp_path, "moved", "plan.json")
    (tmp_path / "moved").rename(tmp_path / "a")
    for array, stage, tasks in stages_of(plan):
        rechunk.ok("task", plan, array, stage, f"0..{tasks}")
    assert_equal_elements(tmp_path / "a", tmp_path / "b")


def test_it_is_missed_in_the_middle_of_a_run(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """What was done before stays, and is gone on with."""
    plan = save(rechunk, tmp_path, "direct")
    ((_, _, tasks),) = stages_of(plan)
    rechunk.ok("task", plan, 0, 0, f"0..{tasks // 2}")
    (tmp_path / "a").rename(tmp_path / "moved")
    rechunk.fails("task", plan, 0, 0, f"{tasks // 2}..{tasks}")
    (tmp_path / "moved").rename(tmp_path / "a")
    rechunk.ok("task", plan, 0, 0, f"{tasks // 2}..{tasks}")
    assert_equal_elements(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("chunks", ["7,3", "20,20"])
def test_chunks_that_are_gone_are_missed_though_metadata_is_there(
    rechunk: Rechunk, tmp_path: Path, zarr_format: int, chunks: str
) -> None:
    """A disk that is not mounted below a group, or an array begun anew."""
    source, target = tmp_path / "a", tmp_path / "b"
    made = zarr.create_group(source, zarr_format=zarr_format).create_array(
        "x/y", shape=(20, 20), chunks=(6, 7), dtype="f4", fill_value=3
    )
    made[13:17, 15:] = np.random.default_rng(1).random((4, 5))
    arguments = (source, target, "--chunks", chunks, "--verify")
    rechunk.ok("plan", *arguments, "--save", tmp_path / "plan")
    (chunk,) = (
        path
        for path in (source / "x/y").rglob("*[0-9]*")
        if path.is_file() and not path.name.startswith(".z")
    )
    chunk.unlink()
    failed = rechunk.fails("task", tmp_path / "plan", 0, 0, "0..1")
    assert str(chunk) in failed.stderr, str(failed)
    assert "array x/y" in failed.stderr, str(failed)
    assert_only(tmp_path, "a", "plan")


def test_another_array_at_its_place_is_refused(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Of the same shape, but of another type."""
    plan = save(rechunk, tmp_path, "direct")
    shutil.rmtree(tmp_path / "a")
    other = zarr.create_array(
        tmp_path / "a", shape=(60, 50, 40), chunks=(3, 50, 40), dtype="i4"
    )
    other[...] = 7
    failed = rechunk.fails("task", plan, 0, 0, "0..1")
    assert "is not what it was" in failed.stderr, str(failed)
    assert "plan again" in failed.stderr, str(failed)
    assert_only(tmp_path, "a", "plan.json")


def test_what_is_missing_anyway_is_no_error(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Arrays without any chunk, and with one at their end."""
    root = zarr.create_group(tmp_path / "a")
    for name in ("empty", "sparse"):
        root.create_array(
            name, shape=(40, 40), chunks=(5, 40), dtype="i8", fill_value=-3
        )
    root["sparse"][39, 39] = 8
    (tmp_path / "a" / "sparse" / "README").write_text("of the user")
    plan = tmp_path / "plan.json"
    rechunk.ok(
        *("plan", tmp_path / "a", tmp_path / "b", "--chunks", "40,5"),
        *("--threads", "1", "--save", plan),
    )
    for array, stage, tasks in stages_of(plan):
        rechunk.ok("task", plan, array, stage, f"0..{tasks}")
    assert_equal_elements(tmp_path / "a", tmp_path / "b")
