"""Appends that move slices: fenced and journalled as those of tasks."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from binary import Rechunk, binary_path
from engines import Held
from rechunk import rechunk
from rechunk.errors import InvalidArgumentError
from rechunk.executors.python import copy
from shim import shim_env
from trees import assert_only, tree_hash

RNG = np.random.default_rng(17)


APPENDING = """if True:
    import sys
    from rechunk import rechunk
    folder = sys.argv[1]
    rechunk(f"{folder}/a", None, "8MB", f"{folder}/b", executor="python",
            append=0).execute()
"""
# Killed around the rename of so many objects of the target; what comes then.
KILLS = {
    "before the first": ("before", 1, "python"),
    "the first is there": ("after", 1, "threads"),
    "so is the second": ("after", 2, "python"),
    "all partial ones are": ("after", 3, "discard"),
}


@pytest.mark.parametrize("moment", KILLS)
def test_slices_that_are_killed_know_their_work_again(
    tmp_path: Path, moment: str
) -> None:
    """Two partial objects: the same call ends the work, discard undoes it."""
    action, at, then = KILLS[moment]
    expected = RNG.random((25, 6), dtype="f4")
    for name, part in (("b", expected[:17]), ("a", expected[17:])):
        zarr.create_array(tmp_path / name, data=part, chunks=(4, 3))
    killed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", APPENDING, tmp_path],
        env=shim_env(
            tmp_path / "b/", calls="rename", at=at, action=action
        ),
        capture_output=True,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    found = zarr.open_array(tmp_path / "b", mode="r+")
    assert np.array_equal(found[...], expected[:17])
    if then == "discard":
        Rechunk(binary_path()).ok("discard", tmp_path / "b")
        found.resize((25, 6))
        assert np.array_equal(found[:17], expected[:17])
        assert not found[17:20].any()
    else:
        planned = rechunk(
            *(tmp_path / "a", None, "8MB", tmp_path / "b"),
            executor=then,
            append=0,
        )
        assert np.array_equal(planned.execute()[...], expected)
    assert_only(tmp_path, "a", "b")


class Intruder:
    """An array; while it is read, somebody changes the last of another."""

    def __init__(self, elements: np.ndarray, victim: Path) -> None:
        self.shape, self.dtype = elements.shape, elements.dtype
        # In parts, or rechunk would find that its target is read.
        self._elements, self._victim = elements, victim.parts

    def __getitem__(self, region: Any) -> Any:
        zarr.open_array(Path(*self._victim), mode="r+")[-1] = -17
        return self._elements[region]


@pytest.mark.parametrize("executor", ["threads", "python"])
@pytest.mark.parametrize("layout", [{"chunks": (4,)}, {"shards": (4,)}])
def test_somebody_elses_work_is_not_overwritten(
    tmp_path: Path, executor: str, layout: dict[str, Any]
) -> None:
    """Though it changes a partial object after that was read."""
    zarr.create_array(
        tmp_path / "b", data=np.arange(18), **{"chunks": (2,), **layout}
    )
    planned = rechunk(
        Intruder(np.arange(18, 29), tmp_path / "b"),
        *(None, "8MB", tmp_path / "b"),
        executor=executor,
        append=0,
    )
    with pytest.raises(InvalidArgumentError, match="somebody else changed"):
        planned.execute()
    expected = [*range(17), -17]
    assert zarr.open_array(tmp_path / "b")[...].tolist() == expected


@pytest.mark.parametrize("layout", [{"chunks": (4,)}, {"shards": (4,)}])
def test_slices_that_come_late_undo_nothing(
    tmp_path: Path, layout: dict[str, Any]
) -> None:
    """Neither in the first nor in the last object of theirs."""
    zarr.create_array(
        tmp_path / "b", data=np.arange(10), **{"chunks": (2,), **layout}
    )
    plan = rechunk(
        np.arange(10, 15), None, "8MB", tmp_path / "b",
        executor=Held(), append=0,
    ).plan  # fmt: skip
    plan.prepare()
    ((stage,),) = (staged.stages for staged in plan)
    copy(stage, "")
    plan.commit(by_journal=False)
    rechunk(np.arange(15, 22), None, "8MB", tmp_path / "b", append=0).execute()
    before = tree_hash(tmp_path / "b")
    for region in stage.regions():
        with pytest.raises(InvalidArgumentError, match="its run has ended"):
            stage.target[region] = stage.source[region]
    assert tree_hash(tmp_path / "b") == before
    assert zarr.open_array(tmp_path / "b")[...].tolist() == [*range(22)]
