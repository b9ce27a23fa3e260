"""Runs that are stopped, killed or fail, and what becomes of them."""

from __future__ import annotations

import os
import shutil
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

pytestmark = pytest.mark.any_place

RNG = np.random.default_rng(31)
SECONDS = 60
SLOW_CODEC = ("--codec", "zstd:19")
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


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a source that takes some time."""
    folder = tmp_path_factory.mktemp("resume")
    array = zarr.create_array(
        folder / "a", shape=(90, 210, 200), chunks=(3, 210, 200), dtype="f4"
    )
    array[...] = RNG.random(array.shape, dtype="f4")
    return folder


@pytest.fixture(scope="module", params=WAYS)
def undisturbed(
    rechunk: Rechunk, shared: Path, request: pytest.FixtureRequest
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the arguments of a run, and what it makes undisturbed."""
    arguments = (*WAYS[request.param], *SLOW_CODEC, "--threads", "2")
    target = shared / type(rechunk).__name__ / request.param
    rechunk.ok("run", shared / "a", target, *arguments)
    return arguments, tree_hash(target)


@pytest.fixture
def work(
    shared: Path,
    tmp_path: Path,
    undisturbed: tuple[tuple[str, ...], dict[str, str]],
) -> Work:
    """Return a run that is to be disturbed, with a source of its own."""
    source, target = tmp_path / "a", tmp_path / "b"
    shutil.copytree(shared / "a", source)
    arguments, expected = undisturbed
    return Work(source, ("run", source, target, *arguments), target, expected)


def wait_for_records(
    work: Work, process: subprocess.Popen, count: int, pattern: str = "*/*/*-*"
) -> None:
    """Until so many records of that name are whole; then it sleeps."""
    deadline = time.monotonic() + SECONDS
    while len(list(work.journal.glob(f"done/{pattern}[0-9]"))) < count:
        assert process.poll() is None, "it ended before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGSTOP)


def stop(
    rechunk: Rechunk,
    work: Work,
    how: signal.Signals = signal.SIGKILL,
    records: int = 1,
    pattern: str = "*/*/*-*",
) -> int:
    """Begin the run and stop it in its midst; its exit code."""
    process = rechunk.start(*work.arguments)
    wait_for_records(work, process, records, pattern)
    process.send_signal(how)
    process.send_signal(signal.SIGCONT)
    process.communicate(timeout=SECONDS)
    return process.returncode


def objects_of(work: Work) -> dict[str, Path]:
    """What is whole at the target, by its name."""
    found = files(work.target).items()
    return {name: path for name, path in found if "partial" not in name}


def assert_unfinished(work: Work) -> None:
    """Nothing that could be taken for a result."""
    names = {Path(name).name for name in files(work.target)}
    assert not names & METADATA_NAMES
    with pytest.raises(FileNotFoundError):
        zarr.open(work.target, mode="r")


def assert_finished(work: Work) -> None:
    """The same, byte for byte, and nothing beside it."""
    assert tree_hash(work.target) == work.expected
    assert_only(work.target.parent, "a", "b")


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
    assert stop(rechunk, work) == -signal.SIGKILL
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
    stop(rechunk, work)
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


@pytest.mark.only_paths
@pytest.mark.parametrize("empty", [False, True])
def test_an_unfinished_target_is_not_run_again_by_mistake(
    rechunk: Rechunk, work: Work, empty: bool
) -> None:
    """`run` refuses with a hint, and replaces what was left when told to."""
    stop(rechunk, work)
    if empty:  # As while only an earlier stage has done something.
        shutil.rmtree(work.target, ignore_errors=True)
    before = tree_hash(work.target.parent)
    result = rechunk.fails(*work.arguments)
    assert f"`rechunk resume {rechunk.word(work.target)}`" in result.stderr
    assert "--overwrite" in result.stderr
    assert tree_hash(work.target.parent) == before
    rechunk.ok(*work.arguments, "--overwrite")
    assert_finished(work)


def test_a_run_whose_plan_was_lost_begins_anew(
    rechunk: Rechunk, work: Work
) -> None:
    """What it wrote is known to be its own; --overwrite may remove it."""
    staged = "4MB" in work.arguments
    stop(rechunk, work, pattern=f"*/{int(staged)}/*-*")
    (work.journal / "plan.json").unlink()
    result = rechunk.fails(*work.arguments)
    assert "is left from an unfinished run" in result.stderr
    assert "plan is lost; --overwrite begins anew" in result.stderr
    rechunk.ok(*work.arguments, "--overwrite")
    assert_finished(work)


def test_an_unfinished_run_can_be_removed(rechunk: Rechunk, work: Work) -> None:
    """With all that it has written."""
    stop(rechunk, work)
    rechunk.ok("discard", work.target)
    assert_only(work.target.parent, "a")
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
    first.send_signal(signal.SIGCONT)
    _, stderr = first.communicate(timeout=SECONDS)
    assert first.returncode == 0, stderr
    assert_finished(work)


def test_only_one_of_many_takes_a_dead_run_over(
    rechunk: Rechunk, work: Work
) -> None:
    """However close together they come."""
    stop(rechunk, work)
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
    stop(rechunk, work)
    records = sorted(work.journal.glob("done/*/*/*-*"))
    text = records[0].read_bytes()
    changed = text.replace(b"counted", b"counteD")
    for number, damaged in enumerate((b"", text[:-7], changed, text)):
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


def changed(work: Work, how: str) -> None:
    """Change the source as somebody might who did not know of the run."""
    first = work.source / "c" / "0" / "0" / "0"
    if how == "object":
        first.write_bytes(first.read_bytes())
    elif how == "time":
        os.utime(first, (0, 0))
    elif how == "removed":
        first.unlink()
    elif how == "attributes":
        zarr.open_array(work.source, mode="r+").attrs["title"] = "other"


@pytest.mark.only_paths
@pytest.mark.parametrize("how", ["object", "time", "removed", "attributes"])
def test_a_source_that_changed_is_refused(
    rechunk: Rechunk, work: Work, how: str
) -> None:
    """By name where that can be told; what is done stays for the old one."""
    stop(rechunk, work, pattern="0/0/0-*")  # The first object was read.
    before = objects_of(work)
    changed(work, how)
    result = rechunk.fails("resume", work.target)
    assert "changed since it was read" in result.stderr
    if how in ("object", "removed"):
        assert "c/0/0/0" in result.stderr
    if how == "attributes":
        assert "zarr.json" in result.stderr
    assert objects_of(work) == before
    rechunk.ok(*work.arguments, "--overwrite")
    assert_only(work.target.parent, "a", "b")


@pytest.mark.parametrize("check", [(), ("--check",)])
def test_objects_that_were_lost_are_written_again(
    rechunk: Rechunk, work: Work, check: tuple[str, ...]
) -> None:
    """Removed, cut off or, where that is checked, changed within."""
    last = "0/0" if "9,70,100" in work.arguments else "0/1"
    stop(rechunk, work, pattern=f"{last}/*-*")
    lost, *others = objects_of(work).values()
    lost.unlink()
    for path in others[1::2]:
        data = path.read_bytes()
        changed = bytes([data[-1] ^ 1]) if check else b""
        path.write_bytes(data[:-1] + changed)
    status = rechunk.ok("status", work.target, "--json").json()
    report = rechunk.ok("resume", work.target, *check, "--json").json()
    assert sum(found_tasks(report)) < status["tasks_done"]
    assert_finished(work)


def test_intermediates_that_were_lost_are_made_again(
    rechunk: Rechunk, work: Work
) -> None:
    """Those that later tasks still need."""
    stop(rechunk, work)
    temp = work.target.with_name(".b.rechunk-temp")
    for number, path in enumerate(sorted(temp.rglob("*"))):
        if path.is_file() and number % 2:
            path.unlink()
        elif path.is_file():
            path.write_bytes(path.read_bytes()[:-1])
    rechunk.ok("resume", work.target)
    assert_finished(work)


def test_a_durable_run_is_the_same(rechunk: Rechunk, work: Work) -> None:
    """Undisturbed, and killed and resumed: the plan remembers."""
    rechunk.ok(*work.arguments, "--durable")
    assert_finished(work)
    shutil.rmtree(work.target)
    durable = Work(
        work.source, (*work.arguments, "--durable"), work.target, work.expected
    )
    stop(rechunk, durable)
    rechunk.ok("resume", work.target)
    assert_finished(work)


def test_a_run_that_verifies_does_so_when_it_is_resumed(
    rechunk: Rechunk, work: Work
) -> None:
    """Its digest covers what both processes read."""
    verified = Work(
        work.source, (*work.arguments, "--verify"), work.target, work.expected
    )
    stop(rechunk, verified)
    report = rechunk.ok("resume", work.target, "--json").json()
    digest = report["arrays"][0]["digest"]
    again = rechunk.ok("verify", work.source, work.target, "--json").json()
    assert digest == again["arrays"][0]["digest_b"]
    assert_finished(work)
