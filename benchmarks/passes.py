"""What a whole measurement consists of: passes of cases.

A case is a workload, its memory and a number of threads. Each pass can be run
alone, stopped and continued; their results add up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import random_workloads
from tools_table import ON_ENGINES, OURS, PEERS, VARIANTS
from workloads import BY_NAME, MEMORIES, Workload

TABLE = ("W1", "W2n", "W2z", "W3", "W4", "W5")
RANDOM_COUNT = 10


@dataclass(frozen=True)
class Pass:
    """Cases, the tools that take turns in them, and how often."""

    name: str
    title: str
    workloads: tuple[str, ...] = ()
    memories: tuple[str, ...] = ("table",)
    threads: tuple[int, ...] = (2,)
    scales: tuple[str, ...] = ("1",)  # of the length of the first axis
    tools: tuple[str, ...] = OURS + VARIANTS + PEERS
    repeat: int = 5  # of rechunk and the floor
    peer_repeat: int = 3
    random_count: int = 0


@dataclass(frozen=True)
class Case:
    workload: Workload
    memory: str
    threads: int
    tools: tuple[str, ...] = field(default=())

    @property
    def memory_bytes(self) -> int:
        return self.workload.memory(self.memory)


FULL = (
    Pass("peers", "every tool at the memory of the table", tuple(BY_NAME)),
    Pass(
        "memory",
        "less and more memory",
        tuple(BY_NAME),
        memories=MEMORIES[1:],
        repeat=5,
        peer_repeat=1,
    ),
    Pass(
        "threads",
        "numbers of threads",
        TABLE,
        threads=(1, 2, 4, 8),
        tools=OURS,
        repeat=3,
    ),
    Pass(
        "sizes",
        "longer and shorter arrays",
        ("W1", "W2z", "W3"),
        scales=("1/8", "1/4", "1/2", "1"),
        tools=(*OURS, "tensorstore", "dask"),
        repeat=3,
        peer_repeat=1,
    ),
    Pass(
        "executors",
        "from Python, beside the command and rechunker on the same engine",
        ("W1", "W3"),
        memories=("table", "1/16"),  # rechunker stages W3 at the second only
        tools=("rechunk", *ON_ENGINES),
        repeat=5,
        peer_repeat=5,
    ),
    Pass("random", "drawn at random", random_count=RANDOM_COUNT, repeat=3,
         peer_repeat=1),
)  # fmt: skip
QUICK = (
    Pass(
        "peers",
        "some tools at the memory of the table",
        TABLE,
        tools=(*OURS, "rechunker", "dask", "tensorstore"),
        repeat=3,
        peer_repeat=1,
    ),
    Pass("random", "drawn at random", tools=OURS, random_count=2, repeat=1),
)


def cases(chosen: Pass, seed: int) -> Iterator[Case]:
    """All cases of a pass; the memory-blind run at one memory only."""
    for name in chosen.workloads:
        for scale in chosen.scales:
            workload = BY_NAME[name].scaled(scale)
            for memory in chosen.memories:
                for threads in chosen.threads:
                    yield Case(workload, memory, threads, chosen.tools)
    for number in range(chosen.random_count):
        workload = random_workloads.draw(seed, number)
        yield Case(workload, "table", chosen.threads[0], chosen.tools)
