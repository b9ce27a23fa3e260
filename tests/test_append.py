"""Arrays grow, at any length and again and again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk
from compare import assert_same_elements, read
from existing_cases import make, outside, random_memory, random_pair
from layouts import random_layout
from test_counts import COUNTED
from test_existing import run_within
from trees import assert_only, tree_hash

pytestmark = pytest.mark.any_place

SEED = int(os.environ.get("RECHUNK_SEED", "2027"))
CASES = int(os.environ.get("RECHUNK_EXISTING", "60"))


@pytest.mark.parametrize("number", range(CASES // 2))
def test_an_array_grows_behind_its_end(
    rechunk: Rechunk, tmp_path: Path, number: int
) -> None:
    """Its document gets another shape; only partial objects are written."""
    rng = np.random.default_rng([SEED, number, 1])
    shape, kind, formats = random_pair(rng)
    layout = random_layout(rng, shape, kind, formats[0])
    axis = int(rng.integers(0, len(shape)))
    own, added = list(shape), list(shape)
    own[axis] = int(rng.integers(0, 3 * layout.object_shape[axis]))
    added[axis] = int(rng.integers(1, 2 * layout.object_shape[axis] + 2))
    target = make(rng, tmp_path / "b", tuple(own), kind, layout)
    source = make(
        rng,
        tmp_path / "a",
        tuple(added),
        kind,
        random_layout(rng, tuple(added), kind, formats[1]),
    )
    document = tmp_path / "b" / ("zarr.json" if formats[0] == 3 else ".zarray")
    # Writers differ in what they put around it.
    document.write_text("\n " * (number % 2) + document.read_text() + "\n")
    before = json.loads(document.read_text())
    whole = own[axis] - own[axis] % layout.object_shape[axis]
    partial = tuple(
        slice(whole if d == axis else 0, n) for d, n in enumerate(own)
    )
    hashes = outside(target, partial)
    del hashes[document.name]
    words = (source.path, target.path, "--append", axis, "--json")
    if rng.random() < 0.5:
        words = (*words, "--verify")
    report = run_within(rechunk, random_memory(rng), *words).json()
    for stage in report["arrays"][0]["stages"]:
        for name in COUNTED:
            both = stage["counted"][name] + stage["skipped"][name]
            assert both == stage[name], (stage, name)
    assert_same_elements(
        read(target.path),
        np.concatenate([target.elements, source.elements], axis),
    )
    assert hashes.items() <= tree_hash(target.path).items()
    after = json.loads(document.read_text())
    assert after.pop("shape")[axis] == own[axis] + added[axis]
    before.pop("shape")
    assert after == before
    assert_only(tmp_path, "a", "b")


def days(rng: np.random.Generator, first: int, length: int) -> dict:
    """Arrays of a group, by name: elements and dimensions."""
    return {
        "t": (rng.random((length, 5, 6), dtype="f4"), ("time", "y", "x")),
        "u": (rng.integers(0, 99, (5, length), "i2"), ("y", "time")),
        "time": (np.arange(first, first + length), ("time",)),
        "x": (np.arange(6.0), ("x",)),
    }


def write_group(path: Path, arrays: dict, layouts: dict) -> None:
    """Write them as a group."""
    root = zarr.create_group(path)
    for name, (elements, names) in arrays.items():
        root.create_array(
            name, data=elements, dimension_names=names, **layouts.get(name, {})
        )


@pytest.mark.parametrize("seed", range(3))
def test_a_group_grows_day_by_day(
    rechunk: Rechunk, tmp_path: Path, seed: int
) -> None:
    """From an awkward length on: chunks, shards and a coordinate at once."""
    rng = np.random.default_rng([SEED, seed, 2])
    expected = days(rng, 0, int(rng.integers(1, 30)))
    write_group(
        tmp_path / "b",
        expected,
        {
            "t": {"chunks": (4, 3, 6), "shards": (12, 3, 6)},
            "u": {"chunks": (2, 7)},
            "time": {"chunks": (100,)},
        },
    )
    axes = {"t": 0, "u": 1, "time": 0}
    for day in range(7):
        have = len(expected["time"][0])
        new = days(rng, have, int(rng.integers(1, 20)))
        if day == 3:
            new["t"][0][:] = 0  # Nothing but fill.
        write_group(
            tmp_path / f"a{day}",
            new,
            {"t": {"chunks": (int(rng.integers(1, 9)), 5, 6)}},
        )
        words = (tmp_path / f"a{day}", tmp_path / "b", "--append", "time")
        rechunk.ok("run", *words, "--verify")
        for name, axis in axes.items():
            both = [expected[name][0], new[name][0]]
            expected[name] = (np.concatenate(both, axis), expected[name][1])
        found = zarr.open_group(tmp_path / "b", mode="r")
        for name, (elements, _) in expected.items():
            assert_same_elements(found[name][...], elements)
    assert_only(tmp_path, "b", *(f"a{day}" for day in range(7)))


@pytest.mark.parametrize("chunks", ["24,2,2", "time=24,y=2,x=2"])
def test_a_coordinate_has_room_for_what_comes(
    rechunk: Rechunk, tmp_path: Path, chunks: str
) -> None:
    """Whether lengths are given by name or by position."""
    rng = np.random.default_rng([SEED, 4])
    for name, first, length in (("a", 0, 10), ("a1", 10, 9), ("a2", 19, 30)):
        days = np.arange(first, first + length)
        values = rng.random((length, 3, 4))
        arrays = {
            "v": (values, ("time", "y", "x")), "time": (days, ("time",)),
        }  # fmt: skip
        write_group(tmp_path / name, arrays, {})
    rechunk.ok("run", tmp_path / "a", tmp_path / "b", "--chunks", chunks)
    for name in ("a1", "a2"):
        words = (tmp_path / name, tmp_path / "b", "--append", "time")
        rechunk.ok("run", *words)
    group = zarr.open_group(tmp_path / "b", mode="r")
    assert group["v"].chunks == (24, 2, 2)
    assert group["time"].chunks == (24,)
    assert_same_elements(group["time"][...], np.arange(49))


def test_what_lies_behind_the_end_does_not_come_back(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Of an array that was longer once: nor does another's fill value."""
    for fill, layout in (
        (0, {"chunks": (10, 4)}),
        (5, {"chunks": (5, 4), "shards": (10, 4)}),
    ):
        path = tmp_path / str(fill)
        old = zarr.create_array(
            path / "b", shape=(28, 7), dtype="i4", fill_value=fill, **layout
        )
        old[20:28] = 777
        old.resize((23, 7))
        old[20:23, :4] = (
            5  # Of the fill value in one case; the rest is missing.
        )
        new = zarr.create_array(
            path / "a", shape=(3, 7), chunks=(2, 7), dtype="i4", fill_value=-1
        )
        expected = np.concatenate([old[...], new[...]])
        rechunk.ok("run", path / "a", path / "b", "--append", "0")
        grown = zarr.open_array(path / "b", mode="r+")
        assert_same_elements(grown[...], expected)
        grown.resize((28, 7))
        assert (grown[26:] == fill).all()


@pytest.mark.only_paths
def test_somebody_elses_change_of_a_partial_object_is_found(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Between plan and run, and before a run goes on."""
    for name, length in (("b", 25), ("a", 30)):
        zarr.create_array(
            tmp_path / name, data=np.arange(length, dtype="i4"), chunks=10
        )
    plan = tmp_path / "plan.json"
    words = (tmp_path / "a", tmp_path / "b", "--append", "0")
    rechunk.ok("plan", *words, "--save", plan)
    array = zarr.open_array(tmp_path / "b", mode="r+")
    array[22] = -1
    before = tree_hash(tmp_path / "b")
    message = rechunk.fails("task", plan, 0, 0, "all").stderr
    assert "c/2" in message and "somebody else" in message
    assert tree_hash(tmp_path / "b") == before
    assert_only(tmp_path, "a", "b", "plan.json")
    rechunk.ok("run", *words)
    expected = np.concatenate([np.arange(25), np.arange(30)])
    expected[22] = -1
    assert_same_elements(read(tmp_path / "b"), expected.astype("i4"))
