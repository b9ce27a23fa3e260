"""Reads one place's time series in a fresh process; prints the seconds.

read_place.py STORE VARIABLE TIME_DIMENSION FRACTION, where FRACTION says how
far along each other dimension the place lies. Counts the reading of the series,
not imports and opening the store, which cost the same for either chunking.
"""

from __future__ import annotations

import sys
import time

import xarray


def main() -> None:
    store, variable, time_dimension, fraction = sys.argv[1:]
    with xarray.open_zarr(store, chunks=None, decode_timedelta=False) as opened:
        array = opened[variable]
        place = {
            dim: int(float(fraction) * (length - 1))
            for dim, length in array.sizes.items()
            if dim != time_dimension
        }
        start = time.perf_counter()
        array.isel(place).load()
        print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
