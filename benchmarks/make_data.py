"""Makes one workload's source store, chunk by chunk, from a fixed seed.

Runs in the `check` environment: make_data.py WORKLOAD_JSON STORE STAMP_FILE.
A smooth field plus noise, rounded as instruments and packed files round, so
that lossless codecs reach a ratio of two to four.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import zarr

from boxes import grid, starts
from digest import combine, digest_box
from measure import stored
from tools.compressors import compressors_of
from workloads import Workload, from_json

THREADS = 2


def _axes(region: tuple[slice, ...]) -> list[np.ndarray]:
    ranges = [np.arange(part.start, part.stop, dtype="f8") for part in region]
    return list(np.ix_(*ranges))


def _rounded(values: np.ndarray, steps_per_unit: int) -> np.ndarray:
    return np.round(values * steps_per_unit) / steps_per_unit


def make_map(region: tuple[slice, ...], rng: np.random.Generator) -> np.ndarray:
    """Temperature over (time, latitude, longitude), in kelvin."""
    time, lat, lon = _axes(region)
    field = 280 + 15 * np.sin(2 * np.pi * time / 365) * np.cos(
        np.pi * lat / 361
    )
    field = field + 8 * np.sin(4 * np.pi * lon / 720 + 0.01 * time)
    noise = rng.standard_normal(field.shape, dtype="f4")
    return _rounded(field + 0.2 * noise, 64)


def make_plane(
    region: tuple[slice, ...], rng: np.random.Generator
) -> np.ndarray:
    """A large map, rounded to 1/128."""
    y, x = _axes(region)
    field = 280 + 15 * np.sin(y / 400) * np.cos(x / 900)
    return _rounded(field + 0.2 * rng.standard_normal(field.shape), 128)


def make_fine_plane(
    region: tuple[slice, ...], rng: np.random.Generator
) -> np.ndarray:
    """A large map with many significant digits, rounded to 2**-16."""
    y, x = _axes(region)
    field = 280 + 15 * np.sin(y / 400) * np.cos(x / 300)
    return _rounded(field + 0.05 * rng.standard_normal(field.shape), 1 << 16)


def make_counts(
    region: tuple[slice, ...], rng: np.random.Generator
) -> np.ndarray:
    """Photon counts of a volume, as a microscope's camera gives them."""
    z, y, x = _axes(region)
    field = 1500 + 900 * np.sin(y / 160 + z / 90) * np.cos(x / 120)
    return np.round(field + 6 * rng.standard_normal(field.shape))


def make_waves(
    region: tuple[slice, ...], rng: np.random.Generator
) -> np.ndarray:
    """Waves along every dimension of an array of any rank."""
    field = np.zeros((), "f8")
    for number, axis in enumerate(_axes(region)):
        field = field + 900 * np.sin(axis / (60 + 37 * number) + number)
    noise = rng.standard_normal(field.shape, dtype="f4")
    return np.round(4000 + field + 6 * noise)


FIELDS = {
    "map": make_map,
    "plane": make_plane,
    "fine_plane": make_fine_plane,
    "counts": make_counts,
    "waves": make_waves,
}


def create(workload: Workload, store: Path) -> zarr.Array:
    """An empty array with the source's layout."""
    return zarr.create_array(
        store=str(store),
        shape=workload.shape,
        chunks=workload.source_chunks,
        shards=workload.source_shards,
        dtype=workload.dtype,
        compressors=compressors_of(workload.codec, workload.zarr_format),
        filters=None if workload.zarr_format == 2 else "auto",
        fill_value=0,
        zarr_format=workload.zarr_format,
        attributes={"title": workload.title, "seed": workload.seed},
    )


def is_filled(workload: Workload, region: tuple[slice, ...]) -> bool:
    """Whether a chunk holds data: all chunks along the first axis alike."""
    rng = np.random.default_rng([workload.seed, *starts(region)[1:]])
    return bool(rng.random() < workload.filled_share)


def fill(workload: Workload, array: zarr.Array) -> str:
    """Writes every object; returns the digest of what was generated."""
    make = FIELDS[workload.field]

    def write(region: tuple[slice, ...]) -> int:
        rng = np.random.default_rng([workload.seed, *starts(region)])
        if is_filled(workload, region):
            values = make(region, rng).astype(workload.dtype)
            array[region] = values
        else:
            extent = [part.stop - part.start for part in region]
            values = np.zeros(extent, workload.dtype)
        return digest_box(values, starts(region), workload.shape)

    with ThreadPoolExecutor(THREADS) as pool:
        regions = grid(workload.shape, workload.source_objects)
        return combine(list(pool.map(write, regions)))


def main() -> None:
    workload = from_json(sys.argv[1])
    store, stamp_file = Path(sys.argv[2]), Path(sys.argv[3])
    if store.exists():
        shutil.rmtree(store)
    store.parent.mkdir(parents=True, exist_ok=True)
    digest = fill(workload, create(workload, store))
    objects, stored_bytes = stored(store)
    facts = {
        "stamp": workload.stamp(),
        "digest": digest,
        "objects": objects,
        "raw_bytes": workload.raw_bytes,
        "stored_bytes": stored_bytes,
        "ratio": round(workload.raw_bytes / stored_bytes, 3),
    }
    partial = stamp_file.with_suffix(".partial")
    partial.write_text(json.dumps(facts, indent=1) + "\n")
    os.replace(partial, stamp_file)


if __name__ == "__main__":
    main()
