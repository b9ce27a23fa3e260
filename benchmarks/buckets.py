"""Rechunks between prefixes of a bucket whose answers take 50 ms.

A real server (versitygw) stands on this machine, and a proxy in front of it
makes each request wait. README.md says what the columns are:

    .venv/bin/python benchmarks/buckets.py --work series --repeat 3
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import obstore
import zarr
from zarr.storage import ObjectStore

ROOT = Path(__file__).resolve().parent.parent
LATENCY = 0.05
HEAD = [
    "work", "memory", "requests", "in flight", "rechunk s", "floor s",
    "ratio", "peak MiB", "TensorStore s", "zarr-python s",
]  # fmt: skip
sys.path.insert(0, str(ROOT / "tests"))

from binary import Rechunk  # noqa: E402
from fault_proxy import FaultProxy  # noqa: E402
from servers import REGION, Bucket, make_bucket, serve_s3  # noqa: E402


@dataclass(frozen=True)
class Work:
    """An array, and how it is wanted."""

    name: str
    shape: tuple[int, ...]
    source: tuple[int, ...]
    target: tuple[int, ...]
    memory: str


WORK = (
    Work("series", (400, 180, 360), (10, 180, 360), (400, 18, 20), "64MB"),
    Work("series, all in memory", (400, 180, 360), (10, 180, 360),
         (400, 18, 20), "512MB"),
    Work("W1, a quarter", (500, 361, 720), (10, 361, 720), (500, 19, 20),
         "256MB"),
    Work("W3, a part", (64, 400, 500), (1, 400, 500), (64, 50, 50), "256MB"),
    Work("small objects", (400, 100, 100), (1, 100, 100), (400, 10, 10),
         "64MB"),
)  # fmt: skip


@dataclass
class Place:
    """The bucket, behind the proxy."""

    bucket: Bucket
    proxy: FaultProxy
    command: Rechunk

    def store(self, prefix: str) -> ObjectStore:
        """Return a store of zarr-python at a prefix, through the proxy."""
        return ObjectStore(self.bucket.store(prefix, self.proxy.port))


def make_source(place: Place, work: Work) -> np.ndarray:
    """Write it past the proxy; a field that blosc makes a third as large."""
    rng = np.random.default_rng(1)
    steps = rng.normal(size=work.shape).astype("f4")
    elements = np.round(np.cumsum(steps, axis=0), 1)
    codec = zarr.codecs.BloscCodec(cname="lz4", clevel=5)
    target = ObjectStore(place.bucket.store("a"))
    zarr.create_array(
        target,
        data=elements,
        chunks=work.source,
        compressors=codec,
        overwrite=True,
    )
    return elements


def rechunk(place: Place, work: Work) -> dict:
    """Run the command; return its report, with its memory."""
    chunks = ",".join(map(str, work.target))
    result = place.command.ok(
        *("run", place.bucket.url("a"), place.bucket.url("b")),
        *("--chunks", chunks, "--max-memory", work.memory, "--json"),
    )
    return {**result.json(), "rss": result.peak_rss_bytes}


def zarr_python(place: Place, work: Work) -> None:
    """Read all, write all."""
    source = zarr.open_array(place.store("a"), mode="r")
    target = zarr.create_array(
        place.store("b"),
        shape=work.shape,
        dtype="f4",
        chunks=work.target,
        compressors=source.compressors,
    )
    target[...] = source[...]


def tensorstore(place: Place, work: Work) -> None:
    """Do the same with TensorStore."""
    import tensorstore as ts

    def spec(prefix: str) -> dict:
        return {
            "driver": "zarr3",
            "kvstore": {
                "driver": "s3",
                "bucket": place.bucket.name,
                "path": f"{prefix}/",
                "aws_region": REGION,
                "endpoint": place.bucket.server.endpoint(place.proxy.port),
                "aws_credentials": {"type": "environment"},
            },
        }

    source = ts.open(spec("a"), open=True).result()
    metadata = source.spec().to_json()["metadata"]
    metadata["chunk_grid"]["configuration"]["chunk_shape"] = list(work.target)
    target = ts.open({**spec("b"), "metadata": metadata}, create=True).result()
    target.write(source.read().result()).result()


def floor(place: Place, requests: list[dict], in_flight: int) -> float:
    """Send the requests for data again; return the seconds that they take."""
    bucket = place.bucket
    store = bucket.store("", place.proxy.port)
    slots = asyncio.Semaphore(in_flight)

    async def send(one: dict) -> None:
        key = one["target"].removeprefix(f"/{bucket.name}/")
        async with slots:
            if one["method"] == "PUT":
                body = b"x" * one["request_bytes"]
                await obstore.put_async(
                    store, f"floor/{key}", body, use_multipart=False
                )
                return
            first, last = map(int, one["range"][len("bytes=") :].split("-"))
            end = min(last + 1, first + one["answer_bytes"])
            await obstore.get_range_async(store, key, start=first, end=end)

    async def send_all(some: list[dict]) -> None:
        await asyncio.gather(*map(send, some))

    started = time.monotonic()
    asyncio.run(send_all(requests))
    return time.monotonic() - started


def is_data(one: dict) -> bool:
    """Tell whether a request of the proxy's log moves chunks or temp data."""
    in_array = "/c/" in one["target"] or "rechunk-temp/" in one["target"]
    return (
        in_array
        and one["method"] in ("GET", "PUT")
        and one["answer_bytes"] + one["request_bytes"] > 1
        and one["status"] // 100 == 2
    )


def measure(place: Place, work: Work, repeat: int) -> list[str]:
    """Return a row of the table."""
    elements = make_source(place, work)
    tools: dict[str, Callable[[Place, Work], object]] = {
        "rechunk": rechunk,
        "TensorStore": tensorstore,
        "zarr-python": zarr_python,
    }
    seconds: dict[str, list[float]] = {name: [] for name in tools}
    floors, peak, most, count = [], 0, 0, 0
    for _ in range(repeat):  # Interleaved: noise hits all alike.
        for name, tool in tools.items():
            erase(place, "b")
            place.proxy("clear")
            started = time.monotonic()
            report = tool(place, work)
            seconds[name].append(time.monotonic() - started)
            found = zarr.open_array(ObjectStore(place.bucket.store("b")))
            assert np.array_equal(found[...], elements), name
            if name != "rechunk":
                continue
            assert isinstance(report, dict)
            log, counts = place.proxy.log(), place.proxy.counts()
            most = max(most, counts["most_in_flight"])
            count = sum(counts["requests"].values())
            peak = max(peak, report["rss"])
            data = [one for one in log if is_data(one)]
            kept = [one for one in data if "rechunk-temp" not in one["target"]]
            temp = [one for one in data if "rechunk-temp" in one["target"]]
            floors.append(
                floor(place, kept, most) + sum(temp_floor(place, temp, most))
            )
    own = statistics.median(seconds["rechunk"])
    least = statistics.median(floors)
    return [
        work.name,
        work.memory,
        str(count),
        str(most),
        f"{own:.1f}",
        f"{least:.1f}",
        f"{own / least:.2f}",
        f"{peak / 2**20:.0f}",
        *(
            f"{statistics.median(seconds[name]):.1f}"
            for name in ("TensorStore", "zarr-python")
        ),
    ]


def temp_floor(place: Place, temp: list[dict], most: int) -> list[float]:
    """Write temporary data, then read it, as a run does."""
    if not temp:
        return []
    moved = [
        {**one, "target": f"/{place.bucket.name}/floor/{key_of(place, one)}"}
        if one["method"] == "GET"
        else one
        for one in temp
    ]
    return [
        floor(place, [one for one in moved if one["method"] == method], most)
        for method in ("PUT", "GET")
    ]


def key_of(place: Place, one: dict) -> str:
    """Return the key of a request."""
    return one["target"].removeprefix(f"/{place.bucket.name}/")


def erase(place: Place, prefix: str) -> None:
    """Remove what a tool has written, past the proxy."""
    store = place.bucket.store()
    for page in obstore.list(store, prefix=prefix):
        obstore.delete(store, [one["path"] for one in page])


def row(cells: list[str]) -> str:
    """Return a row of the table."""
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure all, and print the table as it grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--work", default="", help="names, or parts of them")
    parser.add_argument("--binary", type=Path)
    options = parser.parse_args()
    binary = options.binary or ROOT / "build" / "release" / "rechunk"
    print(row(HEAD), row(["---"] * len(HEAD)), sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "s3").mkdir()
        with serve_s3(Path(folder) / "s3") as server:
            os.environ.update(server.environment())
            proxy = FaultProxy(server.port, f"latency {LATENCY}")
            command = Rechunk(binary, server.environment(proxy.port))
            for work in WORK:
                if options.work not in work.name:
                    continue
                place = Place(make_bucket(server), proxy, command)
                cells = measure(place, work, options.repeat)
                print(row(cells), flush=True)
                subprocess.run(["rm", "-rf", place.bucket.folder], check=True)


if __name__ == "__main__":
    main()
