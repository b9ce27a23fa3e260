"""Runs that are stopped, killed or fail, and what becomes of them."""

from __future__ import annotations

import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk
from trees import (
    METADATA_NAMES,
    assert_no_partial_files,
    assert_only,
    files,
    tree_hash,
)

RNG = np.random.default_rng(31)
SECONDS = 60
SLOW_CODEC = ("--codec", "zstd:15")
WAYS = {
    "direct": ("--chunks", "9,70,100", "--max-memory", "64MB"),
    "staged": ("--chunks", "90,10,10", "--max-memory", "4MB"),
    "sharded": (
        *("--chunks", "90,10,10", "--shards", "90,50,50"),
        *("--max-memory", "4MB"),
    ),
}


@dataclass(frozen=True)
class Work:
    """A source, and what an undisturbed run makes of it."""

    source: Path
    arguments: tuple[object, ...]
    target: Path
    expected: dict[str, str]

    @property
    def journal(self) -> Path:
        """Where the run tells what is done."""
        return self.target.with_name(self.target.name + ".rechunk")


@pytest.fixture(params=WAYS)
def work(
    rechunk: Rechunk, tmp_path: Path, request: pytest.FixtureRequest
) -> Work:
    """Make a source that takes some time."""
    source, target = tmp_path / "a", tmp_path / "b"
    array = zarr.create_array(
        source, shape=(90, 210, 200), chunks=(3, 210, 200), dtype="f4"
    )
    array[...] = RNG.random(array.shape, dtype="f4")
    arguments = (*WAYS[request.param], *SLOW_CODEC, "--threads", "2")
    rechunk.ok("run", source, target, *arguments)
    expected = tree_hash(target)
    target.rename(tmp_path / "expected")
    return Work(source, ("run", source, target, *arguments), target, expected)


def wait_for_records(work: Work, process: subprocess.Popen, count: int) -> None:
    """Until so many records are written."""
    deadline = time.monotonic() + SECONDS
    while len(list(work.journal.glob("done/*/*/*-*"))) < count:
        assert process.poll() is None, "it ended before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def stop(
    rechunk: Rechunk, work: Work, how: signal.Signals, records: int = 1
) -> int:
    """Begin the run and stop it in its midst; its exit code."""
    process = rechunk.start(*work.arguments)
    wait_for_records(work, process, records)
    process.send_signal(how)
    process.communicate(timeout=SECONDS)
    return process.returncode


def assert_unfinished(work: Work) -> None:
    """Nothing that could be taken for a result."""
    names = {Path(name).name for name in files(work.target)}
    assert not names & METADATA_NAMES
    with pytest.raises(FileNotFoundError):
        zarr.open(work.target, mode="r")


def assert_finished(work: Work) -> None:
    """The same, byte for byte, and nothing beside it."""
    assert tree_hash(work.target) == work.expected
    assert_only(work.target.parent, "a", "b", "expected")


def found_tasks(report: dict) -> list[int]:
    """Of all stages, what the run that was resumed had done."""
    return [
        stage["found_tasks"]
        for array in report["arrays"]
        for stage in array["stages"]
    ]


@pytest.mark.parametrize("threads", [(), ("--threads", "1")])
def test_a_killed_run_is_resumed(
    rechunk: Rechunk, work: Work, threads: tuple[str, ...]
) -> None:
    """What was journalled is not done again; all else is as if undisturbed."""
    assert stop(rechunk, work, signal.SIGKILL) == -signal.SIGKILL
    assert_unfinished(work)
    status = rechunk.ok("status", work.target, "--json").json()
    assert status["state"] == "stopped"
    assert 0 < status["tasks_done"] <= status["tasks"]
    report = rechunk.ok("resume", work.target, *threads, "--json").json()
    assert sum(found_tasks(report)) == status["tasks_done"]
    for stage in report["arrays"][0]["stages"]:
        assert stage["counted"]["tasks"] == stage["tasks"]
    assert_finished(work)


def test_an_interrupted_run_can_be_resumed(
    rechunk: Rechunk, work: Work
) -> None:
    """Ctrl-C: exit code 130, no half-written object, a hint, and no target."""
    before = tree_hash(work.source)
    assert stop(rechunk, work, signal.SIGINT) == 130
    assert_no_partial_files(work.target.parent)
    assert_unfinished(work)
    assert tree_hash(work.source) == before
    rechunk.ok("resume", work.target)
    assert_finished(work)


def test_a_run_killed_again_and_again_ends(
    rechunk: Rechunk, work: Work
) -> None:
    """Each time some more is done."""
    stop(rechunk, work, signal.SIGKILL)
    done = [0]
    for _ in range(3):
        process = rechunk.start("resume", work.target)
        time.sleep(0.3)
        process.kill()
        process.communicate(timeout=SECONDS)
        status = rechunk.ok("status", work.target, "--json").json()
        if status["state"] == "complete":
            break
        done.append(status["tasks_done"])
    assert done == sorted(done)
    rechunk.ok("resume", work.target)
    assert_finished(work)


def test_an_unfinished_target_is_not_run_again_by_mistake(
    rechunk: Rechunk, work: Work
) -> None:
    """`run` refuses with a hint, and replaces what was left when told to."""
    stop(rechunk, work, signal.SIGKILL)
    before = tree_hash(work.target.parent)
    result = rechunk.fails(*work.arguments)
    assert f"`rechunk resume {work.target}`" in result.stderr
    assert "--overwrite" in result.stderr
    assert tree_hash(work.target.parent) == before
    rechunk.ok(*work.arguments, "--overwrite")
    assert_finished(work)


def test_an_unfinished_run_can_be_removed(rechunk: Rechunk, work: Work) -> None:
    """With all that it has written."""
    stop(rechunk, work, signal.SIGKILL)
    rechunk.ok("discard", work.target)
    assert_only(work.target.parent, "a", "expected")
    rechunk.fails("discard", work.target)
    rechunk.fails("status", work.target)


def test_two_runs_do_not_write_to_one_target(
    rechunk: Rechunk, work: Work
) -> None:
    """The second is told who is at work; the first is not disturbed."""
    first = rechunk.start(*work.arguments)
    wait_for_records(work, first, 1)
    status = rechunk.ok("status", work.target, "--json").json()
    assert status["state"] == "running"
    assert status["owner"]["pid"] == first.pid
    for words in (
        ("resume", work.target),
        ("discard", work.target),
        work.arguments,
        (*work.arguments, "--overwrite"),
    ):
        assert f"process {first.pid} of" in rechunk.fails(*words).stderr
    _, stderr = first.communicate(timeout=SECONDS)
    assert first.returncode == 0, stderr
    assert_finished(work)


def test_only_one_of_many_takes_a_dead_run_over(
    rechunk: Rechunk, work: Work
) -> None:
    """However close together they come."""
    stop(rechunk, work, signal.SIGKILL)
    resumed = [rechunk.start("resume", work.target) for _ in range(6)]
    errors = [process.communicate(timeout=SECONDS)[1] for process in resumed]
    codes = [process.returncode for process in resumed]
    assert set(codes) <= {0, 1}, errors
    assert 0 in codes, errors
    assert_finished(work)


def test_torn_and_foreign_records_do_not_count(
    rechunk: Rechunk, work: Work
) -> None:
    """Their tasks are done again."""
    stop(rechunk, work, signal.SIGKILL)
    records = sorted(work.journal.glob("done/*/*/*-*"))
    text = records[0].read_bytes()
    for number, damaged in enumerate(
        (
            b"",
            text[: len(text) // 2],
            text.replace(b"counted", b"counteD"),
            text,
        )
    ):
        (records[0].parent / f"{number}-99999").write_bytes(damaged)
    (work.journal / "done/0/0/notes.txt").write_text("not a record")
    records[0].write_bytes(text[:-5])
    done = rechunk.ok("status", work.target, "--json").json()["tasks_done"]
    report = rechunk.ok("resume", work.target, "--json").json()
    assert sum(found_tasks(report)) == done
    assert_finished(work)


def test_resume_where_nothing_was_begun(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Says so; a finished target stays as it is."""
    result = rechunk.fails("resume", tmp_path / "b")
    assert "no unfinished run" in result.stderr
    zarr.create_array(tmp_path / "b", shape=3, dtype="i4")
    before = tree_hash(tmp_path)
    rechunk.ok("resume", tmp_path / "b")
    assert tree_hash(tmp_path) == before
    status = rechunk.ok("status", tmp_path / "b", "--json").json()
    assert status["state"] == "complete"
