"""Every executor of the command makes the same target."""

from __future__ import annotations

from pathlib import Path

import pytest

from binary import Rechunk
from jobs import JOBS, assert_equal_elements
from trees import assert_only, tree_hash


@pytest.mark.parametrize("name", JOBS)
def test_targets_are_the_same(
    rechunk: Rechunk, tmp_path: Path, name: str
) -> None:
    """Byte for byte, and with the same counts; elements are the source's."""
    job = JOBS[name]
    job.make_source(tmp_path / "a")
    reports = {}
    for executor in ("threads", "serial"):
        reports[executor] = rechunk.ok(
            *("run", tmp_path / "a", tmp_path / executor, *job.arguments),
            *("--executor", executor, "--json"),
        ).json()
    assert {a["method"] for a in reports["serial"]["arrays"]} == job.methods
    assert reports["serial"]["arrays"] == reports["threads"]["arrays"]
    assert_equal_elements(tmp_path / "a", tmp_path / "serial")
    assert tree_hash(tmp_path / "serial") == tree_hash(tmp_path / "threads")
    assert_only(tmp_path, "a", "serial", "threads")


def test_a_run_that_fails_at_once_leaves_nothing(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Whatever ran it: there is nothing to go on with."""
    JOBS["staged"].make_source(tmp_path / "a")
    (tmp_path / "a" / "c" / "0" / "0" / "0").write_bytes(b"damaged")
    for executor in ("threads", "serial"):
        result = rechunk.fails(
            *("run", tmp_path / "a", tmp_path / "b", "--executor", executor),
            *JOBS["staged"].arguments,
        )
        assert "c/0/0/0" in result.stderr
        assert_only(tmp_path, "a")


@pytest.mark.parametrize("executor", ["threads", "serial"])
def test_a_run_that_failed_is_resumed_by_any_executor(
    rechunk: Rechunk, tmp_path: Path, executor: str
) -> None:
    """Once the cause is gone; what was done is not done again."""
    job = JOBS["staged"]
    job.make_source(tmp_path / "a")
    arguments = (tmp_path / "a", tmp_path / "b", *job.arguments)
    chunk = tmp_path / "a" / "c" / "9" / "0" / "0"
    whole = chunk.read_bytes()
    chunk.write_bytes(b"damaged")
    result = rechunk.fails("run", *arguments, "--executor", executor)
    assert "c/9/0/0" in result.stderr
    assert f"`rechunk resume {tmp_path / 'b'}` continues" in result.stderr
    assert not (tmp_path / "b" / "zarr.json").exists()
    assert "resume" in rechunk.fails("run", *arguments).stderr
    chunk.write_bytes(whole)
    for other in ("threads", "serial"):
        if other == executor:
            continue
        report = rechunk.ok(
            "resume", tmp_path / "b", "--executor", other, "--json"
        ).json()
    first, second = report["arrays"][0]["stages"]
    assert 0 < first["found_tasks"] < first["tasks"]
    assert second["found_tasks"] == 0
    assert first["counted"]["tasks"] == first["tasks"]
    assert_equal_elements(tmp_path / "a", tmp_path / "b")
    assert_only(tmp_path, "a", "b")


def test_an_unknown_executor_is_wrong_usage(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """The message lists those that there are."""
    result = rechunk.fails(
        "run", tmp_path / "a", tmp_path / "b", "--executor", "cloud", code=2
    )
    assert "threads, serial, mpi" in result.stderr


def test_a_run_goes_on_where_tasks_have_ended(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """The serial executor resumes what single tasks began."""
    job = JOBS["staged"]
    job.make_source(tmp_path / "a")
    arguments = (tmp_path / "a", tmp_path / "b", *job.arguments)
    rechunk.ok("plan", *arguments, "--save", tmp_path / "plan.json")
    rechunk.ok("task", tmp_path / "plan.json", 0, 0, "all")
    report = rechunk.ok(
        "resume", tmp_path / "b", "--executor", "serial", "--json"
    ).json()
    stages = report["arrays"][0]["stages"]
    assert [stage["found_tasks"] for stage in stages] == [stages[0]["tasks"], 0]
    assert_equal_elements(tmp_path / "a", tmp_path / "b")
    assert_only(tmp_path, "a", "b", "plan.json")
