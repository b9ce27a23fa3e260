"""The page on published arrays says what the planner plans today."""

from __future__ import annotations

import sys

import pytest

from binary import ROOT, binary_path

sys.path.append(str(ROOT / "benchmarks"))
import scale

FLEETS = (scale.NODE, scale.WORKERS)


@pytest.fixture(autouse=True)
def planner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan with the command under test."""
    monkeypatch.setattr(scale, "BINARY", binary_path())


@pytest.mark.parametrize("fleet", FLEETS, ids=lambda fleet: fleet.name)
@pytest.mark.parametrize("array", scale.ARRAYS, ids=lambda array: array.name)
def test_predictions_hold_in_the_simulation(
    array: scale.Array, fleet: scale.Fleet
) -> None:
    """And the page has these very lines."""
    line, predicted, simulated = scale.row(array, fleet)
    assert predicted == pytest.approx(simulated, rel=0.15)
    assert line in scale.PAGE.read_text()


def test_a_simulation_knows_who_waits() -> None:
    """Three equal tasks on two workers take two rounds; a fleet takes one."""
    made = scale.plan(
        scale.Array("", "300,1000,1000", "f4", "1,1000,1000", "100,100,100"),
        scale.Fleet("", 1, "500MB", 1, 1e12),
    )
    stages = scale.stages_of(made["arrays"][0])
    seconds = {
        workers: scale.simulate(
            stages, scale.Fleet("", workers, "500MB", 1, 1e15)
        )
        for workers in (1, 2, 1000)
    }
    assert seconds[1] > seconds[2] > seconds[1] / 2.01
    assert seconds[1000] <= seconds[2]
    assert seconds[1000] > seconds[1] / 1000
