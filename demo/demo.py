"""The main job on real data: plan, run, verify, and what it gains.

Makes a few Zarr stores below demo-data/ (kept for the next time), rechunks
each with the command line, and reads one place's time series before and after.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

import xarray
from samples import SAMPLES, Sample, ensure

ROOT = Path(__file__).resolve().parent.parent
BINARY = ROOT / os.environ.get("RECHUNK_BINARY", "build/release/rechunk")
FOLDER = Path("demo-data")
PLACES = (0.21, 0.5, 0.83)
COMPARED_BYTES = 300_000_000  # of one dataset, compared at a time


def say(text: str = "") -> None:
    print(text, flush=True)


def rechunk(*arguments: str) -> None:
    """Shows one command line and runs it; ends the demo if it fails."""
    say(f"$ rechunk {' '.join(arguments)}")
    code = subprocess.run([BINARY, *arguments]).returncode
    say()
    if code:
        raise SystemExit(f"demo: rechunk {arguments[0]} ended with {code}")


def median_seconds(sample: Sample, store: Path) -> float:
    """Seconds to read one place's series: the median of a few places."""
    seconds = []
    for place in PLACES:
        script = str(ROOT / "demo" / "read_place.py")
        facts = [str(store), sample.variable, str(sample.time), str(place)]
        done = subprocess.run(
            [sys.executable, "-W", "ignore", script, *facts],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        seconds.append(float(done.stdout))
    return statistics.median(seconds)


def open_store(store: Path) -> xarray.Dataset:
    return xarray.open_zarr(store, chunks=None, decode_timedelta=False)


def compare(sample: Sample, source: Path, target: Path) -> int:
    """Checks that xarray reads the same from both; returns the values read.

    Values, coordinates and attributes, in bands along the second dimension,
    so that a large dataset need not be in memory as a whole.
    """
    with open_store(source) as before, open_store(target) as after:
        dim = before[sample.variable].dims[-2]
        length = before.sizes[dim]
        bands = -(-before.nbytes // COMPARED_BYTES)
        step = -(-length // bands)
        for start in range(0, length, step):
            band = {dim: slice(start, start + step)}
            xarray.testing.assert_identical(before.isel(band), after.isel(band))
        return sum(variable.size for variable in before.variables.values())


def show(sample: Sample) -> str:
    """Plans, runs and verifies one sample; returns its line of the summary."""
    say(f"== {sample.name}: {sample.what}")
    start = time.perf_counter()
    source = ensure(sample, FOLDER)
    say(f"   ({source} ready after {time.perf_counter() - start:.1f} s)\n")
    target = FOLDER / f"{sample.name}-by-place.zarr"
    shutil.rmtree(target, ignore_errors=True)
    stores = (str(source), str(target))
    layout = ("--chunks", sample.chunks, "--max-memory", sample.max_memory)
    rechunk("plan", *stores, *layout)
    rechunk("run", *stores, *layout, "--verify")
    rechunk("verify", *stores)
    count = compare(sample, source, target)
    say(f"xarray reads the same {count:,} values and attributes from both\n")
    if sample.time is None:
        return f"  {sample.name:<15}  (one map: no series to read)"
    before = median_seconds(sample, source)
    after = median_seconds(sample, target)
    figures = f"{before * 1e3:8.1f} ms {after * 1e3:8.1f} ms"
    return f"  {sample.name:<15} {figures} {before / after:8.1f} times as fast"


def main() -> None:
    warnings.simplefilter("ignore")  # of libraries; the demo raises its own
    os.chdir(ROOT)
    if not BINARY.exists():
        raise SystemExit(f"demo: {BINARY} does not exist: build it first")
    start = time.perf_counter()
    lines = [show(sample) for sample in SAMPLES]
    say(
        "Reading one place's time series with xarray, each time in a fresh\n"
        f"process, median of {len(PLACES)} places:"
    )
    say(f"  {'':<15} {'before':>11} {'after':>11}")
    for line in lines:
        say(line)
    say(f"All checks passed, {time.perf_counter() - start:.0f} s in total")


if __name__ == "__main__":
    main()
