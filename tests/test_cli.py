"""The command line's contract: forms, keys, exit codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk

RNG = np.random.default_rng(2)
PLAN_KEYS = {
    "version",
    "max_memory",
    "peak_memory",
    "temp_bytes",
    "temp_objects",
    "arrays",
}
ARRAY_KEYS = {
    "name",
    "shape",
    "dtype",
    "source_chunks",
    "target_chunks",
    "method",
    "stages",
}
STAGE_KEYS = {
    "source", "target", "chunks", "tasks", "max_task_bytes", "objects_read",
    "bytes_decoded", "objects_written", "bytes_encoded",
}  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write a random array with named dimensions."""
    array = zarr.create_array(
        tmp_path / "a",
        shape=(40, 30, 20),
        chunks=(10, 30, 20),
        dtype="f4",
        dimension_names=["time", "lat", "lon"],
    )
    array[:] = RNG.random((40, 30, 20), dtype="f4")
    return tmp_path / "a"


def test_help_and_version(rechunk: Rechunk) -> None:
    """Both go to stdout with exit code 0; no command is wrong usage."""
    for flag in ("--help", "--version"):
        result = rechunk(flag)
        assert result.exit_code == 0
        assert result.stdout.strip() and not result.stderr
    for command in ("plan", "run", "verify", "info"):
        assert command in rechunk("--help").stdout
        assert rechunk(command, "--help").exit_code == 0
    assert rechunk().exit_code == 2


def test_a_mistyped_flag_is_guessed(rechunk: Rechunk) -> None:
    """The nearest flag is named."""
    result = rechunk("plan", "a", "b", "--max-memry", "1GB")
    assert result.exit_code == 2
    assert "--max-memory" in result.stderr


def test_the_keys_of_a_plan_are_a_contract(
    rechunk: Rechunk, source: Path
) -> None:
    """Of plan --json and of run --json, which adds what was counted."""
    arguments = (
        source,
        source.parent / "b",
        "--chunks",
        "time=all,lat=7",
        "--json",
    )
    for command, more, stage_more in (
        ("plan", set(), set()),
        ("run", {"seconds", "max_rss"}, {"counted", "skipped"}),
    ):
        report = rechunk(command, *arguments).json()
        assert report.keys() >= PLAN_KEYS | more
        assert report["arrays"][0].keys() >= ARRAY_KEYS
        assert (
            report["arrays"][0]["stages"][0].keys() >= STAGE_KEYS | stage_more
        )
    assert report["version"] == 1


def test_an_array_that_does_not_exist_can_be_planned(rechunk: Rechunk) -> None:
    """The hourly ERA5 case: one intermediate in 2 GiB, in a moment."""
    result = rechunk(
        *("plan", "--shape", "350640,721,1440", "--dtype", "f4"),
        *("--source-chunks", "31,721,1440", "--chunks", "350640,10,10"),
        *("--max-memory", "2GiB", "--threads", "2", "--json"),
    )
    assert result.exit_code == 0, str(result)
    (array,) = result.json()["arrays"]
    assert array["method"] == "staged"
    assert len(array["stages"]) == 2
    assert array["stages"][0]["objects_read"] == 11311
    assert result.json()["peak_memory"] <= 2 << 30


@pytest.mark.parametrize(
    ("text", "chunks"),
    [
        ("40,7,5", [40, 7, 5]),
        ("all", [40, 30, 20]),
        ("-1,7,-1", [40, 7, 20]),
        ("time=all,lat=7", [40, 7, 20]),
        ("lon=3", [10, 30, 3]),
        ("time=-1,lat=all,lon=1", [40, 30, 1]),
        ("0=20,2=10", [20, 30, 10]),
        ("400,7,5", [400, 7, 5]),
    ],
)
def test_chunks_are_read_in_all_forms(
    rechunk: Rechunk, source: Path, text: str, chunks: list[int]
) -> None:
    """The plan has the chunks that were meant."""
    result = rechunk(
        "plan", source, source.parent / "b", "--chunks", text, "--json"
    )
    assert result.exit_code == 0, str(result)
    assert result.json()["arrays"][0]["target_chunks"] == chunks


def test_auto_chunks_have_about_the_size(
    rechunk: Rechunk, source: Path
) -> None:
    """auto:SIZE is an upper bound, and not far from it."""
    result = rechunk(
        "plan", source, source.parent / "b", "--chunks", "auto:20kB", "--json"
    )
    chunks = result.json()["arrays"][0]["target_chunks"]
    assert 5000 <= 4 * np.prod(chunks) <= 20000


def test_a_plan_for_people_and_its_reasons(
    rechunk: Rechunk, source: Path
) -> None:
    """It goes to stdout; --explain says why."""
    arguments = ("plan", source, source.parent / "b", "--chunks", "40,7,5")
    plain, explained = rechunk(*arguments), rechunk(*arguments, "--explain")
    assert "stage 1" in plain.stdout and "(40, 7, 5)" in plain.stdout
    assert "direct" in explained.stdout
    assert not (source.parent / "b").exists()


def test_verify_tells_equal_from_different(
    rechunk: Rechunk, source: Path
) -> None:
    """Whatever the layout; the first different element is named."""
    target = source.parent / "b"
    for arguments in (
        ["--chunks", "7,11,13", "--codec", "zstd:3"],
        ["--chunks", "4,5,20", "--shards", "8,15,20", "--codec", "blosc:lz4:5"],
        ["--chunks", "40,3,3", "--zarr-format", "2", "--codec", "gzip:1"],
    ):
        done = rechunk("run", source, target, *arguments, "--overwrite")
        assert done.exit_code == 0, str(done)
        assert rechunk("verify", source, target).exit_code == 0
    array = zarr.open_array(target, mode="r+")
    array[31, 4, 17] = -array[31, 4, 17] - 1
    result = rechunk("verify", source, target)
    assert result.exit_code == 1
    assert "31, 4, 17" in result.stdout + result.stderr


def test_verify_needs_the_same_shape(rechunk: Rechunk, source: Path) -> None:
    """Different shapes are different, and said to be."""
    other = source.parent / "c"
    zarr.create_array(other, shape=(40, 30, 21), chunks=(9, 9, 9), dtype="f4")
    result = rechunk("verify", source, other)
    assert result.exit_code == 1
    assert "(40, 30, 21)" in result.stdout + result.stderr


def test_info_shows_what_is_there(rechunk: Rechunk, source: Path) -> None:
    """Shape, type, chunks and the number of objects."""
    (array,) = rechunk("info", source, "--json").json()["arrays"]
    assert array["shape"] == [40, 30, 20]
    assert array["chunks"] == [10, 30, 20]
    assert array["objects"] == 4
    assert "float32" in rechunk("info", source).stdout
