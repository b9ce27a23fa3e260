"""Killed runs, resumed: as if they had not been killed.

RECHUNK_KILLS says how many kills, over all jobs; RECHUNK_SEED which.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from binary import binary_path
from jobs import JOBS
from shim import CHANGING, Ended, run, shim_env
from trees import METADATA_NAMES, assert_only, data_files, tree_hash

SEED = int(os.environ.get("RECHUNK_SEED", "20260"))
EACH = -(-int(os.environ.get("RECHUNK_KILLS", "20")) // len(JOBS))
CALLS = ",".join((*CHANGING, "fsync", "fdatasync", "preadv", "open"))
# So that a run has time to journal what it has done.
DELAY_MICROSECONDS = 2000


@dataclass
class Work:
    """A job, what an undisturbed run makes of it, and what that took."""

    folder: Path
    command: tuple[object, ...]
    source: dict[str, str]
    target: dict[str, str]
    calls: int
    seconds: float
    kills: int = 0

    @property
    def path(self) -> Path:
        """Where the target is to be."""
        return self.folder / "b"


@pytest.fixture(params=JOBS)
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    """Run the job once without harm."""
    job, folder = JOBS[request.param], tmp_path / "here"
    folder.mkdir()
    job.make_source(folder / "a")
    command = ("run", folder / "a", folder / "b", *job.arguments)
    begin = time.monotonic()
    log = tmp_path / "log"
    whole = run(
        folder, *command, log=log, calls=CALLS, delay=DELAY_MICROSECONDS
    )
    seconds = time.monotonic() - begin
    assert whole.exit_code == 0, whole.stderr
    target = tree_hash(folder / "b")
    shutil.rmtree(folder / "b")
    source = tree_hash(folder / "a")
    return Work(folder, command, source, target, whole.count(), seconds)


def killed_somewhere(
    work: Work, rng: np.random.Generator, *command: object
) -> Ended | None:
    """Kill a run at a random moment, or in a random system call of it.

    Short runs journal near their end only, so that many are killed there.
    None if it was; how it ended where it was over before.
    """
    if rng.random() < 0.5:
        seconds = float(rng.uniform(0, work.seconds))
        ended = _killed_after(work, seconds, *command)
    else:
        share = rng.uniform(rng.choice([0, 0.9]), 1)
        script = {
            "calls": CALLS,
            "at": 1 + int(share * work.calls),
            "action": str(rng.choice(["before", "after", "half"])),
            "delay": DELAY_MICROSECONDS,
        }
        ended = run(work.folder, *command, **script)
    work.kills += ended.killed
    return None if ended.killed else ended


def _killed_after(work: Work, seconds: float, *command: object) -> Ended:
    env = shim_env(work.folder, calls=CALLS, delay=DELAY_MICROSECONDS)
    process = subprocess.Popen(
        [binary_path(), *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=60)
    return Ended(process.returncode, stdout, stderr)


def assert_not_openable(work: Work) -> None:
    """No metadata, unless all data is there and right."""
    found = tree_hash(work.path) if work.path.exists() else {}
    if not any(Path(key).name in METADATA_NAMES for key in found):
        return
    whole = {k for k in work.target if Path(k).name not in METADATA_NAMES}
    assert whole <= found.keys()
    for key, content in found.items():
        assert work.target.get(key) == content or key.endswith(".partial"), key


def status(work: Work) -> dict:
    """Return what `rechunk status` says; nothing where there is no run."""
    ended = run(work.folder, "status", work.path, "--json")
    return json.loads(ended.stdout) if ended.exit_code == 0 else {}


def resume(work: Work, log: Path) -> None:
    """Resume without harm; nothing that was journalled is done again."""
    before = status(work)
    command = ("resume", work.path, "--json")
    ended = run(work.folder, *command, log=log)
    case = f"{before} --- {ended.stderr}"
    if before.get("state") in (None, "absent"):
        assert ended.exit_code == 1, case
        again = run(work.folder, *work.command)
        assert again.exit_code == 0, again.stderr
        return
    assert ended.exit_code == 0, case
    if before["state"] == "complete":
        return
    report = json.loads(ended.stdout)
    stages = [s for array in report["arrays"] for s in array["stages"]]
    assert sum(s["found_tasks"] for s in stages) == before["tasks_done"], case
    assert all(s["counted"]["tasks"] == s["tasks"] for s in stages), case
    # Counted independently: every task writes one object at least.
    lasts = sum(a["stages"][-1]["found_tasks"] for a in report["arrays"])
    objects = data_files(work.path).keys()
    written = {
        path
        for name, path in ended.calls
        if name == "rename" and os.path.relpath(path, work.path) in objects
    }
    assert len(written) <= len(objects) - lasts, case


def test_a_killed_run_is_resumed_as_if_it_had_not_been(
    work: Work, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Bit for bit; nothing is left behind, or done again."""
    rng = np.random.default_rng([SEED, *request.node.name.encode()])
    journalled = 0
    while work.kills < EACH:
        if killed_somewhere(work, rng, *work.command) is not None:
            shutil.rmtree(work.path)
            continue
        assert_not_openable(work)
        while rng.random() < 0.4:
            ended = killed_somewhere(work, rng, "resume", work.path)
            if ended is not None:
                break
            assert_not_openable(work)
        journalled += status(work).get("tasks_done", 0) > 0
        resume(work, tmp_path / "log")
        case = f"seed {SEED}, kill {work.kills}"
        assert tree_hash(work.path) == work.target, case
        assert tree_hash(work.folder / "a") == work.source, case
        assert_only(work.folder, "a", "b")
        shutil.rmtree(work.path)
    if EACH >= 20:
        assert journalled > 0, "no kill came late enough"


@pytest.mark.parametrize("work", ["direct"], indirect=True)
def test_a_run_killed_as_it_begins_is_resumed(
    work: Work, tmp_path: Path
) -> None:
    """Wherever that is; what it found done is told, if it is nothing."""
    log = tmp_path / "log"
    whole = run(work.folder, *work.command, calls=CALLS, log=log)
    shutil.rmtree(work.path)
    begin = next(
        number
        for number, (name, path) in enumerate(whole.calls)
        if name == "rename" and path.endswith("plan.json")
    )
    resumed = 0
    for at in range(begin, begin + 12):
        script = {"calls": CALLS, "at": at, "action": "before"}
        assert run(work.folder, *work.command, **script).killed
        resumed += "tasks_done" in status(work)
        resume(work, log)
        assert tree_hash(work.path) == work.target, at
        assert_only(work.folder, "a", "b")
        shutil.rmtree(work.path)
    assert resumed > 3
