"""Disks that fill up, and memory that ends."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr

from binary import ROOT, SANITIZER, binary_path
from jobs import JOBS, assert_equal_elements
from limits import memory_limit, small_disk
from shim import Ended, run
from trees import METADATA_NAMES, assert_only, files, tree_hash

ALLOWANCE_BYTES = 64 << 20
# Lengths are those of the benchmarks divided by so much.
PART = int(os.environ.get("RECHUNK_WORKLOAD_PART", "6"))
# Where W1.zarr and the others lie, if they were made; for PART 1.
SOURCES = os.environ.get("RECHUNK_WORKLOAD_SOURCES")


def _benchmark_workloads() -> Any:
    """Load them under a name of their own: other tests have workloads too."""
    path = ROOT / "benchmarks/workloads.py"
    spec = importlib.util.spec_from_file_location("benchmark_workloads", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # For its dataclass.
    spec.loader.exec_module(module)
    return [work for work in module.WORKLOADS if work.memory_bytes]


WORKLOADS = _benchmark_workloads()


def run_within(limit: object, *arguments: object) -> Ended:
    """Run the command in a process that first calls `limit`."""
    done = subprocess.run(
        [binary_path(), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=600,
        preexec_fn=limit,
    )
    assert not SANITIZER.search(done.stderr), done
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("name", ["direct", "staged", "sharded", "group"])
def test_a_full_disk_is_named_and_once_there_is_room_the_run_ends(
    tmp_path: Path, name: str
) -> None:
    """The source is whole, the target cannot be opened, nothing is lost."""
    job = JOBS[name]
    job.make_source(tmp_path / "a")
    source = tree_hash(tmp_path / "a")
    command = ("run", tmp_path / "a")
    options = (*job.arguments, "--temp", tmp_path)
    ended = run(tmp_path, *command, tmp_path / "expected", *options)
    assert ended.exit_code == 0, ended.stderr
    expected = tree_hash(tmp_path / "expected")
    stored = sum(
        p.stat().st_size for p in files(tmp_path / "expected").values()
    )
    with small_disk(tmp_path / "disk", str(stored // 2)) as resize:
        target = tmp_path / "disk/b"
        ended = run(tmp_path, *command, target, *options)
        assert ended.exit_code == 1
        assert "No space left on device" in ended.stderr
        assert "free space" in ended.stderr  # The hint.
        names = {Path(key).name for key in files(tmp_path / "disk")}
        assert not names & METADATA_NAMES
        assert tree_hash(tmp_path / "a") == source
        resize(str(stored * 4 + (1 << 20)))
        ended = run(tmp_path, "resume", target)
        if ended.exit_code != 0:  # It had done nothing that was worth keeping.
            assert "no unfinished run" in ended.stderr
            ended = run(tmp_path, *command, target, *options)
        assert ended.exit_code == 0, ended.stderr
        assert tree_hash(target) == expected
        assert_only(tmp_path / "disk", "b")
    assert_only(tmp_path, "a", "expected", "disk")


def test_temporary_data_that_does_not_fit_is_refused_at_once(
    tmp_path: Path,
) -> None:
    """With what it needs, and before anything is written."""
    job = JOBS["staged"]
    job.make_source(tmp_path / "a")
    with small_disk(tmp_path / "disk", "64k"):
        ended = run(
            tmp_path,
            *("run", tmp_path / "a", tmp_path / "b", *job.arguments),
            *("--temp", tmp_path / "disk"),
        )
        assert ended.exit_code == 1
        assert "temporary data needs" in ended.stderr
        assert not files(tmp_path / "disk")
    assert_only(tmp_path, "a", "disk")


@pytest.mark.parametrize("name", JOBS)
def test_memory_that_is_refused_is_an_error(tmp_path: Path, name: str) -> None:
    """Whatever may be mapped: success, or a message; never a crash."""
    job = JOBS[name]
    job.make_source(tmp_path / "a")
    source = tree_hash(tmp_path / "a")
    ends = set()
    for limit_bytes in range(24 << 20, 120 << 20, 8 << 20):
        ended = run_within(
            partial(resource.setrlimit, resource.RLIMIT_AS, (limit_bytes,) * 2),
            *("run", tmp_path / "a", tmp_path / "b", *job.arguments),
        )
        ends.add(ended.exit_code)
        # 127: not even the program could be loaded.
        assert ended.exit_code in (0, 1, 127), f"{limit_bytes}: {ended}"
        if ended.exit_code == 1:
            assert "memory" in ended.stderr, f"{limit_bytes}: {ended}"
            assert "bug" not in ended.stderr, f"{limit_bytes}: {ended}"
        for left in tmp_path.glob("*b*"):
            shutil.rmtree(left)
        assert tree_hash(tmp_path / "a") == source
    assert 0 in ends


def smaller(workload: Any) -> Any:
    """The workload in small, with chunks that still do not fit each other."""
    if PART == 1:
        return workload
    scaled = {
        name: tuple(max(1, length // PART) for length in lengths)
        for name in ("shape", "source_chunks", "target_chunks")
        for lengths in [getattr(workload, name)]
    }
    if workload.target_shards:
        scaled["target_shards"] = tuple(
            length * (shard // chunk)
            for length, shard, chunk in zip(
                scaled["target_chunks"],
                workload.target_shards,
                workload.target_chunks,
                strict=True,
            )
        )
    memory_bytes = workload.memory_bytes // PART**2
    return dataclasses.replace(workload, memory_bytes=memory_bytes, **scaled)


def make_source(work: Any, path: Path) -> Path:
    """Write a smooth field with some noise, chunk by chunk along an axis."""
    if PART == 1 and SOURCES:
        return Path(SOURCES) / f"{work.name}.zarr"
    codec: Any = None
    if work.codec and work.zarr_format == 2:
        codec = numcodecs.get_codec(dict(work.codec))
    elif work.codec:
        codec = zarr.codecs.ZstdCodec(level=work.codec["level"])
    array = zarr.create_array(
        path,
        shape=work.shape,
        chunks=work.source_chunks,
        dtype=work.dtype,
        compressors=codec,
        filters=None if work.zarr_format == 2 else "auto",
        zarr_format=work.zarr_format,
    )
    rng = np.random.default_rng(4)
    for start in range(0, work.shape[0], work.source_chunks[0]):
        rows = min(work.source_chunks[0], work.shape[0] - start)
        noise = rng.integers(0, 16, (rows, *work.shape[1:]))
        array[start : start + rows] = noise + start // 9
    return path


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda work: work.name)
def test_benchmark_workloads_need_no_more_than_the_budget(
    tmp_path: Path, workload: Any
) -> None:
    """A hard limit of the budget and 64 MiB is enough."""
    work = smaller(workload)
    source, target = make_source(work, tmp_path / "a"), tmp_path / "b"
    options = ["--chunks", ",".join(map(str, work.target_chunks))]
    if work.target_shards:
        options += ["--shards", ",".join(map(str, work.target_shards))]
    with memory_limit(work.memory_bytes + ALLOWANCE_BYTES) as limit:
        ended = run_within(
            limit,
            *("run", source, target, *options, "--temp", tmp_path),
            *("--max-memory", work.memory_bytes, "--threads", 2),
        )
    assert ended.exit_code == 0, ended
    verified = run(tmp_path, "verify", source, target)
    assert verified.exit_code == 0, verified
    if PART > 1:
        assert_equal_elements(source, target)


def test_many_small_chunks_of_blosc_need_no_more(tmp_path: Path) -> None:
    """Its scratch once broke the heap up, for targets of certain names."""
    source = zarr.create_array(
        tmp_path / "a",
        shape=(4000, 13, 993),
        chunks=(3206, 1, 681),
        dtype="u2",
        compressors=zarr.codecs.BloscCodec(
            cname="zstd", clevel=3, shuffle="bitshuffle"
        ),
    )
    source[:] = np.random.default_rng(5).integers(0, 64, source.shape, "u2")
    memory_bytes = 30_000_000
    for name_length in (1, 30, 60, 90, 200):
        target = tmp_path / ("b" * name_length)
        ended = run(
            tmp_path,
            *("run", tmp_path / "a", target, "--chunks", "9,7,993"),
            *("--max-memory", memory_bytes, "--threads", 2, "--json"),
        )
        assert ended.exit_code == 0, ended
        peak_bytes = json.loads(ended.stdout)["max_rss"]
        assert peak_bytes <= memory_bytes + ALLOWANCE_BYTES // 2, name_length
        shutil.rmtree(target)


def test_calibrating_leaves_its_memory_to_the_run(tmp_path: Path) -> None:
    """Eight threads that measured once kept the heap they had measured with."""
    shape = (400, 361, 90)
    source = zarr.create_array(
        tmp_path / "a", shape=shape, chunks=(10, 361, 90), dtype="f4"
    )
    rng = np.random.default_rng(6)
    source[:] = rng.integers(0, 64, shape).astype("f4")
    memory_bytes = 64_000_000
    ended = run(
        tmp_path,
        *("run", tmp_path / "a", tmp_path / "b", "--chunks", "400,19,20"),
        *("--max-memory", memory_bytes, "--threads", 8, "--json"),
        *("--calibrate", "on"),
    )
    assert ended.exit_code == 0, ended
    report = json.loads(ended.stdout)
    assert report["arrays"][0]["costs"]["calibrated"]
    assert report["peak_memory"] > memory_bytes / 2
    assert report["max_rss"] <= memory_bytes + ALLOWANCE_BYTES // 2
