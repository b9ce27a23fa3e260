"""A job of each kind, for all that can run a plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zarr

RNG = np.random.default_rng(23)


@dataclass(frozen=True)
class Job:
    """How to make a source, and what to make of it."""

    make_source: Callable[[Path], None]
    arguments: tuple[str, ...]
    methods: set[str]  # That its arrays must be planned with.


def _fill(array: zarr.Array) -> None:
    array[...] = RNG.random(array.shape)


def _maps(path: Path) -> None:
    _fill(
        zarr.create_array(
            path, shape=(60, 50, 40), chunks=(3, 50, 40), dtype="f4"
        )
    )


def _sharded(path: Path) -> None:
    _fill(
        zarr.create_array(
            path,
            shape=(45, 31, 22),
            chunks=(5, 10, 11),
            shards=(15, 20, 22),
            dtype="f8",
        )
    )


def _group(path: Path) -> None:
    root = zarr.create_group(path, attributes={"title": "random"})
    layouts = {"maps": ((90, 80, 70), (1, 80, 70)), "deep/flat": ((33,), (4,))}
    for name, (shape, chunks) in layouts.items():
        _fill(root.create_array(name, shape=shape, chunks=chunks, dtype="f4"))
    kept = root.create_array("kept", shape=(17, 13), chunks=(4, 5), dtype="i2")
    kept[...] = RNG.integers(-99, 99, kept.shape)


JOBS = {
    "staged": Job(
        _maps,
        ("--chunks", "60,7,7", "--max-memory", "800kB", "--threads", "1"),
        {"staged"},
    ),
    "direct": Job(_maps, ("--chunks", "7,11,13", "--threads", "2"), {"direct"}),
    "sharded": Job(
        _sharded,
        ("--chunks", "9,4,22", "--shards", "45,8,22", "--codec", "zstd:3"),
        {"direct"},
    ),
    "other shards": Job(
        _sharded,
        ("--shards", "10,40,11", "--threads", "2", "--verify"),
        {"passthrough"},
    ),
    "out of shards": Job(
        _sharded, ("--shards", "none", "--threads", "2"), {"passthrough"}
    ),
    "group": Job(
        _group,
        (
            *("--array", "maps:90,9,9", "--array", "deep/flat:33"),
            *("--max-memory", "2200kB", "--threads", "2", "--verify"),
        ),
        {"staged", "direct", "passthrough"},
    ),
}


def assert_equal_elements(a: Path, b: Path) -> None:
    """Compare all arrays of two trees, bit for bit, through zarr-python."""
    one, other = zarr.open(a, mode="r"), zarr.open(b, mode="r")
    if isinstance(one, zarr.Array):
        pairs = [(one, other)]
    else:
        names = [
            name
            for name, node in one.members(max_depth=None)
            if isinstance(node, zarr.Array)
        ]
        assert names
        assert dict(one.attrs) == dict(other.attrs)
        pairs = [(one[name], other[name]) for name in names]
    for x, y in pairs:
        assert x[...].tobytes() == y[...].tobytes()
