"""Buckets of a server like Google's: sources, targets, temporary data."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import ROOT, Rechunk
from compare import assert_same_elements
from fault_proxy import FaultProxy
from gcs_server import GcsServer, RechunkOnGcs
from jobs import JOBS, assert_equal_elements
from trees import assert_only, tree_hash

SEED = int(os.environ.get("RECHUNK_SEED", "20260"))
KILLS = int(os.environ.get("RECHUNK_KILLS", "2"))
FAULTS = int(os.environ.get("RECHUNK_GCS_FAULTS", "20"))
STORE_TEST = ROOT / "build" / "release" / "store_test"
StartProxy = Callable[..., FaultProxy]


@pytest.fixture
def on_gcs(rechunk: Rechunk, gcs_server: GcsServer) -> RechunkOnGcs:
    """Return the command, for which the test's folder is a bucket."""
    return RechunkOnGcs(rechunk.path, gcs_server)


def test_a_bucket_is_a_store_like_all_others(
    gcs_server: GcsServer, tmp_path: Path
) -> None:
    """It passes the suite of stores, which is written in C++."""
    places = {"RECHUNK_TEST_PLACES": f"gs://{tmp_path.name}/tests"}
    done = subprocess.run(
        [STORE_TEST, "--gtest_filter=*AnyStore*gs"],
        env={**os.environ, **gcs_server.environment(), **places},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    passed = re.search(r"PASSED  \] (\d+) tests", done.stdout)
    assert passed and int(passed[1]) >= 9, done.stdout


@pytest.mark.parametrize("job", JOBS)
def test_every_job_within_a_bucket(
    on_gcs: Rechunk, tmp_path: Path, job: str
) -> None:
    """Staged, direct, shards, groups; read as files by another library."""
    a, b = tmp_path / "a", tmp_path / "b"
    JOBS[job].make_source(a)
    report = on_gcs.ok("run", a, b, *JOBS[job].arguments, "--json").json()
    assert {a["method"] for a in report["arrays"]} == JOBS[job].methods
    assert_equal_elements(a, b)
    assert_only(tmp_path, "a", "b")
    on_gcs.ok("verify", a, b)


def test_large_shards_are_written_as_they_come(
    on_gcs: Rechunk, tmp_path: Path
) -> None:
    """With the index at the end, each in one upload of many requests."""
    elements = np.random.default_rng(SEED).random((60, 300, 300), "f4")
    a, b = tmp_path / "a", tmp_path / "b"
    zarr.create_array(a, data=elements, chunks=(1, 300, 300), compressors=None)
    words = ("--chunks", "60,30,30", "--shards", "60,300,300")
    on_gcs.ok("run", a, b, *words, "--max-memory", "64MB", "--verify")
    assert (b / "c/0/0/0").stat().st_size > 18e6
    assert_same_elements(zarr.open_array(b, mode="r")[...], elements)
    assert_only(tmp_path, "a", "b")


def test_what_is_wrong_is_named(on_gcs: Rechunk, tmp_path: Path) -> None:
    """A bucket, a server, credentials: soon, and without a secret."""
    JOBS["staged"].make_source(tmp_path / "a")
    words = ("run", tmp_path / "a", tmp_path / "b", *JOBS["staged"].arguments)
    nobody = {"STORAGE_EMULATOR_HOST": "http://127.0.0.1:1"}
    started = time.monotonic()
    assert "STORAGE_EMULATOR_HOST" in on_gcs.fails(*words, env=nobody).stderr
    secret = '{"type": "authorized_user", "refresh_token": "TopSecret"}'
    said = on_gcs.fails(*words, "--storage", f"token={secret}").stderr
    assert "client_id" in said
    assert "TopSecret" not in said
    said = on_gcs.fails("info", f"gs://no-{tmp_path.name}/a").stderr
    assert f"gs://no-{tmp_path.name}" in said
    assert time.monotonic() - started < 30
    assert_only(tmp_path, "a")


def test_faults_are_survived_or_named(
    rechunk: Rechunk,
    gcs_server: GcsServer,
    tmp_path: Path,
    fault_proxy: StartProxy,
) -> None:
    """Resets, short bodies, throttling, errors: many in each run."""
    a, b, c = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    JOBS["sharded"].make_source(a)
    proxy = fault_proxy(gcs_server.port, f"seed {SEED}")
    command = RechunkOnGcs(rechunk.path, gcs_server, proxy.port)
    words = JOBS["sharded"].arguments
    command.ok("run", a, b, *words)
    expected = tree_hash(b)
    for fault in (
        *("reset_request", "reset_answer", "short_answer", "lost_answer"),
        *("slow_down burst=3 retry_after=0", "too_many burst=2", "internal"),
        "html",
    ):
        proxy(f"fault {fault} p=0.004")
    faults = survived = 0
    while faults < FAULTS:
        proxy("clear")
        result = command("run", a, c, *words)
        faults += sum(proxy.counts()["faults"].values())
        if result.exit_code == 0:
            survived += 1
            assert tree_hash(c) == expected
            assert_only(tmp_path, "a", "b", "c")
        else:
            assert result.exit_code == 1
            assert "gs://" in result.stderr, str(result)
            with pytest.raises(FileNotFoundError):
                zarr.open(c, mode="r")
        shutil.rmtree(c, ignore_errors=True)
        shutil.rmtree(tmp_path / "c.rechunk", ignore_errors=True)
    assert survived > 0


def test_killed_runs_are_resumed_in_the_bucket(
    rechunk: Rechunk,
    gcs_server: GcsServer,
    tmp_path: Path,
    fault_proxy: StartProxy,
) -> None:
    """After any request: finished tasks are kept, and nothing is left."""
    rng = np.random.default_rng(SEED)
    a, b = tmp_path / "a", tmp_path / "b"
    JOBS["staged"].make_source(a)
    proxy = fault_proxy(gcs_server.port)
    command = RechunkOnGcs(rechunk.path, gcs_server, proxy.port)
    words = ("run", a, b, *JOBS["staged"].arguments)
    command.ok(*words)
    expected = tree_hash(b)
    requests = sum(proxy.counts()["requests"].values())
    proxy("latency 0.005")
    kept = 0
    for _ in range(KILLS):
        shutil.rmtree(b)
        proxy("clear")
        process = command.start(*words)
        after = rng.integers(requests // 4, requests)
        while sum(proxy("counts")["requests"].values()) < after:
            if process.poll() is not None:
                break
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        status = command("status", b, "--json")
        if status.exit_code == 1:  # It was killed before it had begun.
            command.ok(*words)
        else:
            kept += status.json().get("tasks_done", 0)
            command.ok("resume", b, "--json")
        assert tree_hash(b) == expected, f"after {after}"
        assert_only(tmp_path, "a", "b")
    assert kept > 0, "no kill came late enough"


def test_the_page_on_buckets_shows_what_runs(
    on_gcs: RechunkOnGcs, tmp_path: Path
) -> None:
    """Its block on Google's buckets, with the test's bucket for theirs."""
    maps = np.random.default_rng(3).random((1000, 30, 20)).astype("f4")
    zarr.create_array(tmp_path / "by-map.zarr", data=maps, chunks=(100, 30, 20))
    page = (ROOT / "docs/guides/buckets.md").read_text()
    (words,) = re.findall(r"```sh\nrechunk (run gs:.*?)```", page, re.S)
    words = words.replace("gs://bucket", str(tmp_path)).replace("\\\n", "")
    on_gcs.ok(*words.split())
    made = zarr.open_array(tmp_path / "by-place.zarr", mode="r")
    assert made.chunks == (1000, 10, 10)
    assert_same_elements(made[...], maps)
