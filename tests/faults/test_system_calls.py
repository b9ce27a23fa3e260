"""System calls that fail in mid-run: another try, or an error that says why.

RECHUNK_CALLS says how many, over all jobs; RECHUNK_SEED which.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from jobs import JOBS
from shim import CHANGING, READING, Ended, run
from trees import METADATA_NAMES, assert_only, tree_hash

SEED = int(os.environ.get("RECHUNK_SEED", "20260"))
EACH = -(-int(os.environ.get("RECHUNK_CALLS", "60")) // len(JOBS))
# What a system may say, and to which calls.
CAUSES = {
    errno.EIO: (*READING, *CHANGING),
    errno.EACCES: (*READING, *CHANGING),
    errno.EPERM: CHANGING,
    errno.ENOSPC: ("create", "pwrite", "rename", "link", "mkdir"),
    errno.EDQUOT: ("create", "pwrite", "mkdir"),
    errno.EROFS: CHANGING,
    errno.EINTR: ("open", "create", "preadv", "pwrite"),
    errno.ESTALE: READING,
    errno.EMFILE: ("open", "create", "opendir"),
    errno.ENOMEM: ("open", "create", "mkdir"),
}


@pytest.mark.parametrize("name", JOBS)
def test_a_failing_call_is_overcome_or_named(tmp_path: Path, name: str) -> None:
    """Once or from then on; no target is wrong, and nothing is in the way."""
    rng = np.random.default_rng([SEED, *name.encode()])
    job, folder = JOBS[name], tmp_path / "here"
    folder.mkdir()
    job.make_source(folder / "a")
    source = tree_hash(folder / "a")
    command = ("run", folder / "a", folder / "b", *job.arguments)
    whole = run(folder, *command, log=tmp_path / "log")
    assert whole.exit_code == 0, whole.stderr
    target = tree_hash(folder / "b")
    for number in range(EACH):
        shutil.rmtree(folder / "b")
        cause = int(rng.choice(list(CAUSES)))
        calls = CAUSES[cause]
        script = {
            "calls": ",".join(calls),
            "at": int(rng.integers(1, whole.count(*calls) + 1)),
            "lasting": int(rng.random() < 0.5),
            "action": "error",
            "errno": cause,
        }
        ended = run(folder, *command, **script)
        case = f"seed {SEED}, number {number}, {script}: {ended.stderr}"
        assert tree_hash(folder / "a") == source, case
        check_end(ended, folder / "b", target, os.strerror(cause), case)
        again = run(folder, *command, "--overwrite")
        assert again.exit_code == 0, f"{case} --- {again.stderr}"
        assert tree_hash(folder / "b") == target, case
        assert_only(folder, "a", "b")


def check_end(
    ended: Ended, path: Path, target: dict[str, str], cause: str, case: str
) -> None:
    """Require the right target, or an error and none that can be opened."""
    found = tree_hash(path) if path.exists() else {}
    documents = {k for k in found if Path(k).name in METADATA_NAMES}
    if ended.exit_code == 0 or documents:
        chunks = {k: v for k, v in found.items() if "partial" not in k}
        missing = target.keys() - chunks.keys()
        assert {Path(k).name for k in missing} <= METADATA_NAMES, case
        assert chunks.items() <= target.items(), case
    if ended.exit_code == 0:
        assert found == target, case
    else:
        assert cause in ended.stderr, case
        assert str(path.parent) in ended.stderr, case


@pytest.mark.parametrize(
    "cause", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EACCES]
)
def test_a_disk_needs_no_hard_links(tmp_path: Path, cause: int) -> None:
    """ExFAT, SMB and others refuse them; runs lock each other out all the
    same, and one that was killed is resumed.
    """
    job = JOBS["staged"]
    job.make_source(tmp_path / "a")
    command = ("run", tmp_path / "a", tmp_path / "b", *job.arguments)
    assert run(tmp_path, *command).exit_code == 0
    target = tree_hash(tmp_path / "b")
    shutil.rmtree(tmp_path / "b")
    no_links = {
        "calls": "link",
        "at": 1,
        "lasting": 1,
        "action": "error",
        "errno": cause,
    }
    ended = run(tmp_path, *command, log=tmp_path / "log", **no_links)
    assert ended.exit_code == 0, ended.stderr
    assert ended.count("link") > 0
    assert tree_hash(tmp_path / "b") == target
    assert_only(tmp_path, "a", "b", "log")
    again = run(tmp_path, *command, "--overwrite", **no_links)
    assert again.exit_code == 0, again.stderr
    assert tree_hash(tmp_path / "b") == target


@pytest.mark.parametrize("calls", ["create", "link,create", "pwrite"])
def test_a_run_that_cannot_begin_leaves_no_folder(
    tmp_path: Path, calls: str
) -> None:
    """Neither the target's nor that of the journal."""
    job = JOBS["direct"]
    job.make_source(tmp_path / "a")
    command = ("run", tmp_path / "a", tmp_path / "b", *job.arguments)
    script = {"calls": calls, "at": 1, "lasting": 1, "errno": errno.EPERM}
    ended = run(tmp_path, *command, action="error", **script)
    assert ended.exit_code == 1
    assert os.strerror(errno.EPERM) in ended.stderr
    assert_only(tmp_path, "a")


@pytest.mark.parametrize("name", JOBS)
def test_short_reads_and_writes_are_continued(
    tmp_path: Path, name: str
) -> None:
    """As if nothing had been."""
    job = JOBS[name]
    job.make_source(tmp_path / "a")
    command = ("run", tmp_path / "a", tmp_path / "b", *job.arguments)
    assert run(tmp_path, *command).exit_code == 0
    target = tree_hash(tmp_path / "b")
    for seed in range(3):
        shutil.rmtree(tmp_path / "b")
        ended = run(tmp_path, *command, action="short", rate=2, seed=seed)
        assert ended.exit_code == 0, ended.stderr
        assert tree_hash(tmp_path / "b") == target


@pytest.mark.parametrize("begins", ["resumed", "begun anew"])
def test_a_target_that_was_half_removed_is_still_known(
    tmp_path: Path, begins: str
) -> None:
    """To the next run, which removes the rest, or goes on."""
    job = JOBS["direct"]
    job.make_source(tmp_path / "a")
    command = ("run", tmp_path / "a", tmp_path / "b", *job.arguments)
    assert run(tmp_path, *command).exit_code == 0
    target = tree_hash(tmp_path / "b")
    harm = {"calls": "unlink", "at": 9, "errno": errno.EACCES}
    again = (*command, "--overwrite-in-place")
    ended = run(tmp_path, *again, action="error", **harm)
    assert ended.exit_code == 1
    assert len(tree_hash(tmp_path / "b")) < len(target)
    if begins == "resumed":
        again = ("resume", tmp_path / "b")
    ended = run(tmp_path, *again)
    assert ended.exit_code == 0, ended.stderr
    assert tree_hash(tmp_path / "b") == target
    assert_only(tmp_path, "a", "b")


@pytest.mark.parametrize("seconds", [-(10**9), 10**9])
def test_a_jumping_clock_changes_nothing(tmp_path: Path, seconds: int) -> None:
    """The time of day goes back and forth by thirty years."""
    job = JOBS["staged"]
    job.make_source(tmp_path / "a")
    command = ("run", tmp_path / "a", tmp_path / "b", *job.arguments)
    ended = run(tmp_path, *command, "--verify", clock=seconds)
    assert ended.exit_code == 0, ended.stderr
    target = tree_hash(tmp_path / "b")
    shutil.rmtree(tmp_path / "b")
    assert run(tmp_path, *command).exit_code == 0
    assert tree_hash(tmp_path / "b") == target
    assert_only(tmp_path, "a", "b")
