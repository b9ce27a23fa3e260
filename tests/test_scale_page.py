"""The claims of the page on published arrays hold for the plans of today."""

from __future__ import annotations

import math
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
    """The model is close to a simulation that runs every task."""
    _, predicted, simulated = scale.row(array, fleet)
    assert predicted == pytest.approx(simulated, rel=0.15)


@pytest.mark.parametrize("fleet", FLEETS, ids=lambda fleet: fleet.name)
def test_intermediates_are_few_and_small(fleet: scale.Fleet) -> None:
    """The page says how many objects and how many bytes they take."""
    plans = {array.name: scale.plan(array, fleet) for array in scale.ARRAYS}
    assert 0 < plans["ERA5, hourly, one variable"]["temp_objects"] <= 2000
    (stage,) = plans["image of a petabyte"]["arrays"][0]["stages"]
    assert math.prod(stage["chunks"]) == pytest.approx(2.1e9, rel=0.05)
    ocean = plans["LLC4320, Theta"]
    assert len(ocean["arrays"][0]["stages"]) == 2
    assert ocean["temp_bytes"] == pytest.approx(674e9, rel=0.01)


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
