"""A run does what its plan says: objects and bytes, counted and on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr
from numcodecs import LZ4

from binary import Rechunk
from trees import data_files

pytestmark = pytest.mark.any_place

RNG = np.random.default_rng(3)
COUNTED = ("objects_read", "bytes_decoded", "objects_written", "bytes_encoded")
SHAPE = (97, 50, 61)

# Options of the source, options of the command, the method that must follow.
JOBS = {
    "direct": ({"chunks": (10, 50, 61)}, ["--chunks", "all,7,9"], "direct"),
    "coprime": ({"chunks": (7, 11, 13)}, ["--chunks", "5,50,9"], "direct"),
    "staged": (
        {"chunks": (5, 50, 61), "zarr_format": 2, "compressors": LZ4()},
        ["--chunks", "all,5,5", "--max-memory", "500kB"],
        "staged",
    ),
    "in parts": (
        {"chunks": (5, 50, 61), "zarr_format": 2, "compressors": None},
        ["--chunks", "all,25,61", "--max-memory", "900kB"],
        "direct",
    ),
    "passthrough": ({"chunks": (10, 50, 61)}, [], "passthrough"),
    "to shards": (
        {"chunks": (10, 50, 61)},
        ["--chunks", "10,10,10", "--shards", "50,50,70"],
        "direct",
    ),
    "from shards": (
        {"chunks": (5, 10, 10), "shards": (20, 50, 70)},
        ["--chunks", "97,10,61", "--shards", "none"],
        "direct",
    ),
}


def make_source(path: Path, options: dict) -> np.ndarray:
    """Write dense random data; return it."""
    array = zarr.create_array(path, shape=SHAPE, dtype="f4", **options)
    array[:] = values = RNG.random(SHAPE, dtype="f4") + 1
    return values


@pytest.mark.only_paths
@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("job", JOBS)
def test_a_dense_run_counts_what_was_planned(
    rechunk: Rechunk, tmp_path: Path, job: str, threads: int
) -> None:
    """Every count equals the plan's, and nothing was skipped."""
    options, arguments, method = JOBS[job]
    values = make_source(tmp_path / "a", options)
    result = rechunk(
        *("run", tmp_path / "a", tmp_path / "b", *arguments),
        *("--threads", threads, "--json"),
    )
    assert result.exit_code == 0, str(result)
    (array,) = result.json()["arrays"]
    assert array["method"] == method
    for stage in array["stages"]:
        assert stage["counted"]["tasks"] == stage["tasks"]
        for name in COUNTED:
            assert stage["counted"][name] == stage[name], (stage, name)
            assert stage["skipped"][name] == 0, (stage, name)
    assert array["stages"][-1]["objects_written"] == len(
        data_files(tmp_path / "b")
    )
    assert np.array_equal(zarr.open_array(tmp_path / "b")[:], values)


@pytest.mark.parametrize("job", ["direct", "staged"])
def test_each_source_object_is_decoded_once(
    rechunk: Rechunk, tmp_path: Path, job: str
) -> None:
    """And an intermediate has no more objects than tasks."""
    options, arguments, _ = JOBS[job]
    make_source(tmp_path / "a", options)
    plan = rechunk("plan", tmp_path / "a", tmp_path / "b", *arguments, "--json")
    first = plan.json()["arrays"][0]["stages"][0]
    assert first["objects_read"] == len(data_files(tmp_path / "a"))
    for stage in plan.json()["arrays"][0]["stages"][:-1]:
        assert stage["objects_written"] == stage["tasks"]
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("job", JOBS)
def test_a_sparse_run_adds_up(
    rechunk: Rechunk, tmp_path: Path, job: str
) -> None:
    """Counted and skipped together are what was planned."""
    options, arguments, method = JOBS[job]
    array = zarr.create_array(
        tmp_path / "a", shape=SHAPE, dtype="f4", **options
    )
    array[10:20, :9, 5:30] = RNG.random((10, 9, 25)) + 1
    result = rechunk(
        "run", tmp_path / "a", tmp_path / "b", *arguments, "--json"
    )
    assert result.exit_code == 0, str(result)
    (report,) = result.json()["arrays"]
    for stage in report["stages"]:
        for name in COUNTED:
            both = stage["counted"][name] + stage["skipped"][name]
            assert both == stage[name], (stage, name)
    written = report["stages"][-1]["counted"]["objects_written"]
    assert written == len(data_files(tmp_path / "b"))
    if method != "passthrough":
        assert written < report["stages"][-1]["objects_written"]
    assert np.array_equal(zarr.open_array(tmp_path / "b")[:], array[:])


def test_empty_chunks_are_written_on_request(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """--write-empty-chunks writes every chunk."""
    zarr.create_array(tmp_path / "a", shape=(8, 9), chunks=(2, 9), dtype="i2")
    flags = ["--chunks", "8,2"]
    rechunk("run", tmp_path / "a", tmp_path / "b", *flags)
    assert len(data_files(tmp_path / "b")) == 0
    rechunk(
        "run", tmp_path / "a", tmp_path / "c", *flags, "--write-empty-chunks"
    )
    assert len(data_files(tmp_path / "c")) == 5
