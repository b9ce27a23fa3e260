"""Plans published arrays on paper, for one node and for 1,000 workers.

The planner itself makes the plans. A model of an object store gives each stage
its time and its price; a simulation that runs every task, with its own size, on
its own worker, behind the barriers of its component and with latencies that
vary, says how far the model can be trusted. Tables go to docs/scale.md:

    python benchmarks/scale.py            # print them
    python benchmarks/scale.py --write    # replace those of the page
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "scale.md"
BINARY = ROOT / "build" / "release" / "rechunk"
BEGIN, END = "<!-- tables -->", "<!-- end of tables -->"


@dataclass(frozen=True)
class Array:
    """A published array, and how it is wanted."""

    name: str
    shape: str
    dtype: str
    source_chunks: str
    chunks: str
    shards: str = ""


ARRAYS = (
    Array("ERA5, hourly, one variable", "350640,721,1440", "f4",
          "31,721,1440", "all,10,10"),
    Array("MUR SST, one variable", "6443,17999,36000", "i2",
          "5,1799,3600", "all,100,100"),
    Array("NWM 2.1 streamflow", "367439,2776738", "i4",
          "672,30000", "30000,672"),
    Array("LLC4320, Theta", "9030,90,13,4320,4320", "f4",
          "1,1,1,4320,4320", "all,1,1,60,60"),
    Array("image of a petabyte", "40000,160000,160000", "u1",
          "1,4096,4096", "128,128,128", "128,4096,4096"),
)  # fmt: skip


@dataclass(frozen=True)
class Fleet:
    """Machines that share the tasks; `workers` tasks run at a time."""

    name: str
    workers: int
    memory: str  # Of a process.
    threads: int  # Of a process.
    network_bytes: float  # Per second, all together.


NODE = Fleet("one node, 16 cores, 64 GB", 16, "64GB", 16, 1.5e9)
WORKERS = Fleet("1,000 workers, 1 core, 4 GB each", 1000, "4GB", 1, 1e11)

# The object store and the codec, for one thread. Assumptions, not
# measurements: see the page.
LATENCY = 0.03  # Seconds until the first byte of a request.
IN_FLIGHT = 8  # Requests that a thread has open at a time.
STREAM = 9e7  # Bytes per second of a thread.
DECODE, ENCODE = 1.0e-9, 3.0e-9  # Seconds per byte.
RATIO = 0.4  # Stored bytes per byte.
GET, PUT = 0.4e-6, 5e-6  # US dollars per request.
CORE_HOUR = 0.04  # US dollars.
SPREAD = 0.3  # Of latencies and speeds in the simulation (log-normal).


def plan(array: Array, fleet: Fleet) -> dict:
    """Return the plan of `rechunk plan --shape`."""
    command = [BINARY, "plan", "--shape", array.shape, "--dtype", array.dtype]
    command += ["--source-chunks", array.source_chunks]
    command += ["--chunks", array.chunks, "--threads", str(fleet.threads)]
    command += ["--max-memory", fleet.memory, "--json"]
    command += ["--shards", array.shards] if array.shards else []
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def cuts(length: int, step: int) -> np.ndarray:
    """Return the borders of the cells of a regular grid along an axis."""
    return np.append(np.arange(0, length, step), length)


def touched(starts: np.ndarray, stops: np.ndarray, step: int) -> np.ndarray:
    """Return how many cells of a grid each interval touches."""
    return (stops - 1) // step - starts // step + 1


@dataclass
class Axis:
    """What the tasks of a stage have of one axis, task by task."""

    elements: np.ndarray
    reads: np.ndarray  # (block, object) pairs.
    writes: np.ndarray  # Objects.
    first: np.ndarray  # First task of each component, and the end.


def axis_of(
    stage: dict, array: dict, previous: list, objects: list, d: int
) -> Axis:
    """Cut one axis by a stage's tasks, blocks and objects."""
    length, task = array["shape"][d], stage["chunks"][d]
    borders = cuts(length, task)
    blocks = cuts(length, stage["block"][d])
    pairs = touched(blocks[:-1], blocks[1:], previous[d])
    of_task = np.add.reduceat(pairs, np.searchsorted(blocks, borders[:-1]))
    component = cuts(length, array["component"][d])
    return Axis(
        elements=np.diff(borders),
        reads=of_task,
        writes=-(-np.diff(borders) // min(objects[d], length)),
        first=np.searchsorted(borders, component),
    )


@dataclass
class Stage:
    """All tasks of a stage along each axis, and what its bytes cost."""

    axes: list[Axis]
    item_bytes: int
    decode: float
    encode: float
    read_ratio: float
    write_ratio: float
    again: float  # How often each byte is read.

    def count(self, member: str) -> int:
        """Return the sum over all tasks."""
        return math.prod(int(getattr(axis, member).sum()) for axis in self.axes)

    def seconds(self, places: list[slice]) -> tuple[np.ndarray, np.ndarray]:
        """Return requests' and bytes' seconds of a box of tasks."""

        def outer(member: str) -> np.ndarray:
            product = np.ones(1)
            for axis, place in zip(self.axes, places, strict=True):
                part = getattr(axis, member)[place].astype(float)
                product = np.multiply.outer(product, part).ravel()
            return product

        size = outer("elements") * self.item_bytes
        requests = (outer("reads") + outer("writes")) * LATENCY / IN_FLIGHT
        per_byte = self.again * (self.decode + self.read_ratio / STREAM)
        per_byte += self.encode + self.write_ratio / STREAM
        return requests, size * per_byte

    def network_bytes(self) -> float:
        """Return what crosses the network."""
        size = self.count("elements") * self.item_bytes
        return size * (self.again * self.read_ratio + self.write_ratio)


def stages_of(array: dict) -> list[Stage]:
    """Return the stages of a plan's array, checked against its counts."""
    stages = []
    source = array.get("source_shards", array["source_chunks"])
    target = array.get("target_shards", array["target_chunks"])
    count = len(array["stages"])
    for index, stage in enumerate(array["stages"]):
        first, last = index == 0, index == count - 1
        previous = source if first else array["stages"][index - 1]["chunks"]
        objects = target if last else stage["chunks"]
        size = math.prod(array["shape"]) * array["item_bytes"]
        made = Stage(
            [axis_of(stage, array, previous, objects, d)
             for d in range(len(array["shape"]))],
            array["item_bytes"],
            DECODE if first else 0,
            ENCODE if last else 0,
            RATIO if first else 1,
            RATIO if last else 1,
            stage["bytes_decoded"] / size,
        )  # fmt: skip
        # Two ways to count must agree before either is believed.
        assert made.count("reads") == stage["objects_read"], (array, index)
        assert made.count("writes") == stage["objects_written"], (array, index)
        stages.append(made)
    return stages


def components(stages: list[Stage]) -> list[tuple[int, ...]]:
    """Return the coordinates of all components, in order."""
    counts = [len(axis.first) - 1 for axis in stages[0].axes]
    return list(np.ndindex(*counts))


def boxes(stage: Stage, component: tuple[int, ...]) -> list[slice]:
    """Return the tasks of a component, a slice for each axis."""
    return [
        slice(axis.first[at], axis.first[at + 1])
        for axis, at in zip(stage.axes, component, strict=True)
    ]


def predict(stages: list[Stage], fleet: Fleet) -> float:
    """Return seconds by the model: work shared out, and what ends last.

    Whatever the order of tasks, a stage takes at most its work over the workers
    plus its longest task (Graham, 1966); half of that task is the guess.
    """
    total = 0.0
    for stage in stages:
        everything = [slice(0, len(axis.elements)) for axis in stage.axes]
        requests, moving = stage.seconds(everything)
        tasks = requests + moving
        at_once = min(fleet.workers, len(tasks))
        network = stage.network_bytes() / fleet.network_bytes
        stretch = math.exp(SPREAD * math.sqrt(2 * math.log(at_once)))
        total += (
            max(tasks.sum() / at_once, network) + tasks.mean() * stretch / 2
        )
    return total


def simulate(stages: list[Stage], fleet: Fleet, seed: int = 0) -> float:
    """Return seconds until the last task ends.

    A free worker takes the first task that may run: of the earliest component,
    and there of the latest stage. A stage of a component waits for all tasks of
    the one before it.
    """
    random = np.random.default_rng(seed)
    places = components(stages)
    ready = [(index, 0) for index in range(len(places))]  # (component, -stage)
    waiting: dict[tuple[int, int], list[float]] = {}  # Seconds of tasks.
    left: dict[tuple[int, int], int] = {}  # Tasks that have not ended.
    running: list[tuple[float, int, int]] = []  # (end, component, stage)
    now, idle = 0.0, fleet.workers
    while ready or running:
        while idle and ready:
            component, stage = ready[0][0], -ready[0][1]
            key = (component, stage)
            if key not in waiting:
                tasks = durations(
                    stages[stage], places[component], fleet, random
                )
                waiting[key], left[key] = tasks.tolist(), len(tasks)
            heapq.heappush(running, (now + waiting[key].pop(), *key))
            idle -= 1
            if not waiting[key]:
                heapq.heappop(ready)
        now, *key = heapq.heappop(running)
        idle += 1
        left[tuple(key)] -= 1
        if not left[tuple(key)] and key[1] + 1 < len(stages):
            heapq.heappush(ready, (key[0], -(key[1] + 1)))
    return now


def durations(
    stage: Stage, component: tuple[int, ...], fleet: Fleet,
    random: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Draw the seconds of all tasks of a component."""
    requests, moving = stage.seconds(boxes(stage, component))
    share = fleet.network_bytes / fleet.workers
    if share < STREAM:  # The network, not the thread, limits the transfer.
        size = moving / (
            stage.again * (stage.decode + stage.read_ratio / STREAM)
            + stage.encode + stage.write_ratio / STREAM
        )  # fmt: skip
        crossing = size * (stage.again * stage.read_ratio + stage.write_ratio)
        moving = np.maximum(moving, crossing / share)
    tasks = requests + moving
    noise = random.lognormal(-(SPREAD**2) / 2, SPREAD, len(tasks))
    return tasks * noise


def amount(value: float) -> str:
    """Return a count for people."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g} {unit}"
    return f"{value:.0f}"


def duration(seconds: float) -> str:
    """Return seconds for people."""
    for limit, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= limit:
            return f"{seconds / limit:.3g} {unit}"
    return f"{seconds:.2g} s"


def row(array: Array, fleet: Fleet) -> tuple[str, float, float]:
    """Return a line of the table, and predicted and simulated seconds."""
    made = plan(array, fleet)
    (spec,) = made["arrays"]
    stages = stages_of(spec)
    predicted, simulated = predict(stages, fleet), simulate(stages, fleet)
    gets = sum(stage["objects_read"] for stage in spec["stages"])
    puts = sum(stage["objects_written"] for stage in spec["stages"])
    dollars = gets * GET + puts * PUT
    dollars += simulated / 3600 * fleet.workers * CORE_HOUR
    read = spec["stages"][0]["bytes_decoded"] / (
        math.prod(spec["shape"]) * spec["item_bytes"]
    )
    cells = (
        array.name,
        f"{len(stages)}",
        " + ".join(amount(stage["tasks"]) for stage in spec["stages"]),
        f"{read:.2f}",
        amount(gets),
        amount(puts),
        duration(predicted),
        duration(simulated),
        f"{dollars:,.0f}",
    )
    return "| " + " | ".join(cells) + " |", predicted, simulated


def tables(arrays: tuple[Array, ...] = ARRAYS) -> str:
    """Return a table for each fleet."""
    lines = []
    for fleet in (NODE, WORKERS):
        lines += [
            f"**{fleet.name}**", "",
            "| array | stages | tasks | source read | GET | PUT | predicted "
            "| simulated | US$ |", "|---|---|---|---|---|---|---|---|---|",
        ]  # fmt: skip
        lines += [row(array, fleet)[0] for array in arrays] + [""]
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Print the tables or put them into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    text = tables()
    if not parser.parse_args(arguments).write:
        print(text)
        return
    page = PAGE.read_text()
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{text}{END}{after}")


if __name__ == "__main__":
    main(sys.argv[1:])
