"""Fixtures that all tests share."""

from __future__ import annotations

import os

import pytest
import zarr

from binary import Rechunk, binary_path
from elements import ZARR_VERSION

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


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> None:
    """Name the seed of the random cases."""
    seed = os.environ.get("RECHUNK_SEED", "the default")
    terminalreporter.write_line(f"seed of random cases: {seed}")
