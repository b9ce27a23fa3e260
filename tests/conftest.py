"""Fixtures that all tests share."""

from __future__ import annotations

import os

import pytest

from binary import Rechunk, binary_path


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
