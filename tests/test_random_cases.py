"""Random arrays, rechunked by the command, compared bit for bit.

RECHUNK_CASES says how many jobs, RECHUNK_SEED which; RECHUNK_CASE runs one.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from binary import Rechunk, Result
from cases import (
    Case,
    make_source,
    needs_luck,
    needs_newest_zarr,
    random_case,
)
from compare import assert_same_elements, assert_target, read
from compare import read_with_tensorstore as tensorstore_read
from trees import assert_no_partial_files, assert_only, tree_hash

pytestmark = pytest.mark.any_place

SEED = int(os.environ.get("RECHUNK_SEED", "20260"))
COUNT = int(os.environ.get("RECHUNK_CASES", "600"))
ONLY = os.environ.get("RECHUNK_CASE")
BATCH = 20
PLENTY_BYTES = 256 << 20


@pytest.mark.parametrize("batch", range(-(-COUNT // BATCH)))
def test_a_random_array_comes_out_as_it_went_in(
    rechunk: Rechunk, tmp_path: Path, batch: int
) -> None:
    """Run the jobs of one batch; a failure names its seed and job."""
    indices = range(batch * BATCH, min(COUNT, (batch + 1) * BATCH))
    run_cases(rechunk, tmp_path, indices, newest_zarr=False)


@pytest.mark.newest_zarr
def test_what_few_readers_know_comes_out_as_it_went_in(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Structures, and raw bytes in shards: those of the jobs above."""
    run_cases(rechunk, tmp_path, range(COUNT), newest_zarr=True)


def run_cases(
    rechunk: Rechunk, folder: Path, indices: range, newest_zarr: bool
) -> None:
    """Run those jobs whose results need the newest zarr-python, or do not."""
    for index in [int(ONLY)] if ONLY else indices:
        case = random_case((SEED, index))
        if needs_luck(case) or needs_newest_zarr(case) != newest_zarr:
            continue
        place = folder / str(index)
        place.mkdir()
        try:
            run_case(rechunk, case, place)
        except Exception as error:
            error.add_note(
                f"reproduce: RECHUNK_SEED={SEED} RECHUNK_CASE={index}"
            )
            error.add_note(f"{case}")
            raise
        shutil.rmtree(place)


def run_case(rechunk: Rechunk, case: Case, folder: Path) -> None:
    """Make the source, run the command, judge the result."""
    source, target = folder / "source.zarr", folder / "target.zarr"
    make_source(case, source)
    before = tree_hash(source)
    if case.expected_error is not None:
        result = rechunk.fails(*_command(case, source, target))
        assert case.expected_error in result.stderr, str(result)
        assert_only(folder, "source.zarr")
    else:
        result = run_within_budget(rechunk, case, source, target)
        assert_target(case, source, target)
        assert_only(folder, "source.zarr", "target.zarr")
        assert_no_partial_files(target)
        _check_with_tensorstore(case, source, target)
        assert len(result.json()["arrays"]) == 1
    assert tree_hash(source) == before, "the source was changed"


def run_within_budget(
    rechunk: Rechunk, case: Case, source: Path, target: Path
) -> Result:
    """Run with plenty, with the smallest budget there is, or a bit more."""
    command = _command(case, source, target)
    budget_bytes = PLENTY_BYTES
    if case.budget != "plenty":
        refused = rechunk(*command, "--max-memory", 1)
        if refused.exit_code == 0:  # Nothing to hold in memory.
            assert refused.json()["peak_memory"] <= 1, str(refused)
            return refused
        assert refused.exit_code == 1, str(refused)
        assert not target.exists(), "written despite the error"
        budget_bytes = refused.smallest_budget_bytes()
        if case.budget == "tight":
            budget_bytes = budget_bytes * 3 // 2
    result = rechunk.ok(*command, "--max-memory", budget_bytes)
    plan = result.json()
    assert plan["max_memory"] == budget_bytes
    assert plan["peak_memory"] <= budget_bytes, str(result)
    return result


def _command(case: Case, source: Path, target: Path) -> list[object]:
    options = [*case.target.arguments(), "--threads", case.threads, "--json"]
    return ["run", source, target, *options]


def _check_with_tensorstore(case: Case, source: Path, target: Path) -> None:
    if case.tensorstore_reads():
        elements = tensorstore_read(target, case.target_format)
        assert_same_elements(elements, read(source))
