"""What the runs of a measurement say: medians, ratios, limits. Pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

# What a process may hold beyond the memory it was given.
OVERHEAD_BYTES = 32 << 20


@dataclass(frozen=True)
class Spread:
    """Median and extremes of some runs."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(values: list[float]) -> Spread:
        return Spread(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Figures:
    """What one tool needed for one case; `ratio` is to the floor."""

    tool: str
    failure: str | None
    runs: int = 0
    seconds: Spread | None = None
    ratio: Spread | None = None
    cpu_seconds: float = 0
    peak_bytes: int = 0
    over_limit: bool = False
    objects: int = 0
    stored_bytes: int = 0
    amplification: float | None = None  # decoded bytes in arrays
    predicted_seconds: float | None = None
    calibrated_seconds: float | None = None  # predicted with --calibrate on
    methods: tuple[str, ...] = ()
    stages: int = 0
    day: str = "-"  # of the last run


@dataclass(frozen=True)
class CaseFigures:
    """One case and what each tool needed for it."""

    workload: str
    memory_bytes: int
    threads: int
    tools: dict[str, Figures]

    def seconds(self, tool: str) -> float | None:
        figures = self.tools.get(tool)
        return figures.seconds.median if figures and figures.seconds else None


def is_own(content: dict, case: CaseFigures) -> bool:
    """A workload of full size at its own memory, on two threads."""
    own = (content["workloads"][case.workload]["table_bytes"], 2)
    is_scaled = "x" in case.workload
    return (case.memory_bytes, case.threads) == own and not is_scaled


def start_bytes(content: dict, tool: str) -> int:
    """What the bare interpreter of a tool holds; of other tools nothing."""
    facts = content["tools"].get(tool, {})
    return facts["bare_bytes"] if facts.get("interpreted") else 0


def _seconds(run: dict, tool: dict) -> float:
    """Wall clock; without what starting an interpreter takes."""
    if "clock" in run:
        return run["clock"]["seconds"]
    start = tool["bare_seconds"] if tool.get("interpreted") else 0
    return max(run["seconds"] - start, 1e-3)


def _median_of(runs: list[dict], key: str) -> float | None:
    values = [run[key] for run in runs if key in run]
    return statistics.median(values) if values else None


def _figures(
    name: str, runs: list[dict], content: dict, floors: dict[int, float]
) -> Figures:
    tool = content["tools"].get(name, {})
    failures = [run["failure"] for run in runs if run["failure"]]
    right = [run for run in runs if not run["failure"]]
    if not right:
        return Figures(name, failures[0] if failures else "not run")
    seconds = [_seconds(run, tool) for run in right]
    ratios = [
        value / floors[run["repetition"]]
        for run, value in zip(right, seconds, strict=True)
        if run["repetition"] in floors
    ]
    last, peak = right[-1], max(run["peak_bytes"] for run in right)
    allowed = last["memory_bytes"] + start_bytes(content, name) + OVERHEAD_BYTES
    raw_bytes = content["workloads"][last["workload"]]["raw_bytes"]
    counts = last.get("counts")
    return Figures(
        tool=name,
        failure=failures[0] if failures else None,
        runs=len(right),
        seconds=Spread.of(seconds),
        ratio=Spread.of(ratios) if ratios else None,
        cpu_seconds=statistics.median(
            run.get("clock", run)["cpu_seconds"] for run in right
        ),
        peak_bytes=peak,
        over_limit=name != "floor" and peak > allowed,
        objects=last["objects"],
        stored_bytes=last["stored_bytes"],
        amplification=counts["bytes_decoded"] / raw_bytes if counts else None,
        predicted_seconds=last.get("predicted_seconds"),
        calibrated_seconds=_median_of(right, "calibrated_seconds"),
        methods=tuple(last.get("methods", ())),
        stages=last.get("stages", 0),
        day=last.get("day", "-"),
    )


def summarise(content: dict) -> list[CaseFigures]:
    """Every case that has runs, in the order in which they came."""
    grouped: dict[tuple, dict[str, list[dict]]] = {}
    for run in content["runs"]:
        key = (run["workload"], run["memory_bytes"], run["threads"])
        grouped.setdefault(key, {}).setdefault(run["tool"], []).append(run)
    result = []
    for (workload, memory_bytes, threads), tools in grouped.items():
        floors = {
            run["repetition"]: run["clock"]["seconds"]
            for run in tools.get("floor", [])
            if not run["failure"]
        }
        figures = {
            name: _figures(name, runs, content, floors)
            for name, runs in tools.items()
        }
        case = CaseFigures(workload, memory_bytes, threads, figures)
        result.append(case)
    return result
