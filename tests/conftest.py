"""Fixtures that all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
import zarr

from binary import Rechunk, binary_path
from elements import ZARR_VERSION
from fault_proxy import FaultProxy
from servers import (
    Bucket,
    HttpServer,
    S3Server,
    make_bucket,
    missing_s3_server,
    serve_http,
    serve_s3,
)

NEWEST_ZARR = (3, 4)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this environment's zarr-python cannot read, and say so."""
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
def rechunk() -> Rechunk:
    """Return the command under test (RECHUNK_BINARY or the release build)."""
    path = binary_path()
    assert path.exists(), f"{path} is not built: run `make build`"
    return Rechunk(path)


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
