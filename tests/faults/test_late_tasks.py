"""A task of an append that sleeps while its run ends, and others after it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk, binary_path
from shim import shim_env

LAYOUTS = {
    "chunks": {"chunks": (10,)},
    "shards": {"chunks": (5,), "shards": (10,)},
}


def prepare(rechunk: Rechunk, folder: Path, layout: dict) -> Path:
    """Plan to append to 25 elements; all is done but the partial object."""
    for name, first, length in (("b", 0, 25), ("a", 25, 18), ("c", 43, 4)):
        data = np.arange(first, first + length, dtype="i4")
        zarr.create_array(folder / name, data=data, **layout)
    plan = folder / "plan.json"
    words = (folder / "a", folder / "b", "--append", "0")
    rechunk.ok("plan", *words, "--threads", 1, "--save", plan)
    return plan


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_late_task_undoes_nothing(
    rechunk: Rechunk, tmp_path: Path, layout: str
) -> None:
    """Stopped at each call that makes a file of the target, or names it."""
    at = 0
    stopped_at_rename = 0
    while True:
        at += 1
        folder = tmp_path / str(at)
        folder.mkdir()
        plan = prepare(rechunk, folder, LAYOUTS[layout])
        rechunk.ok("task", plan, 0, 0, "0..0")
        late = subprocess.Popen(
            [binary_path(), "task", plan, "0", "0", "all"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=shim_env(
                f"{folder}/b/", calls="create,rename", at=at, action="stop",
                log=tmp_path / "log",
            ),
        )  # fmt: skip
        _, status = os.waitpid(late.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            late.returncode = os.waitstatus_to_exitcode(status)
            break
        calls = (tmp_path / "log").read_text().splitlines()
        stopped_at_rename += calls[-1].startswith("rename")
        (tmp_path / "log").unlink()
        rechunk.ok("task", plan, 0, 0, "all")
        rechunk.ok("commit", plan)
        rechunk.ok("run", folder / "c", folder / "b", "--append", "0")
        late.send_signal(signal.SIGCONT)
        _, stderr = late.communicate(timeout=60)
        found = zarr.open_array(folder / "b", mode="r")[...]
        assert np.array_equal(found, np.arange(47)), (at, stderr)
        assert "partial" not in " ".join(
            path.name for path in (folder / "b").rglob("*")
        )
    assert at > 1 and stopped_at_rename > 0, late.returncode
