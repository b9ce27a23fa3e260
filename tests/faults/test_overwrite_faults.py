"""Targets that are overwritten: there and whole until the new one is.

RECHUNK_KILLS says how many kills; from 200 on every system call of the end of a
run is killed or fails once. RECHUNK_SEED says which.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from zarr.storage import ZipStore

from binary import binary_path
from shim import CHANGING, Ended, run, shim_env
from trees import assert_only, tree_hash

SEED = int(os.environ.get("RECHUNK_SEED", "20260"))
KILLS = int(os.environ.get("RECHUNK_KILLS", "20")) // 2
CALLS = ",".join(CHANGING)
SECONDS = 60


@dataclass
class Work:
    """A target that is to be overwritten, and what is to become of it."""

    folder: Path
    shim: dict[str, object]
    old: dict[str, str]
    new: dict[str, str]
    calls: list[tuple[str, str]]

    @property
    def is_archive(self) -> bool:
        """Whether the target is a zip archive."""
        return (self.folder.parent / "before/b.zip").exists()

    @property
    def target(self) -> Path:
        """An array within a group, which has neighbours; or an archive."""
        return self.folder / ("group/b.zip" if self.is_archive else "group/b")

    @property
    def content(self) -> dict[str, str]:
        """The target's objects and their hashes."""
        return contents(self.target)

    @property
    def command(self) -> tuple[object, ...]:
        """Replaces it."""
        return (
            *("run", self.folder / "a", self.target, "--overwrite"),
            *("--chunks", "4,8", "--threads", "1"),
        )

    def put_old_target(self) -> None:
        """As it was before."""
        shutil.rmtree(self.folder / "group", ignore_errors=True)
        shutil.copytree(self.folder.parent / "before", self.folder / "group")

    def run(self, *command: object, **shim: object) -> Ended:
        """Run the command on the disk of this work."""
        return run(self.folder, *command, **{**self.shim, **shim})

    def is_whole(self) -> bool:
        """Whether the old or the new target is there, in all parts."""
        return self.target.exists() and self.content in (self.old, self.new)


def contents(target: Path) -> dict[str, str]:
    """Hash the objects of a folder or an archive."""
    if target.is_dir():
        return tree_hash(target)
    with zipfile.ZipFile(target) as packed:
        return {
            name: hashlib.sha256(packed.read(name)).hexdigest()
            for name in sorted(packed.namelist())
            if not name.endswith("/")
        }


def elements(target: Path) -> np.ndarray:
    """Read the array."""
    if target.is_dir():
        return zarr.open_array(target, mode="r")[...]
    with ZipStore(target, mode="r") as store:
        return zarr.open_array(store, mode="r")[...]


@pytest.fixture(params=["exchange", "two steps", "archive"])
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    """Run it once without harm; the disk can exchange folders, or cannot."""
    rng = np.random.default_rng(3)
    folder, before = tmp_path / "here", tmp_path / "before"
    folder.mkdir()
    zarr.create_array(folder / "a", data=rng.random((9, 16)), chunks=(3, 16))
    group = zarr.create_group(before)
    for name in ("b", "neighbour"):
        # The same layout as the new one has: documents tell nothing.
        group.create_array(name, data=rng.random((9, 16)), chunks=(4, 8))
    (before / "b/README").write_text("mine")
    (before / "b/tables").mkdir()
    (before / "b/tables/t.parquet").write_text("rows")
    if request.param == "archive":
        shutil.make_archive(str(before / "b"), "zip", before / "b")
        shutil.rmtree(before / "b")
    shim = {"no_exchange": int(request.param == "two steps")}
    work = Work(folder, shim, {}, {}, [])
    work.put_old_target()
    work.old = work.content
    ended = work.run(*work.command, calls=CALLS, log=tmp_path / "log")
    assert ended.exit_code == 0, ended.stderr
    assert ("cannot exchange" in ended.stderr) == bool(shim["no_exchange"])
    assert (elements(work.target) == elements(folder / "a")).all()
    work.new, work.calls = work.content, ended.calls
    foreign = {"README", "tables/t.parquet"}
    assert {k: work.new[k] for k in foreign} == {
        k: work.old[k] for k in foreign
    }
    assert_settled(work, work.new, "undisturbed")
    return work


def assert_settled(work: Work, target: dict[str, str], case: str) -> None:
    """Nothing but that target is there, and what was beside it."""
    assert work.content == target, case
    assert_only(work.folder, "a", "group")
    names = (work.target.name, "neighbour", "zarr.json")
    assert_only(work.folder / "group", *names)


def end(work: Work, rng: np.random.Generator, case: str) -> None:
    """Resume or discard, without harm."""
    status = work.run("status", work.target, "--json")
    state = json.loads(status.stdout)["state"] if status.stdout else "absent"
    if rng.random() < 0.5:
        dropped = work.run("discard", work.target)
        if dropped.exit_code == 0:
            return assert_settled(work, work.old, case)
        assert work.is_whole(), f"{case} --- {dropped.stderr}"
    ended = work.run("resume", work.target)
    assert ended.exit_code == 0, f"{case} --- {ended.stderr}"
    target = work.new if state == "stopped" else work.content
    assert target in (work.old, work.new), case
    assert_settled(work, target, case)


def ends_of(work: Work) -> list[int]:
    """The calls from the last one that wrote a chunk on, numbered from 1."""
    first = max(
        number
        for number, (name, path) in enumerate(work.calls, 1)
        if name == "rename" and "/c/" in path
    )
    return list(range(first, len(work.calls) + 1))


def test_a_killed_run_has_lost_nothing(work: Work) -> None:
    """Killed anywhere, and while it is resumed: the old target or the new."""
    rng = np.random.default_rng([SEED, work.shim["no_exchange"]])
    ends = ends_of(work)
    points = [(at, how) for at in ends for how in ("before", "after")]
    if KILLS < 100:
        points = [points[i] for i in rng.permutation(len(points))[:KILLS]]
    for at, how in points:
        work.put_old_target()
        script = {"calls": CALLS, "at": at, "action": how}
        ended = work.run(*work.command, **script)
        case = f"seed {SEED}, {script} of {len(work.calls)}: {ended.stderr}"
        assert ended.killed, case
        if not work.shim["no_exchange"]:
            assert work.is_whole(), case
        if rng.random() < 0.3:
            again = {**script, "at": int(rng.integers(1, 20))}
            work.run("resume", work.target, **again)
        end(work, rng, case)


def test_a_failing_call_has_lost_nothing(work: Work) -> None:
    """Once or from then on; the run ends well or says why, and goes on."""
    rng = np.random.default_rng([SEED, 7, work.shim["no_exchange"]])
    points = [(at, lasting) for at in ends_of(work) for lasting in (0, 1)]
    if KILLS < 100:
        points = [points[i] for i in rng.permutation(len(points))[:KILLS]]
    for at, lasting in points:
        work.put_old_target()
        script = {
            "calls": CALLS,
            "at": at,
            "lasting": lasting,
            "action": "error",
            "errno": int(rng.choice([errno.EACCES, errno.EROFS, errno.ENOSPC])),
        }
        ended = work.run(*work.command, **script)
        case = f"seed {SEED}, {script} of {len(work.calls)}: {ended.stderr}"
        if not (work.shim["no_exchange"] and lasting):
            assert work.is_whole(), case
        if ended.exit_code == 0:
            assert work.content == work.new, case
            work.run("resume", work.target)
        else:
            end(work, rng, case)


@pytest.mark.parametrize("library", ["zarr", "xarray"])
def test_readers_find_the_old_target_or_the_new(
    tmp_path: Path, library: str
) -> None:
    """At every moment of a run, and never a mixture."""
    data = np.random.default_rng(5).random((2, 24, 30))
    for name, values, chunk in (("a", data[0], 3), ("b", data[1], 6)):
        xr.Dataset({"v": (("y", "x"), values)}).to_zarr(
            tmp_path / name, encoding={"v": {"chunks": (chunk, 30)}}
        )
    target = tmp_path / "b"
    process = subprocess.Popen(
        [
            *(binary_path(), "run", tmp_path / "a", target, "--overwrite"),
            *("--chunks", "y=6,x=10"),
        ],
        env=shim_env(tmp_path, delay=20000),
    )
    seen = []
    while process.poll() is None or 0 not in seen:
        inode = target.stat().st_ino
        try:
            found = (
                zarr.open_group(target, mode="r")["v"][...]
                if library == "zarr"
                else xr.open_zarr(target)["v"].values
            )
        except (ValueError, OSError):
            assert target.stat().st_ino != inode
            continue
        # Whoever opened the old one before, and reads now, asks the new one.
        if target.stat().st_ino == inode:
            which = [i for i in (0, 1) if np.array_equal(found, data[i])]
            assert len(which) == 1
            seen += which
    assert process.wait() == 0
    assert set(seen) == {0, 1}
    assert seen == sorted(seen, reverse=True)
