"""What the guides show is run here, as it stands on the page."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from binary import ROOT, Rechunk
from jobs import JOBS, assert_equal_elements

GUIDES = ROOT / "docs" / "guides"
BLOCK = re.compile(
    r"<!-- tested: (?P<name>\S+) -->\n```sh\n(?P<text>.*?)```", re.DOTALL
)
# Runs the elements of a job array one by one, and notes what it was told.
SBATCH = """#!/usr/bin/env bash
set -euo pipefail
echo "$*" >> "$SBATCH_LOG"
while [[ $1 != *.sbatch ]]; do
  [[ $1 == --array ]] && last=${2#0-}
  shift
done
for SLURM_ARRAY_TASK_ID in $(seq 0 "$last"); do
  export SLURM_ARRAY_TASK_ID
  bash "$@" >&2
done
wc -l < "$SBATCH_LOG"
"""


@pytest.fixture
def folder(rechunk: Rechunk, tmp_path: Path) -> Path:
    """Make a folder with the page's scripts, a plan, and the command."""
    for block in BLOCK.finditer((GUIDES / "engines.md").read_text()):
        (tmp_path / block["name"]).write_text(block["text"])
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "rechunk").symlink_to(rechunk.path)
    (tmp_path / "bin" / "sbatch").write_text(SBATCH)
    (tmp_path / "bin" / "sbatch").chmod(0o755)
    job = JOBS["group"]
    job.make_source(tmp_path / "a")
    arguments = (tmp_path / "a", tmp_path / "b", *job.arguments)
    rechunk.ok("plan", *arguments, "--save", tmp_path / "plan.json")
    return tmp_path


def run_script(folder: Path, *words: str) -> subprocess.CompletedProcess:
    """Run one of the scripts, with the command on PATH."""
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", *words],
        cwd=folder,
        env={**os.environ, "PATH": path, "SBATCH_LOG": str(folder / "log")},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_script_for_parallel_processes_runs_a_plan(folder: Path) -> None:
    """And goes on where it failed, once the cause is gone."""
    chunk = folder / "a" / "maps" / "c" / "40" / "0" / "0"
    data = chunk.read_bytes()
    chunk.write_bytes(b"damaged")
    failed = run_script(folder, "run-plan.sh", "plan.json", "4", "1")
    assert failed.returncode != 0
    assert "c/40/0/0" in failed.stderr
    chunk.write_bytes(data)
    done = run_script(folder, "run-plan.sh", "plan.json", "4", "1")
    assert done.returncode == 0, done.stderr
    assert_equal_elements(folder / "a", folder / "b")
    assert not (folder / "b.rechunk").exists()


def test_the_scripts_for_slurm_run_a_plan(folder: Path) -> None:
    """Each stage waits for the one before it, and for no other array."""
    done = run_script(folder, "submit.sh", "plan.json", "2")
    assert done.returncode == 0, done.stderr
    assert_equal_elements(folder / "a", folder / "b")
    assert not (folder / "b.rechunk").exists()
    arrays = json.loads((folder / "plan.json").read_text())["arrays"]
    stages = [
        stage for array in arrays for stage in range(len(array["stages"]))
    ]
    submitted = (folder / "log").read_text().splitlines()
    assert len(submitted) == len(stages)
    for number, (stage, words) in enumerate(zip(stages, submitted)):
        assert (f"afterok:{number}" in words) == (stage > 0)


def test_the_page_on_executors_shows_the_tested_example() -> None:
    """A unit test compiles and runs it."""
    source = (ROOT / "src" / "executors" / "example_test.cc").read_text()
    example = source.split("// [example]\n")[1]
    assert f"```cpp\n{example}```" in (GUIDES / "cpp-executor.md").read_text()


def test_the_script_for_jobs_that_are_queued_again_runs(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """It begins a run, and goes on with it after a kill."""
    page = (GUIDES / "resume.md").read_text()
    (block,) = BLOCK.finditer(page)
    (tmp_path / "script.sh").write_text(block["text"])
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "rechunk").symlink_to(rechunk.path)
    job = JOBS["group"]
    job.make_source(tmp_path / "a")
    chunk = next((tmp_path / "a/maps/c/80").rglob("0/0"))
    whole = chunk.read_bytes()
    chunk.write_bytes(b"damaged")
    words = ("script.sh", "a", "b", *job.arguments)
    assert run_script(tmp_path, *words).returncode == 1
    chunk.write_bytes(whole)
    done = run_script(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert_equal_elements(tmp_path / "a", tmp_path / "b")
    assert not (tmp_path / "b.rechunk").exists()
