"""The memory promise: resident peak <= --max-memory + 64 MiB."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk

ALLOWANCE_BYTES = 64 << 20
SHAPE = (400, 256, 400)  # 164 MB of float32.
ARRAY_BYTES = 4 * 400 * 256 * 400


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the same smooth, noisy array in several layouts."""
    folder = tmp_path_factory.mktemp("memory")
    rng = np.random.default_rng(5)
    wave = np.sin(np.arange(400) / 40).astype("f4")
    layouts = {
        "blosc": {"compressors": zarr.codecs.BloscCodec(cname="lz4")},
        "zstd": {"compressors": zarr.codecs.ZstdCodec(level=3)},
        "raw": {"compressors": None},
        "shards": {"shards": (40, 256, 400), "chunks": (4, 256, 400)},
        "large chunks": {"chunks": (50, 256, 400)},
    }
    for name, options in layouts.items():
        settings = {"chunks": (4, 256, 400), "dtype": "f4", "shape": SHAPE}
        array = zarr.create_array(folder / name, **{**settings, **options})
        for start in range(0, 400, 40):
            noise = rng.random((40, 256, 400), dtype="f4") / 64
            array[start : start + 40] = wave + noise.round(3)
    return folder


JOBS = {
    "blosc": ["--chunks", "400,20,20"],
    "zstd": ["--chunks", "400,20,20"],
    "raw": ["--chunks", "400,256,2"],
    "shards": ["--chunks", "100,20,20", "--shards", "400,40,40"],
}


@pytest.mark.parametrize("threads", range(1, 9))
@pytest.mark.parametrize("job", JOBS)
def test_the_peak_stays_within_the_budget(
    rechunk: Rechunk, sources: Path, tmp_path: Path, job: str, threads: int
) -> None:
    """For 1 to 8 threads, staged, with a quarter of the array."""
    check_run(
        rechunk, sources / job, tmp_path, JOBS[job], ARRAY_BYTES // 4, threads
    )


@pytest.mark.parametrize("part", [2, 16])
@pytest.mark.parametrize("job", JOBS)
def test_a_small_part_of_the_array_is_enough(
    rechunk: Rechunk, sources: Path, tmp_path: Path, job: str, part: int
) -> None:
    """A sixteenth of the array as memory still works."""
    check_run(
        rechunk, sources / job, tmp_path, JOBS[job], ARRAY_BYTES // part, 2
    )


@pytest.mark.parametrize("threads", [2, 5])
def test_only_stages_of_large_chunks_have_fewer_tasks_at_a_time(
    rechunk: Rechunk, sources: Path, tmp_path: Path, threads: int
) -> None:
    """A source chunk, encoded and decoded, fits once: 20 MB each."""
    plan = check_run(
        *(rechunk, sources / "large chunks", tmp_path),
        *(["--chunks", "400,20,20"], 50_000_000, threads),
    )
    reading, writing = plan["arrays"][0]["stages"]
    assert plan["threads"] == threads
    assert reading["max_task_bytes"] > 25_000_000
    assert threads * writing["max_task_bytes"] <= 50_000_000


def check_run(
    rechunk: Rechunk,
    source: Path,
    folder: Path,
    arguments: list[str],
    max_memory: int,
    threads: int,
) -> dict:
    """Run, compare sampled elements, hold the peak against the promise.

    Returns the plan with what was counted.
    """
    result = rechunk(
        *("run", source, folder / "b", *arguments, "--json"),
        *("--max-memory", max_memory, "--threads", threads),
    )
    assert result.exit_code == 0, str(result)
    assert result.json()["peak_memory"] <= max_memory
    assert result.json()["max_rss"] <= max_memory + ALLOWANCE_BYTES
    assert result.peak_rss_bytes <= max_memory + ALLOWANCE_BYTES
    before, after = zarr.open_array(source), zarr.open_array(folder / "b")
    for box in (np.s_[:, 100:105, 7:60], np.s_[3:9], np.s_[:, :, 399]):
        assert np.array_equal(before[box], after[box])
    return result.json()


@pytest.fixture
def small_cgroup() -> Iterator[Path]:
    """Make a cgroup below the root that may have 640 MiB."""
    versions = {
        "/sys/fs/cgroup/memory": "memory.limit_in_bytes",
        "/sys/fs/cgroup": "memory.max",
    }
    for mount, limit in versions.items():
        group = Path(mount, f"rechunk-test-{os.getpid()}", "inner")
        try:
            group.mkdir(parents=True)
            (group.parent / limit).write_text(str(640 << 20))
            break
        except OSError:
            for folder in (group, group.parent):
                if folder.is_dir():
                    folder.rmdir()
    else:
        pytest.skip("no cgroup with a memory limit can be made here")
    yield group
    group.rmdir()
    group.parent.rmdir()


def test_the_default_is_half_of_what_the_cgroup_has(
    rechunk: Rechunk, small_cgroup: Path
) -> None:
    """Of the cgroup around the process's own, too; not of the machine."""
    paper = ["--shape", "99", "--dtype", "f4", "--source-chunks", "9"]
    plan = [rechunk.path, "plan", *paper, "--chunks", "all", "--json"]
    script = f'echo $$ > {small_cgroup}/cgroup.procs && exec "$@"'
    done = subprocess.run(
        ["sh", "-c", script, "sh", *plan], capture_output=True, check=True
    )
    assert json.loads(done.stdout)["max_memory"] == 320 << 20
