"""Groups whose readers use consolidated metadata, while runs in them die.

RECHUNK_KILLS says how many kills; from 200 on every system call of the end of a
run is one. RECHUNK_SEED says which.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import binary_path
from shim import CHANGING, Ended, run, shim_env
from trees import assert_no_partial_files, assert_only

SEED = int(os.environ.get("RECHUNK_SEED", "20260"))
KILLS = int(os.environ.get("RECHUNK_KILLS", "20")) // 2
CALLS = ",".join(CHANGING)
# What of the group is the target, and how it is written.
WAYS = {
    "new": ("outer/group/new", ()),
    "overwrite": ("outer/group/t", ("--overwrite",)),
    "in place": ("outer/group/t", ("--overwrite-in-place",)),
    "append": ("outer/group", ("--append", "time")),
}
Elements = dict[str, np.ndarray]


def dataset(
    rng: np.random.Generator, first: int, length: int
) -> dict[str, tuple[np.ndarray, tuple[str, ...]]]:
    """Arrays that grow together, and one that does not."""
    return {
        "t": (rng.random((length, 5), dtype="f4"), ("time", "x")),
        "u": (rng.integers(0, 99, (5, length), "i2"), ("x", "time")),
        "time": (np.arange(first, first + length), ("time",)),
        "x": (np.arange(5), ("x",)),
    }


def make_group(
    path: Path,
    arrays: dict[str, tuple[np.ndarray, tuple[str, ...]]],
    zarr_format: int,
) -> None:
    """Write a group of chunks that end within the arrays."""
    group = zarr.create_group(path, zarr_format=zarr_format)
    for name, (elements, dimensions) in arrays.items():
        names = {"dimension_names": dimensions} if zarr_format == 3 else {}
        array = group.create_array(
            name, data=elements, chunks=(4,) * elements.ndim, **names
        )
        if zarr_format == 2:
            array.attrs["_ARRAY_DIMENSIONS"] = list(dimensions)


def seen(group: Path, *, consolidated: bool) -> Elements:
    """Read what a reader sees that trusts consolidated metadata, or not."""
    opened = zarr.open_group(group, mode="r", use_consolidated=consolidated)
    return {
        name: node[...]
        for name, node in opened.members(max_depth=None)
        if isinstance(node, zarr.Array)
    }


def layouts(group: Path, *, consolidated: bool) -> dict[str, object]:
    """What is said of the arrays, without their elements."""
    opened = zarr.open_group(group, mode="r", use_consolidated=consolidated)
    return {
        name: node.metadata.to_dict()
        for name, node in opened.members(max_depth=None)
        if isinstance(node, zarr.Array)
    }


def equal(one: Elements, other: Elements) -> bool:
    """Whether two groups hold the same."""
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name]) for name in one
    )


@dataclass
class Work:
    """A job in a group within a group; both have consolidated metadata."""

    folder: Path
    way: str
    command: tuple[object, ...]
    old: Elements
    new: Elements
    whole: Ended

    @property
    def target(self) -> Path:
        """What is written."""
        return self.folder / WAYS[self.way][0]

    @property
    def groups(self) -> list[Path]:
        """Whose metadata names the target's arrays."""
        return [self.folder / "outer/group", self.folder / "outer"]

    def put_back(self) -> None:
        """Make the group what it was."""
        shutil.rmtree(self.folder / "outer", ignore_errors=True)
        shutil.copytree(self.folder.parent / "kept", self.folder / "outer")

    def check_settled(self, case: str, *states: Elements) -> None:
        """Every reader sees one of the states, and nothing else is left."""
        for group in self.groups:
            said = [layouts(group, consolidated=c) for c in (True, False)]
            assert said[0] == said[1], f"{group}: {case}"
        found = seen(self.groups[0], consolidated=True)
        assert any(equal(found, state) for state in states), case
        assert_only(self.folder, "a", "outer")
        assert_no_partial_files(self.folder)


@pytest.fixture(params=WAYS)
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    """Run the job once without harm."""
    way = request.param
    rng = np.random.default_rng([SEED, *way.encode()])
    zarr_format = int(rng.integers(2, 4))
    folder = tmp_path / "here"
    folder.mkdir()
    make_group(folder / "a", dataset(rng, 10, 9), zarr_format)
    zarr.create_group(tmp_path / "kept", zarr_format=zarr_format)
    make_group(tmp_path / "kept/group", dataset(rng, 0, 10), zarr_format)
    for name in ("kept/group", "kept"):
        zarr.consolidate_metadata(tmp_path / name)
    target, flags = WAYS[way]
    source = folder / ("a" if way == "append" else "a/t")
    command = ("run", source, folder / target, *flags, "--threads", "1")
    if way != "append":
        command = (*command, "--chunks", "3,5")
    work = Work(folder, way, command, {}, {}, Ended(0, "", ""))
    work.put_back()
    work.old = seen(work.groups[0], consolidated=False)
    work.whole = run(folder, *command, log=tmp_path / "log", calls=CALLS)
    assert work.whole.exit_code == 0, work.whole.stderr
    work.new = seen(work.groups[0], consolidated=False)
    work.check_settled("undisturbed", work.new)
    assert not equal(work.old, work.new)
    return work


def end(work: Work, rng: np.random.Generator, case: str) -> None:
    """Resume it, give it up, or ask for the same again."""
    how = rng.choice(["resume", "discard", "again"])
    case = f"{how} after {case}"
    states = (work.old, work.new)
    if how == "discard":
        dropped = run(work.folder, "discard", work.target)
        refused = (
            "arrays have grown",
            "has already replaced",
            "no unfinished run",
        )
        if dropped.exit_code:
            assert any(text in dropped.stderr for text in refused), case
        else:
            if work.way == "in place":
                states = (work.old, work.new, {**work.old})
                states[2].pop("t")
            return work.check_settled(case, *states)
    if how == "again":
        again = run(work.folder, *work.command)
        if again.exit_code == 0:
            found = seen(work.groups[0], consolidated=False)
            return work.check_settled(case, work.new, found)
        known = "rechunk resume", "--overwrite replaces it"
        assert any(hint in again.stderr for hint in known), again.stderr
    ended = run(work.folder, "resume", work.target)
    if ended.exit_code:
        # It had not begun, or was given up.
        assert "no unfinished run" in ended.stderr, f"{case}: {ended.stderr}"
    work.check_settled(case, *states)


def test_a_run_that_dies_leaves_metadata_that_can_be_mended(work: Work) -> None:
    """Until then, readers of an appended group see the old or the new one."""
    rng = np.random.default_rng([SEED, *work.way.encode(), 1])
    last = max(
        number
        for number, (name, path) in enumerate(work.whole.calls, 1)
        if name == "rename" and not path.endswith((".json", "data", "array"))
    )
    ends = range(last, work.whole.count() + 1)
    points = [(at, how) for at in ends for how in ("before", "after")]
    if KILLS < 100:
        points = [points[i] for i in rng.permutation(len(points))[:KILLS]]
    for at, how in points:
        work.put_back()
        script = {"calls": CALLS, "at": at, "action": how}
        ended = run(work.folder, *work.command, **script)
        case = f"seed {SEED}, {script} of {work.whole.count()}: {ended.stderr}"
        assert ended.killed, case
        if work.way in ("new", "append"):
            found = seen(work.groups[0], consolidated=True)
            assert equal(found, work.old) or equal(found, work.new), case
        end(work, rng, case)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_runs_into_one_group_all_find_their_way_into_its_metadata(
    tmp_path: Path, zarr_format: int
) -> None:
    """Though they end at the same time: no old state is published last."""
    names = [f"new{number}" for number in range(6)]
    elements = np.random.default_rng(SEED).random((9, 5))
    zarr.create_array(
        tmp_path / "a", data=elements, chunks=(4, 5), zarr_format=zarr_format
    )
    group = tmp_path / "group"
    zarr.create_group(group, zarr_format=zarr_format)
    zarr.consolidate_metadata(group)
    runs = [
        subprocess.Popen(
            [
                *(binary_path(), "run", tmp_path / "a", group / name),
                *("--chunks", "3,5", "--threads", "1"),
            ],
            stderr=subprocess.PIPE,
            text=True,
            env=shim_env(tmp_path, calls="rename,open", delay=2000),
        )
        for name in names
    ]
    for process in runs:
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 0, stderr
    found = seen(group, consolidated=True)
    assert equal(found, dict.fromkeys(names, elements))
    assert_no_partial_files(tmp_path)
