"""--calibrate: costs are measured and reported; only plans change."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk
from trees import data_files

SHAPE = (40, 120, 130)
JOB = ("--chunks", "40,12,13", "--max-memory", "4MB", "--threads", 2)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write noise in chunks of maps."""
    path = tmp_path / "a"
    array = zarr.create_array(
        path, shape=SHAPE, dtype="f4", chunks=(1, 120, 130)
    )
    array[:] = np.random.default_rng().random(SHAPE, dtype="f4")
    return path


def plan(rechunk: Rechunk, source: Path, *flags: str) -> dict:
    """Return the plan of the only array."""
    result = rechunk(
        "plan", source, source.parent / "b", *JOB, *flags, "--json"
    )
    assert result.exit_code == 0, str(result)
    return result.json()["arrays"][0]


def costs(rechunk: Rechunk, source: Path, *flags: str) -> dict:
    """Return the costs of that plan."""
    return plan(rechunk, source, *flags)["costs"]


def test_plans_are_the_same_every_time_unless_calibrated(
    rechunk: Rechunk, source: Path
) -> None:
    """What takes less than ten seconds is not measured by default."""
    texts = {
        rechunk(
            "plan", source, source.parent / "b", *JOB, *off, "--json"
        ).stdout
        for off in [(), ("--calibrate", "off"), ("--calibrate", "auto"), ()]
    }
    assert len(texts) == 1
    assert not costs(rechunk, source)["calibrated"]


def test_what_was_measured_is_reported(rechunk: Rechunk, source: Path) -> None:
    """Noise does not compress, which estimates cannot know."""
    measured = costs(rechunk, source, "--calibrate", "on")
    assert measured["calibrated"]
    assert 0.7 < measured["source_stored_ratio"] < 1.1
    assert 0.7 < measured["target_stored_ratio"] < 1.1
    assert costs(rechunk, source)["source_stored_ratio"] < 0.5
    assert measured["encode_ns_per_byte"] > 0
    assert sorted(path.name for path in source.parent.iterdir()) == ["a"]


def test_missing_chunks_are_counted(rechunk: Rechunk, source: Path) -> None:
    """They cost next to nothing, so less time is predicted."""
    all_there = plan(rechunk, source, "--calibrate", "on")
    assert all_there["costs"]["missing_share"] == 0
    for name in sorted(data_files(source))[:30]:
        (source / name).unlink()
    measured = plan(rechunk, source, "--calibrate", "on")
    assert measured["costs"]["missing_share"] == 0.75
    assert measured["costs"]["calibrated"]
    estimated = plan(rechunk, source)
    assert estimated["costs"]["missing_share"] == 0
    assert measured["predicted_seconds"] < 0.8 * all_there["predicted_seconds"]


def test_of_objects_that_are_moved_the_size_is_measured(
    rechunk: Rechunk, source: Path
) -> None:
    """Though none is decoded in the run."""
    moved = source.parent / "moved"
    result = rechunk(
        "plan", source, moved, "--calibrate", "on", "--json", "--chunks", ""
    )
    (array,) = result.json()["arrays"]
    assert array["method"] == "passthrough"
    assert 0.7 < array["costs"]["source_stored_ratio"] < 1.1


def test_a_calibrated_run_copies_the_same(
    rechunk: Rechunk, source: Path
) -> None:
    """And does what its own plan says, within its memory."""
    target = source.parent / "b"
    result = rechunk("run", source, target, *JOB, "--calibrate", "on", "--json")
    assert result.exit_code == 0, str(result)
    for stage in result.json()["arrays"][0]["stages"]:
        assert stage["counted"]["bytes_decoded"] == stage["bytes_decoded"]
    assert np.array_equal(
        zarr.open_array(target)[:], zarr.open_array(source)[:]
    )


@pytest.mark.parametrize(
    ("threads", "memory"), [(1, "4MB"), (8, "4MB"), (64, "64MB"), (8, "2MB")]
)
def test_threads_measure_within_the_memory(
    rechunk: Rechunk, source: Path, threads: int, memory: str
) -> None:
    """More of them than chunks; and where memory is for few of them."""
    result = rechunk(
        *("plan", source, source.parent / "b", "--chunks", "40,12,13"),
        *("--max-memory", memory, "--threads", threads),
        *("--calibrate", "on", "--json"),
    )
    assert result.exit_code == 0, str(result)
    (array,) = result.json()["arrays"]
    assert array["costs"]["calibrated"]
    assert 0.7 < array["costs"]["source_stored_ratio"] < 1.1
    assert sorted(path.name for path in source.parent.iterdir()) == ["a"]


@pytest.mark.parametrize("damage", ["cut", "missing"])
def test_chunks_that_tell_nothing_leave_the_estimates(
    rechunk: Rechunk, source: Path, damage: str
) -> None:
    """Planning does not fail for them."""
    for name in data_files(source):
        path = source / name
        path.unlink() if damage == "missing" else path.write_bytes(b"?")
    measured = costs(rechunk, source, "--calibrate", "on")
    assert not measured["calibrated"]


def test_other_words_are_refused(rechunk: Rechunk, source: Path) -> None:
    """By name."""
    result = rechunk("plan", source, *JOB, "--calibrate", "always")
    assert result.exit_code == 2
    assert '"always" is none of auto, on and off' in result.stderr


def test_by_default_long_jobs_are_measured(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Not for other processes, and not if the work was begun already."""
    source, target = tmp_path / "a", tmp_path / "b"
    zarr.create_array(
        source, shape=(1000, 1000, 1000), dtype="f4", chunks=(10, 1000, 1000)
    )[:1] = 1

    job = (
        *(source, target, "--chunks", "1000,1,1"),
        *("--threads", 2, "--max-memory", "1GB"),
    )

    def missing(command: str, *flags: object) -> float:
        result = rechunk(command, *job, *flags)
        assert result.exit_code == 0, str(result)
        plan = json.loads(
            Path(saved).read_text() if saved in flags else result.stdout
        )
        return plan["arrays"][0]["costs"]["missing_share"]

    saved = tmp_path / "plan.json"
    assert missing("plan", "--json") > 0.9
    assert missing("plan", "--json", "--calibrate", "off") == 0
    assert missing("plan", "--save", saved) == 0
    assert missing("plan", "--save", saved, "--calibrate", "on") > 0.9
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a",
        "plan.json",
    ]
    # It writes a million chunks.
    begun = rechunk.start("run", *job, "--calibrate", "off")
    while not (tmp_path / "b.rechunk" / "plan.json").exists():
        assert begun.poll() is None
        time.sleep(0.01)
    begun.kill()
    begun.wait()
    assert missing("plan", "--json") == 0
    assert missing("plan", "--json", "--calibrate", "on") == 0


def test_what_no_cache_holds_is_planned_for_the_disk(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Without measuring, too: machines have less memory than this array."""
    source = tmp_path / "a"
    zarr.create_array(
        source,
        shape=(40_000, 10_000, 10_000),
        dtype="f4",
        chunks=(100, 1000, 1000),
    )

    def planned(calibrate: str) -> dict:
        result = rechunk(
            *("plan", source, tmp_path / "b", "--chunks", "40000,10,10"),
            *("--max-memory", "1GB", "--calibrate", calibrate, "--json"),
        )
        assert result.exit_code == 0, str(result)
        return result.json()["arrays"][0]

    if not lies_on_a_disk(tmp_path):
        pytest.skip("the folder for tests lies in memory")
    estimated = planned("off")
    assert estimated["costs"]["temp_disk_ns_per_byte"] == 4
    assert any(stage["coded"] for stage in estimated["stages"])
    # Source and coded intermediates are read, and as much is written.
    assert estimated["predicted_seconds"] > 2 * 16e12 * 0.33 * 4e-9
    assert planned("off") == estimated
    measured = planned("on")["costs"]["temp_disk_ns_per_byte"]
    assert 0 < measured != 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]


def lies_on_a_disk(folder: Path) -> bool:
    """Whether it does, as the kernel says."""
    kind = subprocess.run(
        ["stat", "-f", "-c", "%T", folder], capture_output=True, text=True
    )
    return kind.stdout.strip() not in ("tmpfs", "ramfs")
