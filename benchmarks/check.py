"""Checks one result against its source, in the `check` environment.

check.py SOURCE TARGET JOB_JSON, where the job has `workload`, `seed` and
`digest` (of the source, or null). Prints one line of JSON. Always compares
metadata and random boxes bit for bit; with a digest, that of every element of
the target too. Memory stays at a few objects.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import zarr

from boxes import grid, starts
from digest import combine, digest_box
from tools.compressors import compressors_of
from workloads import Workload, from_json

THREADS = 2
SAMPLES = 24
SAMPLE_SIDE = 7


def layout_fault(
    source: zarr.Array, target: zarr.Array, workload: Workload
) -> str | None:
    """What of the target's layout is not as asked for, if anything."""
    expected = {
        "shape": source.shape,
        "dtype": source.dtype,
        "chunks": workload.target_chunks,
        "shards": workload.target_shards,
        "zarr_format": workload.final_format,
        "compressors": source.compressors,
    }
    if workload.final_format != workload.zarr_format:
        expected["compressors"] = compressors_of(
            workload.codec, workload.final_format
        )
    found = {key: getattr(target, key, None) for key in expected}
    found["zarr_format"] = target.metadata.zarr_format
    for key, value in expected.items():
        if _plain(found[key]) != _plain(value):
            return f"{key} is {found[key]}, expected {value}"
    return None


def _plain(value: object) -> str:
    """One codec, or a list that holds only it, as text."""
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    return "None" if value in ((), None) else str(value)


def random_box(
    shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[slice, ...]:
    """A small box anywhere in the array, its edges included."""
    box = []
    for length in shape:
        side = min(length, SAMPLE_SIDE)
        at = int(rng.integers(0, length - side + 1))
        box.append(slice(at, at + side))
    return tuple(box)


def sample_fault(
    source: zarr.Array, target: zarr.Array, seed: int
) -> str | None:
    """The first random box in which the two arrays differ, if any."""
    rng = np.random.default_rng(seed)
    for _ in range(SAMPLES):
        box = random_box(source.shape, rng)
        if source[box].tobytes() != target[box].tobytes():
            return f"elements differ in {box}"
    return None


def digest_of(array: zarr.Array) -> str:
    """The digest of every element, each object decoded once."""

    def digest(region: tuple[slice, ...]) -> int:
        return digest_box(array[region], starts(region), array.shape)

    with ThreadPoolExecutor(THREADS) as pool:
        regions = grid(array.shape, array.shards or array.chunks)
        return combine(list(pool.map(digest, regions)))


def fault(source_path: str, target_path: str, job: dict) -> str | None:
    """What is wrong with the target, if anything."""
    source = zarr.open_array(source_path, mode="r")
    target = zarr.open_array(target_path, mode="r")
    found = layout_fault(source, target, from_json(job["workload"]))
    found = found or sample_fault(source, target, job["seed"])
    if found or not job["digest"]:
        return found
    digest = digest_of(target)
    return (
        None
        if digest == job["digest"]
        else f"digest {digest}, not {job['digest']}"
    )


def main() -> None:
    found = fault(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
    print(json.dumps({"fault": found}))


if __name__ == "__main__":
    main()
