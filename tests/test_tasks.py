"""A saved plan, run task by task in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk
from jobs import JOBS, assert_equal_elements
from trees import assert_only, tree_hash

SECONDS = 60
# A race that was lost once in a hundred rounds. Six processes take 0.1 s.
COMMITS = int(os.environ.get("RECHUNK_COMMITS", "25"))


@pytest.fixture
def saved(rechunk: Rechunk, tmp_path: Path) -> Path:
    """Save the plan of the staged job; return the plan file."""
    return save(rechunk, tmp_path, "staged")


def save(rechunk: Rechunk, folder: Path, name: str, *more: str) -> Path:
    """Make the source of a job, and its plan file."""
    JOBS[name].make_source(folder / "a")
    arguments = (folder / "a", folder / "b", *JOBS[name].arguments, *more)
    rechunk.ok("plan", *arguments, "--save", folder / "plan.json")
    assert_only(folder, "a", "plan.json")
    return folder / "plan.json"


def stages_of(plan: Path) -> list[tuple[int, int, int]]:
    """Array, stage and number of tasks, in the plan's order."""
    arrays = json.loads(plan.read_text())["arrays"]
    return [
        (index, stage, spec["tasks"])
        for index, array in enumerate(arrays)
        for stage, spec in enumerate(array["stages"])
    ]


def all_end_well(processes: list[subprocess.Popen]) -> None:
    """Wait for processes that ran at the same time."""
    for process in processes:
        _, stderr = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, stderr.decode()


@pytest.mark.parametrize("name", JOBS)
def test_tasks_in_many_processes_make_the_target_of_a_run(
    rechunk: Rechunk, tmp_path: Path, name: str
) -> None:
    """Stage by stage, each task a process; the last of them commits."""
    plan = save(rechunk, tmp_path, name)
    for array, stage, tasks in stages_of(plan):
        for first in range(0, tasks, 4):
            batch = range(first, min(first + 4, tasks))
            all_end_well(
                [
                    rechunk.start("task", plan, array, stage, f"{t}..{t + 1}")
                    for t in batch
                ]
            )
    assert_equal_elements(tmp_path / "a", tmp_path / "b")
    arguments = (tmp_path / "a", tmp_path / "c", *JOBS[name].arguments)
    rechunk.ok("run", *arguments)
    assert tree_hash(tmp_path / "b") == tree_hash(tmp_path / "c")
    assert_only(tmp_path, "a", "b", "c", "plan.json")


@pytest.mark.parametrize("name", ["staged", "direct"])
def test_processes_that_do_all_the_same_agree(
    rechunk: Rechunk, tmp_path: Path, name: str
) -> None:
    """They begin at once, do all twice and find the run complete at once."""
    plan = save(rechunk, tmp_path, name)
    for array, stage, _ in stages_of(plan):
        all_end_well(
            [rechunk.start("task", plan, array, stage, "all") for _ in range(6)]
        )
    assert_equal_elements(tmp_path / "a", tmp_path / "b")
    assert_only(tmp_path, "a", "b", "plan.json")


def test_processes_that_commit_together_leave_one_target(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """None removes what another is writing, or has written."""
    plan = save(rechunk, tmp_path, "group", "--verify")
    tasks = [
        (array, stage, task)
        for array, stage, count in stages_of(plan)
        for task in range(count)
    ]
    *others, (array, stage, last) = tasks
    for other in others:
        rechunk.ok("task", plan, *other[:2], f"{other[2]}..{other[2] + 1}")
    kept = tmp_path / "kept"
    kept.mkdir()
    for path in tmp_path.iterdir():
        if path.is_dir() and path.name not in ("a", "kept"):
            shutil.copytree(path, kept / path.name)
    words = ("task", plan, array, stage, f"{last}..{last + 1}")
    whole = None
    for _ in range(COMMITS):
        for path in tmp_path.iterdir():
            if path.name not in ("a", "kept", "plan.json"):
                shutil.rmtree(path)
        for path in kept.iterdir():
            shutil.copytree(path, tmp_path / path.name)
        all_end_well([rechunk.start(*words) for _ in range(6)])
        whole = whole or tree_hash(tmp_path / "b")
        assert tree_hash(tmp_path / "b") == whole
    assert "zarr.json" in whole
    shutil.rmtree(kept)
    assert_only(tmp_path, "a", "b", "plan.json")


def test_tasks_append_at_any_length_again_and_again(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """In many processes, each task in two of them at the same time."""
    expected = np.random.default_rng(7).random((17, 400))
    layout = {"chunks": (4, 30), "shards": (12, 90)}
    zarr.create_array(tmp_path / "b", data=expected, **layout)
    for length in (10, 4):
        day = np.random.default_rng(length).random((length, 400))
        zarr.create_array(
            tmp_path / "a", data=day, chunks=(2, 50), overwrite=True
        )
        plan = tmp_path / "plan.json"
        words = ("--append", 0, "--max-memory", "160KiB", "--save", plan)
        rechunk.ok("plan", tmp_path / "a", tmp_path / "b", *words)
        for array, stage, tasks in stages_of(plan):
            assert tasks > 1
            all_end_well(
                [
                    rechunk.start("task", plan, array, stage, f"{t}..{t + 1}")
                    for t in range(tasks)
                    for _ in range(2)
                ]
            )
        expected = np.concatenate([expected, day])
        found = zarr.open_array(tmp_path / "b", mode="r")[...]
        assert np.array_equal(found, expected)
    assert_only(tmp_path, "a", "b", "b.rechunk", "plan.json")


def test_a_task_may_run_again_at_any_time(
    rechunk: Rechunk, tmp_path: Path, saved: Path
) -> None:
    """It does nothing then, also after the commit, and commits only once."""
    first = rechunk.ok("task", saved, 0, 0, "0..2", "--json").json()
    again = rechunk.ok("task", saved, 0, 0, "0..2", "--json").json()
    assert first["counted"]["tasks"] == 2
    assert again["counted"]["tasks"] == 0
    assert not first["committed"]
    rechunk.ok("task", saved, 0, 0, "1..5")  # Some of it for a second time.
    last = rechunk.ok("task", saved, 0, 1, "all", "--json").json()
    assert last["committed"]
    before = tree_hash(tmp_path)
    for stage in (0, 1):
        late = rechunk.ok("task", saved, 0, stage, "all", "--json").json()
        assert late["counted"]["tasks"] == 0
    rechunk.ok("commit", saved)
    assert tree_hash(tmp_path) == before
    assert_equal_elements(tmp_path / "a", tmp_path / "b")


def test_a_stage_before_its_time_fails_and_can_be_repeated(
    rechunk: Rechunk, tmp_path: Path, saved: Path
) -> None:
    """It never takes what is not there yet for empty."""
    result = rechunk.fails("task", saved, 0, 1, "all")
    assert "reading intermediate" in result.stderr
    rechunk.ok("task", saved, 0, 0, "0..3")
    rechunk.fails("task", saved, 0, 1, "0..1")
    rechunk.ok("task", saved, 0, 0, "all")
    rechunk.ok("task", saved, 0, 1, "all")
    assert_equal_elements(tmp_path / "a", tmp_path / "b")
    assert_only(tmp_path, "a", "b", "plan.json")


def test_a_commit_before_its_time_names_what_is_missing(
    rechunk: Rechunk, tmp_path: Path, saved: Path
) -> None:
    """Without a run, and in one; the target stays invisible."""
    rechunk.fails("commit", saved)
    rechunk.ok("task", saved, 0, 0, "0..1")
    rechunk.ok("task", saved, 0, 0, "3..5")
    result = rechunk.fails("commit", saved)
    assert "array 0, stage 0, task 1" in result.stderr
    assert not (tmp_path / "b" / "zarr.json").exists()


def test_a_target_that_was_removed_is_not_committed_empty(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """The journal alone does not make a target."""
    plan = save(rechunk, tmp_path, "direct")
    tasks = stages_of(plan)[0][2]
    rechunk.ok("task", plan, 0, 0, f"{tasks - 1}..{tasks}")
    record = tmp_path / "b.rechunk/done/0/0" / f"{tasks - 1}-{tasks}"
    text = record.read_bytes()
    record.unlink()
    rechunk.ok("task", plan, 0, 0, f"0..{tasks - 1}")
    shutil.rmtree(tmp_path / "b")
    record.write_bytes(text)
    result = rechunk.fails("commit", plan)
    assert "its chunks were removed" in result.stderr
    assert not (tmp_path / "b/zarr.json").exists()


def test_an_edited_plan_is_refused(
    rechunk: Rechunk, tmp_path: Path, saved: Path
) -> None:
    """As is a file that is no plan, or none at all."""
    text = saved.read_text()
    for wrong, word in (
        (text.replace("800000", "900000"), "changed"),
        (text[:-20], "plan.json"),
        ('{"version": 1}', "plan.json"),
    ):
        saved.write_text(wrong)
        result = rechunk.fails("task", saved, 0, 0, "all")
        assert word in result.stderr
    saved.unlink()
    assert "plan.json" in rechunk.fails("commit", saved).stderr
    assert_only(tmp_path, "a")


def test_a_plan_can_ask_for_verification(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """The commit does it, and refuses a target that is not the source."""
    plan = save(rechunk, tmp_path, "direct", "--verify")
    (_, _, tasks) = stages_of(plan)[0]
    rechunk.ok("task", plan, 0, 0, f"1..{tasks}")
    next((tmp_path / "b").rglob("c/*/*/*")).unlink()
    result = rechunk.fails("task", plan, 0, 0, "0..1")
    assert "verifying" in result.stderr
    assert not (tmp_path / "b" / "zarr.json").exists()
    # Nobody knows which task to blame, so all of them are to be done again.
    assert "not all tasks are done" in rechunk.fails("commit", plan).stderr
    rechunk.ok("task", plan, 0, 0, "all")
    assert_equal_elements(tmp_path / "a", tmp_path / "b")
    assert_only(tmp_path, "a", "b", "plan.json")


def test_a_task_that_failed_is_repeated_once_the_cause_is_gone(
    rechunk: Rechunk, tmp_path: Path, saved: Path
) -> None:
    """The other tasks stay done."""
    chunk = tmp_path / "a" / "c" / "7" / "0" / "0"
    data = chunk.read_bytes()
    chunk.write_bytes(data[:50])
    result = rechunk.fails("task", saved, 0, 0, "all")
    assert "c/7/0/0" in result.stderr
    chunk.write_bytes(data)
    rechunk.ok("task", saved, 0, 0, "all")
    rechunk.ok("task", saved, 0, 1, "all")
    assert_equal_elements(tmp_path / "a", tmp_path / "b")
    assert_only(tmp_path, "a", "b", "plan.json")


def test_relative_paths_hold_in_other_folders(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """A plan names its places for whoever reads it, wherever."""
    JOBS["direct"].make_source(tmp_path / "a")
    command = [rechunk.path, "plan", "a", "b", "--save", "plan.json"]
    subprocess.run(
        [*command, "--chunks", "20,20,20"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    rechunk.ok("task", tmp_path / "plan.json", 0, 0, "all")
    assert_equal_elements(tmp_path / "a", tmp_path / "b")


def test_what_stands_at_the_target_stays(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """No plan is saved for it; one saved before does nothing to it."""
    plan = save(rechunk, tmp_path, "direct")
    JOBS["sharded"].make_source(tmp_path / "b")
    before = tree_hash(tmp_path / "b")
    rechunk.fails("task", plan, 0, 0, "all")
    arguments = (tmp_path / "a", tmp_path / "b", "--chunks", "9,9,9")
    rechunk.fails("plan", *arguments, "--save", tmp_path / "other.json")
    assert tree_hash(tmp_path / "b") == before
    assert_only(tmp_path, "a", "b", "plan.json")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("0", "0", "0-4"), 2),
        (("0", "0", "4..2"), 2),
        (("0", "0", "-1..2"), 2),
        (("zero", "0", "all"), 2),
        (("0", "0"), 2),
        (("1", "0", "all"), 1),
        (("0", "2", "all"), 1),
        (("0", "0", "0..6"), 1),
    ],
)
def test_tasks_that_there_are_not_are_refused(
    rechunk: Rechunk,
    tmp_path: Path,
    saved: Path,
    words: tuple[str, ...],
    code: int,
) -> None:
    """Nothing is begun."""
    rechunk.fails("task", saved, *words, code=code)
    assert_only(tmp_path, "a", "plan.json")


def test_a_plan_on_paper_cannot_be_saved(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """There is nothing that its tasks could read."""
    rechunk.fails(
        *("plan", "--shape", "9", "--dtype", "f4", "--source-chunks", "3"),
        *("--chunks", "9", "--save", tmp_path / "plan.json"),
        code=2,
    )
    assert_only(tmp_path)
