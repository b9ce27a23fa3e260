"""rechunk against the floor, quickly: taking turns, the median of the ratios.

For work on rechunk itself; `bench.py` has everything else. Several binaries
are compared with each other, too: `--binary build/release/rechunk --binary
/tmp/other/rechunk`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path

import measure
from places import (
    Places,
    binary,
    clear,
    default_data,
    fault_of,
    floor_command,
    rechunk_command,
    say,
)
from steady_memory import steady_memory
from workloads import BY_NAME, MEMORIES, Workload

LIMIT_SECONDS = 600


def run(command: list[str], source: Path, target: Path) -> dict:
    """One run; its JSON with wall-clock, CPU seconds and peak added."""
    clear(target)
    measure.warm(source)
    done = measure.run(command, LIMIT_SECONDS)
    if done.exit_code:
        raise SystemExit(f"error: {' '.join(command)}: {done.errors}")
    facts = json.loads(done.output)
    facts["clock_seconds"] = facts["seconds"]
    facts["seconds"] = done.seconds
    facts["cpu_seconds"] = facts.get("cpu_seconds", done.cpu_seconds)
    facts["peak_bytes"] = done.peak_bytes
    return facts


def spread(values: list[float], form: str = ".2f") -> str:
    """Median and extremes."""
    middle = format(statistics.median(values), form)
    return f"{middle} ({min(values):{form}}-{max(values):{form}})"


def compare(
    workload: Workload, memory: str, options: argparse.Namespace
) -> None:
    """Prints a line per binary."""
    memory_bytes = int(workload.memory(memory) * options.memory_factor)
    places = Places(options.data)
    source, _ = places.source(workload)
    finished = places.finished(workload)
    floors: list[dict] = []
    candidates: list[list[dict]] = [[] for _ in options.binary]
    for repetition in range(options.repeat):
        control = places.target(workload, "floor")
        command = floor_command(source, finished, control, options.threads)
        floors.append(run(command, source, control))
        clear(control)
        for program, results in zip(options.binary, candidates, strict=True):
            target = places.target(workload, "candidate")
            command = rechunk_command(
                program, workload, source, target, memory_bytes, options.threads
            )
            results.append(run(command, source, target))
            if repetition == 0 and not options.no_check:
                fault = fault_of(workload, source, target, None)
                if fault:
                    raise SystemExit(f"error: wrong result: {fault}")
            clear(target)
    places.cool(workload)
    clocks = [floor["clock_seconds"] for floor in floors]
    for program, results in zip(options.binary, candidates, strict=True):
        print(line_of(workload, memory_bytes, clocks, results), end="")
        print(f"  {program}" if len(options.binary) > 1 else "", flush=True)


def line_of(
    workload: Workload,
    memory_bytes: int,
    clocks: list[float],
    results: list[dict],
) -> str:
    ratios = [
        result["seconds"] / clock
        for result, clock in zip(results, clocks, strict=True)
    ]
    seconds = [result["seconds"] for result in results]
    cpu_seconds = statistics.median(each["cpu_seconds"] for each in results)
    peak_bytes = max(each["peak_bytes"] for each in results)
    predicted = results[-1].get("predicted_seconds")
    text = f"{workload.name:<7} {memory_bytes / 1e6:5.0f} MB"
    text += f"  ratio {spread(ratios)}  floor {spread(clocks)} s"
    text += f"  rechunk {spread(seconds)} s  cpu {cpu_seconds:.1f} s"
    text += f"  peak {peak_bytes / 1e6:.0f} MB"
    return text + (f"  predicted {predicted:.2f} s" if predicted else "")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--workloads", default="W1,W2n,W2z,W3,W4,W5")
    add("--memory", default="table", help=f"of {', '.join(MEMORIES)}; a list")
    add("--memory-factor", type=float, default=1, help="multiplies it")
    add("--repeat", type=int, default=5)
    add("--threads", type=int, default=2)
    add("--binary", type=Path, action="append", help="may be repeated")
    add("--data", type=Path, default=default_data())
    add("--no-check", action="store_true", help="trust the results")
    options = parser.parse_args()
    options.binary = options.binary or [binary()]
    return options


def main() -> int:
    options = parse_arguments()
    names = options.workloads.split(",")
    for name in names:
        if name not in BY_NAME:
            raise SystemExit(f"error: no workload {name}: {', '.join(BY_NAME)}")
    measure.cool(options.data)
    with steady_memory():
        for workload in (BY_NAME[name] for name in names):
            for memory in options.memory.split(","):
                try:
                    compare(workload, memory, options)
                except SystemExit as failure:
                    say(f"{workload.name} {memory}: {failure}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
