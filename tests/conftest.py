"""Fixtures that all tests share.

Tests marked any_place run on paths, and a drawn part of them in buckets as
well: RECHUNK_S3_SHARE (0.1) and RECHUNK_GS_SHARE (0: none) say how many,
RECHUNK_SEED which.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk, binary_path
from elements import ZARR_VERSION
from fault_proxy import FaultProxy
from gcs_server import FAKE_GCS, GcsServer, RechunkOnGcs, serve_gcs
from servers import (
    Bucket,
    HttpServer,
    RechunkOnS3,
    S3Server,
    make_bucket,
    missing_s3_server,
    serve_http,
    serve_s3,
    why_missing,
)

NEWEST_ZARR = (3, 4)
# How many of the tests for any place run in buckets.
SHARES = {"s3": "0.1", "gs": "0"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the command of tests for any place a place."""
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    is_for_both = "any_place" in marks and "only_paths" not in marks
    if is_for_both and "rechunk" in metafunc.fixturenames:
        metafunc.parametrize("rechunk", ["paths", *SHARES], indirect=True)


def _is_drawn(item: pytest.Item) -> bool:
    """Whether the test runs: in buckets only some do."""
    parameters = getattr(item, "callspec", None)
    place = parameters.params.get("rechunk") if parameters else None
    if place not in SHARES:
        return True
    seed = os.environ.get("RECHUNK_SEED", "20260")
    variable = f"RECHUNK_{place.upper()}_SHARE"
    share = float(os.environ.get(variable, SHARES[place]))
    return random.Random(seed + item.nodeid).random() < share


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Skip what this environment's zarr-python cannot read, and say so."""
    left_out = [item for item in items if not _is_drawn(item)]
    items[:] = [item for item in items if _is_drawn(item)]
    config.hook.pytest_deselected(items=left_out)
    if ZARR_VERSION >= NEWEST_ZARR:
        return
    reason = (
        f"zarr-python {zarr.__version__} cannot read what this writes; "
        "`make newest` tests it with a newer Python, where there is one"
    )
    for item in items:
        if item.get_closest_marker("newest_zarr"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def rechunk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Rechunk:
    """Return the command under test (RECHUNK_BINARY or the release build).

    On S3 a bucket has the folders of all tests, as its objects are files.
    """
    path = binary_path()
    assert path.exists(), f"{path} is not built: run `make build`"
    place = getattr(request, "param", "paths")
    if place == "paths":
        return Rechunk(path)
    if place == "gs":
        return RechunkOnGcs(path, request.getfixturevalue("gcs_server"))
    bucket = Bucket(request.getfixturevalue("s3_server"), "tests")
    if not bucket.folder.exists():
        bucket.folder.symlink_to(tmp_path_factory.getbasetemp())
    return RechunkOnS3(path, bucket)


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a folder that all users may enter, with `a`, and `b` in `g`."""
    rng = np.random.default_rng(16)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder).resolve()
        path.chmod(0o755)
        zarr.create_array(
            path / "a", data=rng.random((200, 60)), chunks=(5, 60)
        )
        group = zarr.create_group(path / "g")
        group.create_array("b", data=rng.random((200, 60)), chunks=(70, 7))
        yield path


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Return a server that speaks S3, without settings of whoever runs this."""
    if why := missing_s3_server():
        pytest.skip(why)
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("AWS_"):
                patch.delenv(name)
        with serve_s3(tmp_path_factory.mktemp("s3")) as server:
            yield server


@pytest.fixture(scope="session")
def gcs_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[GcsServer]:
    """Return a server like Google's, whose buckets are the tests' folders."""
    if why := why_missing(FAKE_GCS):
        pytest.skip(why)
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("GOOGLE_", "CLOUDSDK_")):
                patch.delenv(name)
        folder = tmp_path_factory.getbasetemp()
        log = tmp_path_factory.mktemp("gcs") / "log"
        with serve_gcs(folder, log) as server:
            yield server


@pytest.fixture
def bucket(s3_server: S3Server) -> Bucket:
    """Return an empty bucket."""
    return make_bucket(s3_server)


@pytest.fixture(scope="session")
def http_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[HttpServer]:
    """Return a server of files over HTTP."""
    folder = tmp_path_factory.mktemp("http")
    with serve_http(folder, tmp_path_factory.mktemp("nginx")) as server:
        yield server


@pytest.fixture
def fault_proxy() -> Iterator[Callable[..., FaultProxy]]:
    """Return start(server_port, *commands), which starts a proxy."""
    started = []

    def start(server_port: int, *commands: str) -> FaultProxy:
        started.append(FaultProxy(server_port, *commands))
        return started[-1]

    yield start
    for proxy in started:
        proxy.stop()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> None:
    """Name the seed of the random cases."""
    seed = os.environ.get("RECHUNK_SEED", "the default")
    terminalreporter.write_line(f"seed of random cases: {seed}")
