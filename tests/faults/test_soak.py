"""Random arrays, rechunked by a command that something happens to.

RECHUNK_SOAK_SECONDS says how long, RECHUNK_SEED which. soak_test.cc does the
same within one process, and watches what that takes.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cases import Case, make_source, needs_luck, random_case
from compare import assert_target
from shim import CHANGING, READING, Ended, run
from trees import assert_no_partial_files, assert_only, tree_hash

SEED = int(os.environ.get("RECHUNK_SEED", "20260"))
SECONDS = float(os.environ.get("RECHUNK_SOAK_SECONDS", "0"))
pytestmark = pytest.mark.skipif(
    not SECONDS, reason="takes RECHUNK_SOAK_SECONDS: `make soak`"
)
# Not rmdir: a folder that cannot be removed stays, and hurts nobody.
CALLS = ",".join(sorted({*CHANGING, *READING} - {"rmdir"}))
CAUSES = [errno.EIO, errno.ENOSPC, errno.EACCES, errno.ESTALE, errno.EMFILE]


def harm(rng: np.random.Generator) -> dict[str, object]:
    """Draw what is to happen to one run."""
    script: dict[str, object] = {"calls": CALLS}
    if rng.random() < 0.5:
        script["at"] = int(rng.integers(1, 120))
        script["lasting"] = int(rng.random() < 0.3)
    else:
        script["rate"] = int(rng.choice([5, 30, 200]))
        script["seed"] = int(rng.integers(1, 1 << 30))
    script["action"] = str(
        rng.choice(["error", "error", "before", "after", "half", "short"])
    )
    script["errno"] = int(rng.choice(CAUSES))
    return script


def finish(
    folder: Path, rng: np.random.Generator, command: list
) -> tuple[Counter, Ended]:
    """Run until the target is there, at last without harm; how runs ended."""
    ends: Counter[str] = Counter()
    arguments = command
    for attempt in range(6):
        script = harm(rng) if attempt < 4 else {}
        ended = run(folder, *arguments, **script)
        ends["killed" if ended.killed else str(ended.exit_code)] += 1
        if ended.exit_code == 0:
            return ends, ended
        arguments = _go_on(folder, ended, script, command)
    raise AssertionError(f"it does not end: {ended}")


def _go_on(
    folder: Path, ended: Ended, script: dict[str, object], command: list
) -> list[object]:
    """What a user would do next."""
    if not script and "no unfinished run" not in ended.stderr:
        raise AssertionError(f"fails without harm: {ended}")
    if script and "no unfinished run" not in ended.stderr:
        return ["resume", folder / "target.zarr"]
    return [*command, "--overwrite"]


def test_random_rechunks_with_random_faults(tmp_path: Path) -> None:
    """Each ends, at last, in the right target, and with nothing beside it."""
    end = time.monotonic() + SECONDS
    ends: Counter[str] = Counter()
    index = 0
    while time.monotonic() < end:
        case = random_case((SEED, index))
        index += 1
        if needs_luck(case) or case.expected_error is not None:
            continue
        folder = tmp_path / "case"
        folder.mkdir()
        try:
            ends += soak_case(case, folder)
        except Exception as error:
            error.add_note(f"reproduce: RECHUNK_SEED={SEED}, case {index - 1}")
            error.add_note(f"{case}")
            raise
        shutil.rmtree(folder)
    print(f"{index} cases (seed {SEED}), runs ended {dict(ends)}")


def remove_what_it_names(folder: Path, ended: Ended) -> None:
    """As the warning says, where calls failed that should have removed it."""
    for line in ended.stderr.splitlines():
        if line.startswith("warning:") and "could not be removed" in line:
            place = Path(line.removeprefix("warning: ").split(" could not")[0])
            assert place.parent == folder
            shutil.rmtree(place)


def soak_case(case: Case, folder: Path) -> Counter:
    """Make the source, let the command have its accidents, judge."""
    source, target = folder / "source.zarr", folder / "target.zarr"
    make_source(case, source)
    before = tree_hash(source)
    options = [*case.target.arguments(), "--threads", case.threads]
    rng = np.random.default_rng([*case.seed, 5])
    ends, last = finish(folder, rng, ["run", source, target, *options])
    remove_what_it_names(folder, last)
    assert_target(case, source, target)
    assert tree_hash(source) == before, "the source was changed"
    assert_only(folder, "source.zarr", "target.zarr")
    assert_no_partial_files(target)
    return ends
