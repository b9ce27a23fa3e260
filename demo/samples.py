"""The demo's data: climate model output, sea temperatures, and a larger array.

Each sample is a Zarr store as a person would have it, one map per chunk.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import iris_sample_data
import numcodecs
import numpy as np
import xarray
import zarr

SEED = 20260
DAYS, LATITUDES, LONGITUDES = 1200, 361, 720


@dataclass(frozen=True)
class Sample:
    """One dataset, how it is to be rechunked, and in how much memory."""

    name: str
    what: str
    variable: str
    chunks: str
    max_memory: str
    make: Callable[[Path], None]
    time: str | None = "time"  # the dimension of a place's series


def _from_netcdf(file: str, variable: str, zarr_format: int):
    """A maker that converts one NetCDF file with xarray."""

    def make(store: Path) -> None:
        path = os.path.join(iris_sample_data.path, file)
        with xarray.open_dataset(path, decode_timedelta=False) as dataset:
            sizes = dataset[variable].sizes
            one_map = [1 if dim == "time" else n for dim, n in sizes.items()]
            encoding = {variable: {"chunks": tuple(one_map)}}
            dataset.to_zarr(store, encoding=encoding, zarr_format=zarr_format)

    return make


def _coordinate(
    group: zarr.Group, name: str, values: np.ndarray, units: str
) -> None:
    attributes = {"_ARRAY_DIMENSIONS": [name], "units": units}
    array = group.create_array(
        name,
        shape=values.shape,
        chunks=values.shape,
        dtype=values.dtype,
        attributes=attributes,
    )
    array[:] = values


def _map(day: int, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """One day's temperatures in kelvin, to 1/64: seasons, waves and noise."""
    radians = np.deg2rad(latitude)[:, None]
    season = np.sin(2 * np.pi * day / 365) * np.sin(radians)
    waves = np.sin(2 * np.deg2rad(longitude) + 0.05 * day) * np.cos(radians)
    noise = np.random.default_rng([SEED, day]).standard_normal(
        (latitude.size, longitude.size), dtype="f4"
    )
    field = 255 + 45 * np.cos(radians) + 15 * season + 4 * waves + 0.2 * noise
    return (np.round(field * 64) / 64).astype("f4")


def _make_daily(store: Path) -> None:
    """1.2 GB of daily maps, Zarr v2, in a group with coordinates."""
    group = zarr.create_group(str(store), zarr_format=2)
    latitude = np.linspace(-90, 90, LATITUDES, dtype="f4")
    longitude = np.arange(0, 360, 360 / LONGITUDES, dtype="f4")
    _coordinate(group, "time", np.arange(DAYS), "days since 2020-01-01")
    _coordinate(group, "latitude", latitude, "degrees_north")
    _coordinate(group, "longitude", longitude, "degrees_east")
    array = group.create_array(
        "temperature",
        shape=(DAYS, LATITUDES, LONGITUDES),
        chunks=(1, LATITUDES, LONGITUDES),
        dtype="f4",
        fill_value=float("nan"),
        compressors=numcodecs.Blosc("lz4", clevel=5),
        attributes={
            "_ARRAY_DIMENSIONS": ["time", "latitude", "longitude"],
            "units": "K",
        },
    )

    def write(day: int) -> None:
        array[day] = _map(day, latitude, longitude)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(DAYS)))
    zarr.consolidate_metadata(str(store), zarr_format=2)


SAMPLES = (
    Sample(
        "north-america",
        "air temperature of a climate model, 240 years (Zarr v3)",
        "air_temperature",
        "time=all,latitude=10,longitude=10",
        "16MiB",
        _from_netcdf("E1_north_america.nc", "air_temperature", 3),
    ),
    Sample(
        "sea-surface",
        "sea surface temperature in the tropics, 54 months (Zarr v2)",
        "surface_temperature",
        "time=all,latitude=6,longitude=36",
        "16MiB",
        _from_netcdf("ostia_monthly.nc", "surface_temperature", 2),
    ),
    Sample(
        "ocean-grid",
        "an ocean model's curvilinear grid, one map and its cell corners",
        "votemper",
        "dim0=37,dim1=45",
        "16MiB",
        _from_netcdf("orca2_votemper.nc", "votemper", 3),
        time=None,
    ),
    Sample(
        "daily",
        "1200 generated daily maps, 1.2 GB (Zarr v2, blosc)",
        "temperature",
        "time=all,latitude=19,longitude=20",
        "256MiB",
        _make_daily,
    ),
)


def ensure(sample: Sample, folder: Path) -> Path:
    """The sample's store, made if it is missing; never a half-made one."""
    store = folder / f"{sample.name}.zarr"
    if not store.exists():
        partial = folder / f"{sample.name}.making"
        shutil.rmtree(partial, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        sample.make(partial)
        partial.rename(store)
    return store
