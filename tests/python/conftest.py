"""Engines that the tests of executors share, and what takes too long."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engines import ENGINES
from rechunk import Rechunked
from workloads import Made, made_workload

HERE = Path(__file__).parent
Run = Callable[[str, Rechunked], None]

# Workers that are started by command import the sources of these tests.
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), str(HERE.parent)])


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "long: runs where RECHUNK_LONG is set")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what takes long, and say so."""
    if os.environ.get("RECHUNK_LONG"):
        return
    skip = pytest.mark.skip(reason="takes long: set RECHUNK_LONG=1")
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def cluster() -> Iterator[object]:
    """Return the client of two Dask worker processes of one thread each."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        ) as workers,
        Client(workers, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Start a Prefect server of our own, with a database of its own."""
    settings = {
        "PREFECT_HOME": str(tmp_path_factory.mktemp("prefect")),
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        from prefect.testing.utilities import prefect_test_harness

        with prefect_test_harness(server_startup_timeout=120):
            yield


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Run:
    """Return run(engine, rechunked, **keywords), with what it needs."""

    def run_on(name: str, rechunked: Rechunked, **keywords: object) -> None:
        engine = ENGINES[name]
        needs = request.getfixturevalue(engine.needs) if engine.needs else None
        engine.run(rechunked, needs, keywords)

    return run_on


@pytest.fixture(scope="session")
def made(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Made]:
    """Return made(workload): its source and what the reference makes of it."""
    folder = tmp_path_factory.mktemp("workloads")
    cache: dict[str, Made] = {}

    def get(name: str) -> Made:
        if name not in cache:
            cache[name] = made_workload(name, folder / name)
        return cache[name]

    return get
