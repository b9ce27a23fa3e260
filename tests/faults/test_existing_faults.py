"""Runs into targets that exist, killed, failing and given up.

RECHUNK_KILLS and RECHUNK_CALLS say how many; RECHUNK_SEED which.
"""

from __future__ import annotations

import errno
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

from binary import Rechunk, binary_path
from shim import CHANGING, READING, Ended, run, shim_env
from trees import assert_no_partial_files, assert_only, tree_hash

SEED = int(os.environ.get("RECHUNK_SEED", "20260"))
KILLS = -(-int(os.environ.get("RECHUNK_KILLS", "20")) // 4)
CALLS = -(-int(os.environ.get("RECHUNK_CALLS", "60")) // 6)
KILLING = ",".join((*CHANGING, "preadv", "open"))
DELAY_MICROSECONDS = 1000
WAYS = {
    "region": ("--region", "time=30:60,x=16:64"),
    "append": ("--append", "time"),
    "partial": ("--append", "time"),
}
# Of the target; "partial" has something behind its end, in its last shards.
LENGTHS = {"region": 60, "append": 60, "partial": 50}
GARBAGE = 777


@dataclass
class Work:
    """A job into a target that exists, before and after."""

    folder: Path
    way: str
    command: tuple[object, ...]
    before: dict[str, str]
    after: dict[str, str]
    whole: Ended
    seconds: float
    old: np.ndarray
    new: np.ndarray

    @property
    def target(self) -> Path:
        """What is written into."""
        return self.folder / "b"

    def put_back(self) -> None:
        """Make the target what it was."""
        shutil.rmtree(self.target)
        shutil.copytree(self.folder.parent / "kept", self.target)

    def check(self, case: str) -> None:
        """Nothing outside has changed, and inside all objects are whole."""
        found = tree_hash(self.target)
        for name in (*found, *self.before):
            content = found.get(name)
            if "partial" in name or content == self.after.get(name):
                continue
            assert content == self.before.get(name), f"{name}: {case}"
        if self.way != "region":
            self.check_elements(case)

    def check_elements(self, case: str) -> None:
        """Readers see the old or the new length, and all elements of it."""
        found = zarr.open_array(self.target, mode="r")[...]
        grown = np.concatenate([self.old, self.new])
        assert len(found) in (len(self.old), len(grown)), case
        assert np.array_equal(found, grown[: len(found)]), case

    def check_given_up(self, case: str) -> None:
        """What was appended is gone; a later resize reveals nothing."""
        if self.way == "append":
            assert tree_hash(self.target) == self.before, case
        array = zarr.open_array(self.target, mode="r+")
        if self.way == "region" or len(self.old) != array.shape[0]:
            return
        array.resize((90, *array.shape[1:]))
        found = array[...]
        assert np.array_equal(found[: len(self.old)], self.old), case
        assert np.isin(found[len(self.old) :], (0, GARBAGE)).all(), case


@pytest.fixture(params=WAYS)
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    """Run the job once without harm."""
    rng = np.random.default_rng([SEED, *request.param.encode()])
    folder, way = tmp_path / "here", request.param
    folder.mkdir()
    layout = {"chunks": (10, 8, 8), "shards": (30, 16, 16)}
    names = ("time", "x", "y")
    zarr.create_array(
        tmp_path / "kept",
        data=rng.random((60, 96, 64), dtype="f4"),
        dimension_names=names,
        **layout,
    )
    kept = zarr.open_array(tmp_path / "kept", mode="r+")
    kept[LENGTHS[way] :] = GARBAGE
    kept.resize((LENGTHS[way], 96, 64))
    shutil.copytree(tmp_path / "kept", folder / "b")
    new = rng.random((30, 48 if way == "region" else 96, 64), dtype="f4")
    new[:, 16:32] = 0  # Shards that are to be erased.
    zarr.create_array(
        folder / "a", data=new, chunks=(1, *new.shape[1:]),
        dimension_names=names,
    )  # fmt: skip
    command = (
        *("run", folder / "a", folder / "b", *WAYS[way]),
        *("--max-memory", "1500kB", "--threads", "2"),
    )
    before = tree_hash(folder / "b")
    begin = time.monotonic()
    whole = run(
        folder, *command, log=tmp_path / "log", calls=KILLING,
        delay=DELAY_MICROSECONDS,
    )  # fmt: skip
    seconds = time.monotonic() - begin
    assert whole.exit_code == 0, whole.stderr
    after = tree_hash(folder / "b")
    assert after != before
    old = kept[...]
    made = Work(
        folder, way, command, before, after, whole, seconds, old, new
    )  # fmt: skip
    made.put_back()
    return made


def kill_somewhere(work: Work, rng: np.random.Generator) -> bool:
    """At a random moment, or in a system call; false if it had ended."""
    if rng.random() < 0.5:
        process = subprocess.Popen(
            [binary_path(), *map(str, work.command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=shim_env(work.folder, calls=KILLING, delay=DELAY_MICROSECONDS),
        )
        time.sleep(float(rng.uniform(0, work.seconds)))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        return process.returncode == -signal.SIGKILL
    script = {
        "calls": KILLING,
        "at": int(rng.integers(1, work.whole.count() + 1)),
        "action": str(rng.choice(["before", "after", "half"])),
        "delay": DELAY_MICROSECONDS,
    }
    return run(work.folder, *work.command, **script).killed


def test_killed_runs_touch_nothing_outside(work: Work) -> None:
    """Resumed they end as if undisturbed; given up, nothing else is lost."""
    rng = np.random.default_rng([SEED, *work.way.encode(), 1])
    kills = 0
    while kills < KILLS:
        killed = kill_somewhere(work, rng)
        kills += killed
        case = f"seed {SEED}, kill {kills}"
        work.check(case)
        if not killed:
            assert tree_hash(work.target) == work.after, case
        elif rng.random() < 0.3:
            give_up(work, case)
        else:
            ended = run(work.folder, "resume", work.target)
            assert ended.exit_code == 0, f"{case}: {ended.stderr}"
            if tree_hash(work.target) == work.before:
                # It had not begun, or had ended: then there is no journal.
                ended = run(work.folder, *work.command)
                assert ended.exit_code == 0, f"{case}: {ended.stderr}"
            assert tree_hash(work.target) == work.after, case
        assert_no_partial_files(work.folder)
        assert_only(work.folder, "a", "b")
        work.put_back()


def give_up(work: Work, case: str) -> None:
    """Discard the run if there is one: what was appended is removed."""
    ended = run(work.folder, "discard", work.target)
    if ended.exit_code == 1:
        # It had not begun, or had ended; or readers see the new length.
        causes = ("no unfinished run", "arrays have grown")
        assert any(cause in ended.stderr for cause in causes), case
        ended = run(work.folder, "resume", work.target)
        assert ended.exit_code == 0, ended.stderr
        work.check(case)
    else:
        work.check_given_up(case)


def test_failing_calls_touch_nothing_outside(work: Work) -> None:
    """Once or from then on; the error says why, and the run can go on."""
    rng = np.random.default_rng([SEED, *work.way.encode(), 2])
    for number in range(CALLS):
        calls = sorted({*READING, *CHANGING} - {"rmdir"})  # An empty folder.
        script = {
            "calls": ",".join(calls),
            "at": int(rng.integers(1, work.whole.count() + 1)),
            "lasting": int(rng.random() < 0.5),
            "action": "error",
            "errno": int(rng.choice([errno.EIO, errno.EACCES, errno.ENOSPC])),
        }
        ended = run(work.folder, *work.command, **script)
        case = f"seed {SEED}, number {number}, {script}: {ended.stderr}"
        work.check(case)
        if ended.exit_code == 0:
            assert tree_hash(work.target) == work.after, case
        else:
            assert os.strerror(script["errno"]) in ended.stderr, case
            again = run(work.folder, "resume", work.target)
            if again.exit_code or tree_hash(work.target) != work.after:
                again = run(work.folder, *work.command)
            assert again.exit_code == 0, f"{case} --- {again.stderr}"
            assert tree_hash(work.target) == work.after, case
        # What could not be removed at the end, the next one removes.
        if (work.folder / "b.rechunk").exists():
            ended = run(work.folder, "resume", work.target)
            assert ended.exit_code == 0, f"{case} --- {ended.stderr}"
        assert sorted(os.listdir(work.folder)) == ["a", "b"], case
        work.put_back()


def test_an_interrupted_run_keeps_the_target(
    rechunk: Rechunk, work: Work
) -> None:
    """Ctrl-C; then another run is refused until this one ends or is dropped."""
    slow = subprocess.Popen(
        [binary_path(), *map(str, work.command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=shim_env(work.folder, calls=KILLING, delay=20_000),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    journal = work.folder / "b.rechunk"
    while slow.poll() is None and not list(journal.glob("done/*/*/*[0-9]")):
        time.sleep(0.005)
    slow.send_signal(signal.SIGINT)
    _, stderr = slow.communicate(timeout=60)
    if slow.returncode == 0:
        pytest.skip("it had ended before it could be interrupted")
    assert slow.returncode == 130, stderr
    work.check("interrupted")
    refused = rechunk.fails(*work.command)
    assert "rechunk resume" in refused.stderr
    assert "rechunk discard" in refused.stderr
    other = rechunk.fails("run", work.folder / "a", work.target)
    assert "unfinished run" in other.stderr
    work.check("refused")
    rechunk.ok("resume", work.target)
    assert tree_hash(work.target) == work.after
    assert_only(work.folder, "a", "b")


def test_a_target_that_changed_meanwhile_is_refused(
    rechunk: Rechunk, work: Work
) -> None:
    """Its layout, not its attributes; nothing is written then."""
    plan = work.folder / "plan.json"
    rechunk.ok("plan", *work.command[1:], "--save", plan)
    rechunk.ok("task", plan, 0, 0, "0..1")
    array = zarr.open_array(work.target, mode="r+")
    array.attrs["title"] = "another"
    rechunk.ok("resume", work.target)
    grown = LENGTHS[work.way] + (0 if work.way == "region" else 30)
    changed = zarr.open_array(work.target, mode="r+")
    assert changed.shape[0] == grown
    assert changed.attrs["title"] == "another"
    work.put_back()
    rechunk.ok("plan", *work.command[1:], "--save", plan)
    zarr.open_array(work.target, mode="r+").resize((75, 96, 64))
    before = tree_hash(work.target)
    for words in (("task", plan, 0, 0, "all"), ("commit", plan)):
        rechunk.fails(*words)
    assert tree_hash(work.target) == before
