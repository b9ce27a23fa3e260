"""What the guides show is run here, as it stands on the page."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import ROOT, Rechunk
from jobs import JOBS, assert_equal_elements
from servers import Bucket, HttpServer
from test_references import FIELD, references_to, write_file

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


def install(rechunk: Rechunk, folder: Path) -> None:
    """Put the command where scripts find it."""
    (folder / "bin").mkdir()
    (folder / "bin" / "rechunk").symlink_to(rechunk.path)


@pytest.fixture
def folder(rechunk: Rechunk, tmp_path: Path) -> Path:
    """Make a folder with the page's scripts, a plan, and the command."""
    for block in BLOCK.finditer((GUIDES / "engines.md").read_text()):
        (tmp_path / block["name"]).write_text(block["text"])
    install(rechunk, tmp_path)
    (tmp_path / "bin" / "sbatch").write_text(SBATCH)
    (tmp_path / "bin" / "sbatch").chmod(0o755)
    job = JOBS["group"]
    job.make_source(tmp_path / "a")
    arguments = (tmp_path / "a", tmp_path / "b", *job.arguments)
    rechunk.ok("plan", *arguments, "--save", tmp_path / "plan.json")
    return tmp_path


def run_script(
    folder: Path, *words: str, **settings: str
) -> subprocess.CompletedProcess:
    """Run one of the scripts, with the command on PATH."""
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", *words],
        cwd=folder,
        env={
            **os.environ,
            **settings,
            "PATH": path,
            "SBATCH_LOG": str(folder / "log"),
        },
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
    """Each stage waits for the one before it; small arrays share a job."""
    done = run_script(folder, "submit.sh", "plan.json", "2")
    assert done.returncode == 0, done.stderr
    assert_equal_elements(folder / "a", folder / "b")
    assert not (folder / "b.rechunk").exists()
    arrays = json.loads((folder / "plan.json").read_text())["arrays"]
    stages = max(len(array["stages"]) for array in arrays)
    submitted = (folder / "log").read_text().splitlines()
    assert len(submitted) == stages > 1
    for stage, words in enumerate(submitted):
        assert (f"afterok:{stage}" in words) == (stage > 0)
        tasks = sum(
            array["stages"][stage]["tasks"]
            for array in arrays
            if stage < len(array["stages"])
        )
        assert f"--array 0-{-(-tasks // 2) - 1} " in words


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
    install(rechunk, tmp_path)
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
    again = run_script(tmp_path, *words)
    assert again.returncode == 0, again.stderr
    # A target that was made of something else is not taken for this job's.
    shutil.rmtree(tmp_path / "a")
    job.make_source(tmp_path / "a")
    assert run_script(tmp_path, *words).returncode == 1


def commands(text: str) -> list[tuple[str, str]]:
    """Return what a page types into a terminal, and what it shows then."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.M | re.S):
        for part in block.split("$ ")[1:]:
            command = re.match(r"(.*\\\n)*.*\n", part)[0]
            found.append((command, part[len(command) :]))
    return found


def empty_array(path: Path, shape: tuple[int, ...], chunks: int) -> None:
    """Make maps, none of which is there: what takes no time to rechunk."""
    zarr.create_array(
        path,
        shape=shape,
        chunks=(chunks, *shape[1:]),
        dtype="f4",
        dimension_names=("time", "lat", "lon"),
    )


def without_measures(shown: str) -> str:
    """Drop the lines that say how long it took, and what was empty."""
    return re.sub(r"^(done|empty) .*\n", "", shown, flags=re.M)


def test_the_readme_shows_what_the_command_prints(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Plans of a shape, and of an array as large as the page says."""
    install(rechunk, tmp_path)
    empty_array(tmp_path / "by-map.zarr", (2000, 361, 720), 10)
    typed = commands((ROOT / "README.md").read_text())
    ours = [part for part in typed if part[0].startswith("rechunk")]
    assert len(ours) == 2
    for command, shown in ours:
        (tmp_path / "typed.sh").write_text(command)
        done = run_script(tmp_path, "typed.sh")
        assert done.returncode == 0, done.stderr
        assert without_measures(done.stdout + done.stderr) == (
            without_measures(shown)
        )


def test_the_page_on_existing_targets_shows_what_runs(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Its commands, one after the other, on arrays as they are named there."""
    install(rechunk, tmp_path)
    years = {"2024-by-map": 8784, "new-by-map": 48, "corrected": 17592}
    empty_array(tmp_path / "era5-by-place.zarr", (17544, 3, 4), 24)
    for name, hours in years.items():
        empty_array(tmp_path / f"{name}.zarr", (hours, 3, 4), 24)
        array = zarr.open_array(tmp_path / f"{name}.zarr")
        array[...] = np.random.default_rng(hours).random(array.shape)
    for command, _ in commands((GUIDES / "existing.md").read_text()):
        (tmp_path / "typed.sh").write_text(command)
        done = run_script(tmp_path, "typed.sh")
        assert done.returncode == 0, done.stderr
        source = zarr.open_array(tmp_path / command.split()[2], mode="r")
        target = zarr.open_array(tmp_path / "era5-by-place.zarr", mode="r")
        assert (target[-source.shape[0] :] == source[...]).all()


def test_the_page_on_interrupted_runs_shows_what_is_printed(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """But for numbers: here a damaged chunk ends the run."""
    install(rechunk, tmp_path)
    empty_array(tmp_path / "by-map.zarr", (2000, 361, 720), 10)
    chunk = tmp_path / "by-map.zarr" / "c" / "190" / "0" / "0"
    chunk.parent.mkdir(parents=True)
    chunk.write_bytes(b"damaged")
    typed = commands((GUIDES / "resume.md").read_text())
    codes = []
    for command, shown in typed:
        (tmp_path / "typed.sh").write_text(command)
        done = run_script(tmp_path, "typed.sh")
        codes.append(done.returncode)
        if command.startswith("rechunk run"):
            assert shown.splitlines()[-1] in done.stderr.splitlines()
            chunk.unlink()
            maps = np.zeros((10, 361, 720), "f4")
            maps[:, :10, :10] = 1  # Few chunks of the target hold anything.
            zarr.open_array(tmp_path / "by-map.zarr")[1900:1910] = maps
        if command.startswith("rechunk status"):
            printed, page = (
                re.sub(r"[\d.]+ ([KMG]i)?", "N ", text)
                for text in (done.stdout, shown)
            )
            assert printed == page
    assert codes == [1, 0, 0]
    assert zarr.open_array(tmp_path / "by-place.zarr").chunks == (2000, 10, 10)


def test_the_page_on_engines_shows_what_runs(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """A saved plan, and its tasks by hand, a whole stage before the next."""
    install(rechunk, tmp_path)
    empty_array(tmp_path / "by-hour.zarr", (8760, 361, 720), 24)
    page = (GUIDES / "engines.md").read_text()
    plan, tasks = re.findall(r"\n\n```sh\n(rechunk .*?)```", page, re.S)
    first, last = tasks.splitlines()
    rest = "rechunk task plan.json 0 0 all\n"
    (tmp_path / "typed.sh").write_text(f"set -e\n{plan}{first}\n{rest}{last}")
    done = run_script(tmp_path, "typed.sh")
    assert done.returncode == 0, done.stderr
    assert zarr.open_array(tmp_path / "by-place.zarr").chunks == (8760, 10, 10)


def test_the_page_on_buckets_shows_what_runs(
    rechunk: Rechunk,
    bucket: Bucket,
    http_server: HttpServer,
    tmp_path: Path,
) -> None:
    """Each command, with the test's bucket and server in place of the names."""
    install(rechunk, tmp_path)
    rng = np.random.default_rng(3)
    maps = rng.random((1000, 30, 20)).astype("f4")
    zarr.create_array(
        zarr.storage.ObjectStore(bucket.store("by-map.zarr")),
        data=maps,
        chunks=(100, 30, 20),
    )
    served = http_server.folder / tmp_path.name / "data.zarr"
    field = zarr.create_group(served).create_array(
        "field", data=maps[:, :, 0], chunks=(100, 30)
    )
    zarr.consolidate_metadata(served)
    page = (GUIDES / "buckets.md").read_text()
    blocks = re.findall(r"```sh\n(rechunk .*?)```", page, re.S)
    # test_gcs.py runs the other.
    blocks = [block for block in blocks if "gs://" not in block]
    assert len(blocks) == 3
    names = {
        "s3://bucket/": bucket.url(""),
        "http://host/": f"{http_server.url}/{tmp_path.name}/",
        "/scratch": str(tmp_path / "scratch"),
    }
    target = zarr.storage.ObjectStore(bucket.store("by-place.zarr"))
    for block in blocks:
        for name, real in names.items():
            block = block.replace(name, real)
        (tmp_path / "typed.sh").write_text(block)
        done = run_script(tmp_path, "typed.sh", **bucket.server.environment())
        assert done.returncode == 0, done.stderr
        if "s3://" in block:
            assert zarr.open_array(target).chunks == (1000, 10, 10)
            np.testing.assert_array_equal(zarr.open_array(target)[:], maps)
            for key in bucket.left():
                if key.startswith("by-place.zarr"):
                    (bucket.folder / key).unlink()
    made = zarr.open_array(tmp_path / "by-place.zarr" / "field")
    np.testing.assert_array_equal(made[:], field[:])


def test_the_page_on_archives_shows_what_runs(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Its blocks, one after the other; files lie here and elsewhere."""
    install(rechunk, tmp_path)
    for name, folder in (("references", "."), ("others", "elsewhere")):
        file = tmp_path / folder / "a.nc"
        file.parent.mkdir(exist_ok=True)
        write_file(file, FIELD)
        refs = references_to([file], str(file.parent / "{}"))
        (tmp_path / f"{name}.json").write_text(json.dumps(refs))
    with zarr.storage.ZipStore(tmp_path / "data.zip", mode="w") as store:
        for place in (store, tmp_path / "by-map.zarr"):
            group = zarr.create_group(place)
            group.create_array("field", data=FIELD, chunks=(5, 24))
    page = (GUIDES / "archives.md").read_text()
    page = page.replace("/data/netcdf", str(tmp_path / "elsewhere"))
    for block in re.findall(r"```sh\n(rechunk .*?)```", page, re.S):
        (tmp_path / "typed.sh").write_text(f"set -e\n{block}")
        done = run_script(tmp_path, "typed.sh")
        assert done.returncode == 0, done.stderr
    for made in (
        *("by-place.zarr", "from-netcdf.zarr", "others.zarr"),
        zarr.storage.ZipStore(tmp_path / "by-place.zip", mode="r"),
    ):
        place = tmp_path / made if isinstance(made, str) else made
        field = zarr.open_group(place, mode="r")["field"]
        assert field.chunks == (30, 3)
        np.testing.assert_array_equal(field[...], FIELD)
