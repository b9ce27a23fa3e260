"""Buckets of a real server: arrays, temporary data and journals in them."""

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
from zarr.storage import ObjectStore

from binary import ROOT, Rechunk
from compare import assert_same_elements
from fault_proxy import FaultProxy
from jobs import JOBS, assert_equal_elements
from servers import Bucket, make_bucket, missing_s3_server, serve_s3
from trees import tree_hash

SEED = int(os.environ.get("RECHUNK_SEED", "20260"))
KILLS = int(os.environ.get("RECHUNK_KILLS", "4"))
FAULTS = int(os.environ.get("RECHUNK_S3_FAULTS", "40"))
STORE_TEST = ROOT / "build" / "release" / "store_test"
ALLOWANCE_BYTES = 64 << 20
StartProxy = Callable[..., FaultProxy]


@pytest.fixture
def on_s3(rechunk: Rechunk, bucket: Bucket) -> Rechunk:
    """Return the command with the keys of the bucket."""
    return Rechunk(rechunk.path, bucket.server.environment())


def through(rechunk: Rechunk, bucket: Bucket, proxy: FaultProxy) -> Rechunk:
    """Return the command with a proxy between it and the bucket."""
    return Rechunk(rechunk.path, bucket.server.environment(proxy.port))


def zarr_store(bucket: Bucket, prefix: str) -> ObjectStore:
    """Return an independent reader and writer of a prefix."""
    return ObjectStore(bucket.store(prefix))


def random_array(
    store: object, shape: tuple[int, ...], chunks: tuple[int, ...]
) -> np.ndarray:
    """Write random elements without compression, and return them."""
    elements = np.random.default_rng(SEED).random(shape, dtype="f4")
    zarr.create_array(store, data=elements, chunks=chunks, compressors=None)
    return elements


def assert_only_prefixes(bucket: Bucket, *prefixes: str) -> None:
    """Nothing else is left: no journal, temporary data, unfinished upload."""
    left = {key.split("/")[0] for key in bucket.left()}
    assert left == set(prefixes)


def test_a_bucket_is_a_store_like_all_others(bucket: Bucket) -> None:
    """It passes the suite of stores, which is written in C++."""
    places = {"RECHUNK_TEST_PLACES": bucket.url("tests")}
    settings = {**os.environ, **bucket.server.environment(), **places}
    done = subprocess.run(
        [STORE_TEST, "--gtest_filter=*s3*"],
        env=settings,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    passed = re.search(r"PASSED  \] (\d+) tests", done.stdout)
    assert passed and int(passed[1]) >= 9, done.stdout
    assert_only_prefixes(bucket, "tests")


@pytest.mark.parametrize("job", JOBS)
def test_every_job_within_a_bucket(
    on_s3: Rechunk, bucket: Bucket, job: str
) -> None:
    """Staged, direct, shards, groups: written and read by another client."""
    JOBS[job].make_source(zarr_store(bucket, "a"))
    words = ("run", bucket.url("a"), bucket.url("b"), *JOBS[job].arguments)
    report = on_s3.ok(*words, "--json").json()
    assert {a["method"] for a in report["arrays"]} == JOBS[job].methods
    assert_equal_elements(zarr_store(bucket, "a"), zarr_store(bucket, "b"))
    assert_only_prefixes(bucket, "a", "b")
    on_s3.ok("verify", bucket.url("a"), bucket.url("b"))


@pytest.mark.parametrize("job", ["staged", "sharded"])
def test_between_a_bucket_and_a_disk(
    on_s3: Rechunk, bucket: Bucket, tmp_path: Path, job: str
) -> None:
    """There, and back again in the first format."""
    arguments = JOBS[job].arguments
    JOBS[job].make_source(zarr_store(bucket, "a"))
    on_s3.ok("run", bucket.url("a"), tmp_path / "b", *arguments)
    assert_equal_elements(zarr_store(bucket, "a"), tmp_path / "b")
    assert {path.name for path in tmp_path.iterdir()} == {"b"}
    words = ("--zarr-format", "2", "--shards", "none", "--chunks", "7,9,30")
    on_s3.ok("run", tmp_path / "b", bucket.url("c"), *words)
    assert_equal_elements(tmp_path / "b", zarr_store(bucket, "c"))
    assert_only_prefixes(bucket, "a", "c")


def test_an_array_in_a_bucket_grows_and_is_written_in_part(
    on_s3: Rechunk, bucket: Bucket
) -> None:
    """Behind its end, then in its midst."""
    rng = np.random.default_rng(SEED)
    parts = [rng.random((length, 30), dtype="f4") for length in (25, 18, 20)]
    for name, part, chunks in zip("bac", parts, [(10, 7), (4, 30), (20, 5)]):
        zarr.create_array(zarr_store(bucket, name), data=part, chunks=chunks)
    b = bucket.url("b")
    on_s3.ok("run", bucket.url("a"), b, "--append", 0, "--verify")
    on_s3.ok("run", bucket.url("c"), b, "--region", "0=10:30")
    expected = np.concatenate(parts[:2])
    expected[10:30] = parts[2]
    found = zarr.open_array(zarr_store(bucket, "b"), mode="r")[...]
    assert_same_elements(found, expected)
    assert_only_prefixes(bucket, "a", "b", "c")


def test_requests_are_in_flight_together(
    rechunk: Rechunk, bucket: Bucket, fault_proxy: StartProxy
) -> None:
    """At least 32, where each takes 50 ms; memory holds all the while."""
    elements = random_array(
        zarr_store(bucket, "a"), (128, 400, 500), (1, 400, 500)
    )
    proxy = fault_proxy(bucket.server.port, "latency 0.05")
    command = through(rechunk, bucket, proxy)
    budget_bytes = 300_000_000
    result = command.ok(
        *("run", bucket.url("a"), bucket.url("b"), "--chunks", "128,100,100"),
        *("--max-memory", budget_bytes, "--json"),
    )
    found = zarr.open_array(zarr_store(bucket, "b"), mode="r")[...]
    assert_same_elements(found, elements)
    counts = proxy.counts()
    assert counts["most_in_flight"] >= 32
    assert result.json()["peak_memory"] <= budget_bytes
    assert result.peak_rss_bytes <= budget_bytes + ALLOWANCE_BYTES
    read, written = (
        [
            one["target"]
            for one in proxy.log()
            if one["method"] == method and one[size] == elements.nbytes // count
        ]
        for method, size, count in (
            ("GET", "answer_bytes", 128),
            ("PUT", "request_bytes", 20),
        )
    )
    assert len(set(read)) == len(read) == 128
    assert len(set(written)) == len(written) == 20
    # Besides: samples, documents, the journal.
    assert sum(counts["requests"].values()) < 128 + 20 + 64 + 100


def test_a_run_asks_few_times_in_a_row(
    rechunk: Rechunk, bucket: Bucket, fault_proxy: StartProxy
) -> None:
    """Its time is that of its round trips: each takes 0.2 s here."""
    latency = 0.2
    for name in "pqrs":
        random_array(zarr_store(bucket, f"a/{name}"), (6, 5), (2, 5))
    zarr.create_group(zarr_store(bucket, "a"))
    proxy = fault_proxy(bucket.server.port)
    command = through(rechunk, bucket, proxy)
    words = ("run", bucket.url("a"), bucket.url("b"), "--chunks", "6,1")
    started = time.monotonic()
    command.ok(*words)
    own_seconds = time.monotonic() - started
    shutil.rmtree(bucket.folder / "b")
    proxy("clear")
    proxy(f"latency {latency}")
    started = time.monotonic()
    command.ok(*words)
    round_trips = (time.monotonic() - started - own_seconds) / latency
    assert round_trips < 40, proxy.counts()
    assert proxy.counts()["most_in_flight"] >= 8
    log = [one for one in proxy.log() if one["method"] == "GET"]
    assert_equal_elements(zarr_store(bucket, "a"), zarr_store(bucket, "b"))
    # A document is read for the plan, and again when the target is replaced.
    for name in "pqrs":
        end = f"/a/{name}/zarr.json"
        assert 1 <= sum(one["target"].endswith(end) for one in log) <= 2


def test_shards_are_read_together(
    rechunk: Rechunk, bucket: Bucket, fault_proxy: StartProxy
) -> None:
    """The indices of many come at once, then the chunks of all."""
    elements = np.random.default_rng(SEED).random((48, 30, 40), dtype="f4")
    zarr.create_array(
        zarr_store(bucket, "a"),
        data=elements,
        chunks=(2, 15, 20),
        shards=(2, 30, 40),
    )
    proxy = fault_proxy(bucket.server.port, "latency 0.1")
    command = through(rechunk, bucket, proxy)
    words = ("--chunks", "48,10,10", "--shards", "none", "--threads", "1")
    command.ok("run", bucket.url("a"), bucket.url("b"), *words)
    found = zarr.open_array(zarr_store(bucket, "b"), mode="r")[...]
    assert_same_elements(found, elements)
    assert proxy.counts()["most_in_flight"] >= 24
    read = [one for one in proxy.log() if "/a/c/" in one["target"]]
    indices = [one for one in read if one["range"].startswith("bytes=-")]
    assert len(indices) % 24 == 0
    # Besides, looks at the first; the chunks of a shard are neighbours.
    assert len(read) <= 2 * len(indices) + 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong/secret"}, "the secret key"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "access key"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "AWS_ENDPOINT_URL"),
        ({}, "no-such-bucket"),
    ],
)
def test_what_is_wrong_is_named(
    on_s3: Rechunk, bucket: Bucket, change: dict[str, str], message: str
) -> None:
    """Soon, and without a secret."""
    random_array(zarr_store(bucket, "a"), (6, 5), (2, 5))
    source = bucket.url("a") if change else "s3://no-such-bucket/a"
    started = time.monotonic()
    result = on_s3.fails(
        "run", source, bucket.url("b"), "--chunks", "6,1", env=change
    )
    assert time.monotonic() - started < 20
    assert message in result.stderr, str(result)
    for secret in (bucket.server.secret_key, "wrong/secret"):
        assert secret not in result.stderr
    assert_only_prefixes(bucket, "a")


def test_certificates_are_checked(rechunk: Rechunk, tmp_path: Path) -> None:
    """One that nobody vouches for is refused, unless the user names it."""
    if why := missing_s3_server():
        pytest.skip(why)
    zarr.create_array(tmp_path / "a", data=np.arange(30), chunks=7)
    (tmp_path / "s3").mkdir()
    with serve_s3(tmp_path / "s3", tls=True) as server:
        bucket = make_bucket(server)
        command = Rechunk(rechunk.path, server.environment())
        words = ("run", tmp_path / "a", bucket.url("b"), "--chunks", "30")
        started = time.monotonic()
        message = command.fails(*words).stderr
        assert time.monotonic() - started < 20
        assert "certificate" in message
        assert "AWS_CA_BUNDLE" in message
        command.ok(*words, env={"AWS_CA_BUNDLE": str(server.certificate)})
        assert np.array_equal(
            zarr.open_array(bucket.folder / "b")[:], range(30)
        )


def test_the_region_is_learned_from_the_server(
    on_s3: Rechunk, bucket: Bucket
) -> None:
    """Another one in the settings does not matter."""
    elements = random_array(zarr_store(bucket, "a"), (6, 5), (2, 5))
    words = ("run", bucket.url("a"), bucket.url("b"), "--chunks", "6,1")
    on_s3.ok(*words, env={"AWS_REGION": "eu-nowhere-7"})
    found = zarr.open_array(zarr_store(bucket, "b"), mode="r")[...]
    assert_same_elements(found, elements)


def test_faults_are_survived_or_named(
    rechunk: Rechunk, bucket: Bucket, fault_proxy: StartProxy
) -> None:
    """Resets, short bodies, throttling, errors: many in each run."""
    JOBS["sharded"].make_source(zarr_store(bucket, "a"))
    proxy = fault_proxy(bucket.server.port, f"seed {SEED}")
    command = through(rechunk, bucket, proxy)
    words = ("run", bucket.url("a"), *JOBS["sharded"].arguments)
    command.ok(*words[:2], bucket.url("b"), *words[2:])
    expected = tree_hash(bucket.folder / "b")
    for fault in (
        *("reset_request", "reset_answer", "short_answer", "lost_answer"),
        *("slow_down burst=3 retry_after=0", "too_many burst=2", "internal"),
        *("html", "error_inside"),
    ):
        proxy(f"fault {fault} p=0.004")
    faults = survived = 0
    while faults < FAULTS:
        proxy("clear")
        result = command(*words[:2], bucket.url("c"), *words[2:])
        faults += sum(proxy.counts()["faults"].values())
        if result.exit_code == 0:
            survived += 1
            assert tree_hash(bucket.folder / "c") == expected
            assert_only_prefixes(bucket, "a", "b", "c")
        else:
            assert result.exit_code == 1
            assert "s3://" in result.stderr, str(result)
            store = zarr_store(bucket, "c")
            with pytest.raises(FileNotFoundError):
                zarr.open(store, mode="r")
        shutil.rmtree(bucket.folder / "c", ignore_errors=True)
    assert survived > 0


def test_a_lock_whose_answer_was_lost_is_its_own(
    rechunk: Rechunk, bucket: Bucket, fault_proxy: StartProxy
) -> None:
    """The second attempt finds an object there: that of the first."""
    elements = random_array(zarr_store(bucket, "a"), (6, 5), (2, 5))
    proxy = fault_proxy(
        bucket.server.port,
        "fault lost_answer method=PUT field=if-none-match times=1",
    )
    words = ("run", bucket.url("a"), bucket.url("b"), "--chunks", "6,1")
    through(rechunk, bucket, proxy).ok(*words)
    assert proxy.counts()["faults"] == {"lost_answer": 1}
    found = zarr.open_array(zarr_store(bucket, "b"), mode="r")[...]
    assert_same_elements(found, elements)
    assert_only_prefixes(bucket, "a", "b")


def test_killed_runs_are_resumed_in_the_bucket(
    rechunk: Rechunk, bucket: Bucket, fault_proxy: StartProxy
) -> None:
    """After any request: finished tasks are kept, and nothing is left."""
    rng = np.random.default_rng(SEED)
    JOBS["staged"].make_source(zarr_store(bucket, "a"))
    proxy = fault_proxy(bucket.server.port)
    command = through(rechunk, bucket, proxy)
    b = bucket.url("b")
    words = ("run", bucket.url("a"), b, *JOBS["staged"].arguments)
    command.ok(*words)
    expected = tree_hash(bucket.folder / "b")
    requests = sum(proxy.counts()["requests"].values())
    proxy("latency 0.005")
    kept = 0
    for _ in range(KILLS):
        shutil.rmtree(bucket.folder / "b")
        proxy("clear")
        process = command.start(*words)
        after = rng.integers(1, requests)
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
            done = status.json().get("tasks_done", 0)
            report = command.ok("resume", b, "--json")
            if status.json()["state"] != "complete":
                stages = report.json()["arrays"][0]["stages"]
                assert sum(s["found_tasks"] for s in stages) == done
                kept += done
        assert tree_hash(bucket.folder / "b") == expected, f"after {after}"
        assert_only_prefixes(bucket, "a", "b")
    assert kept > 0, "no kill came late enough"
