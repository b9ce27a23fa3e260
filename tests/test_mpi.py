"""The executor for MPI: `make mpi` builds it and runs this file."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from binary import Rechunk
from jobs import JOBS, assert_equal_elements
from trees import assert_only, tree_hash

MPIRUN = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n"]
# Notes each rank's exit code; mpirun ends the others when a rank's is not 0.
NOTE_CODE = '"$@"; echo $? > "$CODES/$OMPI_COMM_WORLD_RANK"'
SECONDS = 60


@pytest.fixture(scope="module", autouse=True)
def _needs_mpi(rechunk: Rechunk) -> None:
    refusal = rechunk("run", "a", "b", "--executor", "mpi").stderr
    if "this build has no mpi" in refusal:
        pytest.skip("this build has no MPI: `make mpi` makes one")
    assert shutil.which("mpirun"), "there is no mpirun"


def mpirun(
    rechunk: Rechunk,
    ranks: int,
    codes: Path,
    *arguments: object,
    command: str = "run",
) -> subprocess.CompletedProcess:
    """Run the command on so many ranks; `codes` gets their exit codes."""
    codes.mkdir()
    return subprocess.run(
        [
            *(*MPIRUN, str(ranks), "-x", f"CODES={codes}"),
            *("sh", "-c", NOTE_CODE, "sh"),
            *(rechunk.path, command, *map(str, arguments)),
            *("--executor", "mpi"),
        ],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=SECONDS,
    )


def exit_codes(codes: Path) -> list[int]:
    """Of all ranks that came to an end."""
    return [int(path.read_text()) for path in codes.iterdir()]


def without_prediction(report: dict) -> list[dict]:
    """Return the arrays of a report; how long they take depends on threads."""
    return [
        {key: array[key] for key in array if key != "predicted_seconds"}
        for array in report["arrays"]
    ]


@pytest.mark.parametrize("ranks", [1, 2, 4])
@pytest.mark.parametrize("name", JOBS)
def test_any_number_of_ranks_makes_the_same_target(
    rechunk: Rechunk, tmp_path: Path, name: str, ranks: int
) -> None:
    """As one process does; one rank reports, for all."""
    job = JOBS[name]
    source, target = tmp_path / "a", tmp_path / "b"
    job.make_source(source)
    arguments = (source, target, *job.arguments, "--json")
    done = mpirun(rechunk, ranks, tmp_path / "codes", *arguments)
    assert exit_codes(tmp_path / "codes") == [0] * ranks, done.stderr
    assert done.stderr.count("done ") == 1
    alone = rechunk.ok("run", source, tmp_path / "c", *job.arguments, "--json")
    report = json.loads(done.stdout)
    assert {array["method"] for array in report["arrays"]} == job.methods
    assert without_prediction(report) == without_prediction(alone.json())
    assert_equal_elements(source, target)
    assert tree_hash(target) == tree_hash(tmp_path / "c")
    assert_only(tmp_path, "a", "b", "c", "codes")


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_an_error_of_one_rank_ends_all(
    rechunk: Rechunk, tmp_path: Path, ranks: int
) -> None:
    """With its message, told once; what was done stays, for `resume`."""
    source = tmp_path / "a"
    JOBS["staged"].make_source(source)
    chunk = source / "c" / "19" / "0" / "0"
    whole = chunk.read_bytes()
    chunk.write_bytes(b"damaged")
    arguments = (source, tmp_path / "b", *JOBS["staged"].arguments)
    done = mpirun(rechunk, ranks, tmp_path / "codes", *arguments)
    assert exit_codes(tmp_path / "codes") == [1] * ranks, done.stderr
    assert done.stderr.count("error: reading") == 1
    assert "c/19/0/0" in done.stderr
    assert not done.stdout
    assert not (tmp_path / "b" / "zarr.json").exists()
    again = mpirun(rechunk, ranks, tmp_path / "codes-2", *arguments)
    assert "rechunk resume" in again.stderr
    chunk.write_bytes(whole)
    resumed = mpirun(
        rechunk, ranks, tmp_path / "codes-3", tmp_path / "b", command="resume"
    )
    assert exit_codes(tmp_path / "codes-3") == [0] * ranks, resumed.stderr
    assert_equal_elements(source, tmp_path / "b")
    assert_only(tmp_path, "a", "b", "codes", "codes-2", "codes-3")


def test_an_error_of_the_plan_or_the_commit_ends_all(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """No source; a target that exists, which stays."""
    source, target = tmp_path / "a", tmp_path / "b"
    arguments = (source, target, *JOBS["direct"].arguments)
    done = mpirun(rechunk, 2, tmp_path / "codes-1", *arguments)
    assert exit_codes(tmp_path / "codes-1") == [1, 1], done.stderr
    assert done.stderr.count("error: ") == 1
    JOBS["direct"].make_source(source)
    JOBS["direct"].make_source(target)
    before = tree_hash(target)
    done = mpirun(rechunk, 2, tmp_path / "codes-2", *arguments)
    assert exit_codes(tmp_path / "codes-2") == [1, 1], done.stderr
    assert tree_hash(target) == before


def test_mpirun_itself_fails_too(rechunk: Rechunk, tmp_path: Path) -> None:
    """Without the notes: its exit code is what a batch system sees."""
    command = [*MPIRUN, "4", rechunk.path, "run", "nowhere", tmp_path / "b"]
    done = subprocess.run(
        [*map(str, command), "--executor", "mpi"],
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 1
    assert done.stderr.count("error: opening nowhere") == 1


def test_ranks_of_one_machine_share_its_memory(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Where no budget is given, each takes its part of the usual one."""
    source = tmp_path / "a"
    JOBS["direct"].make_source(source)
    budgets = []
    for ranks in (1, 2):
        arguments = (source, tmp_path / f"b{ranks}", "--json")
        codes = tmp_path / f"codes-{ranks}"
        done = mpirun(rechunk, ranks, codes, *arguments)
        budgets.append(json.loads(done.stdout)["max_memory"])
    assert budgets[1] == budgets[0] // 2
