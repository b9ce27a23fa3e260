"""Compares rechunk with other tools on the workloads, side by side.

Every run is a fresh process, timed and measured from outside, on a warm page
cache, the tools taking turns; every result is checked against its source.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import machine
import measure
import report
import tools_table
from environments import HERE, ROOT, prepare
from tools_table import Task, Tool
from workloads import WORKLOADS, Workload

DATA = HERE / "data"
RESULTS = HERE / "results"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def in_check_environment(script: str, *arguments: str) -> str:
    """Runs one of the scripts that need zarr-python; returns its output."""
    command = [prepare("check"), HERE / script, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"error: {script} {arguments[0]} failed")
    return done.stdout


def source_of(workload: Workload) -> tuple[Path, dict]:
    """The source store and the facts of its stamp, made if missing."""
    store = DATA / "sources" / f"{workload.name}.zarr"
    stamp_file = store.with_suffix(".json")
    if stamp_file.exists():
        facts = json.loads(stamp_file.read_text())
        if facts["stamp"] == workload.stamp():
            return store, facts
        stamp_file.unlink()
    say(f"{workload.name}: making {workload.raw_bytes / 1e6:.0f} MB of data")
    in_check_environment(
        "make_data.py", workload.name, str(store), str(stamp_file)
    )
    return store, json.loads(stamp_file.read_text())


def clear(task: Task) -> None:
    """Removes what a run left and lets the disk settle."""
    for path in (task.target, task.temporary):
        shutil.rmtree(path, ignore_errors=True)
    task.target.parent.mkdir(parents=True, exist_ok=True)
    os.sync()


def check(task: Task, digest: str, full: bool, seed: int) -> str | None:
    """What is wrong with a result, if anything."""
    job = {
        "chunks": task.workload.target_chunks,
        "shards": task.workload.target_shards,
        "digest": digest,
        "full": full,
        "seed": seed,
    }
    paths = (str(task.source), str(task.target))
    output = in_check_environment("check.py", *paths, json.dumps(job))
    return json.loads(output)["fault"]


def failure_of(done: measure.Measurement, limit_seconds: float) -> str | None:
    if done.timed_out:
        return f"over {limit_seconds:g} s"
    if done.exit_code:
        lines = done.errors.strip().splitlines() or [""]
        return f"exit {done.exit_code}: {lines[-1][:200]}"
    return None


def run_once(
    tool: Tool, task: Task, digest: str, repetition: int, limit_seconds: float
) -> dict:
    """One measured and checked run, as it goes into the results."""
    clear(task)
    measure.warm(task.source)
    done = measure.run(tool.command(task), limit_seconds)
    failure = failure_of(done, limit_seconds)
    objects, stored_bytes = measure.stored(task.target)
    if failure is None:
        failure = check(task, digest, repetition == 0, repetition)
        failure = failure and f"wrong result: {failure}"
    result = {
        "tool": tool.name,
        "repetition": repetition,
        "failure": failure,
        "seconds": done.seconds,
        "cpu_seconds": done.cpu_seconds,
        "peak_bytes": done.peak_bytes,
        "objects": objects,
        "stored_bytes": stored_bytes,
        "counts": None if failure else tools_table.counts(tool, done.output),
    }
    clear(task)
    return result


def run_workload(
    workload: Workload, tools: list[Tool], options: argparse.Namespace
) -> dict:
    """Every tool, `repeat` times, taking turns; a tool that fails stops."""
    source, facts = source_of(workload)
    memory_bytes = int(workload.memory_bytes * options.budget_factor)
    say(
        f"{workload.name} {workload.title}: {facts['raw_bytes'] / 1e6:.0f} MB "
        f"in {facts['objects']} objects, ratio {facts['ratio']}, "
        f"memory {memory_bytes / 1e6:.0f} MB"
    )
    runs: list[dict] = []
    out = {tool.name: tool.unsupported(workload) for tool in tools}
    for repetition in range(options.repeat):
        turn = repetition % len(tools)
        for tool in tools[turn:] + tools[:turn]:
            if out[tool.name]:
                continue
            task = Task(
                workload=workload,
                source=source,
                target=DATA / "targets" / f"{workload.name}-{tool.name}.zarr",
                temporary=DATA / "targets" / f"temporary-{tool.name}.zarr",
                memory_bytes=memory_bytes,
                threads=options.threads,
            )
            run = run_once(
                tool, task, facts["digest"], repetition, options.limit
            )
            runs.append(run)
            out[tool.name] = run["failure"]
            say(report.progress_line(workload.name, run))
    return {
        "name": workload.name,
        "title": workload.title,
        "memory_bytes": memory_bytes,
        "source": facts,
        "failures": {name: why for name, why in out.items() if why},
        "runs": runs,
    }


def describe_tools(tools: list[Tool]) -> dict:
    """Version of each tool, and what starting it takes."""
    described = {}
    for tool in tools:
        bare = tools_table.bare_run(tool)
        described[tool.name] = {
            "version": tools_table.version(tool, bare.output),
            "interpreted": tool.interpreted,
            "bare_seconds": bare.seconds,
            "bare_bytes": bare.peak_bytes,
        }
    return described


def names(known: tuple[str, ...]):
    """A parser of a comma-separated choice of names."""

    def parse(text: str) -> list[str]:
        chosen = text.split(",")
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(
                    f"{name!r} is none of {', '.join(known)}"
                )
        return chosen

    return parse


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    every = tuple(workload.name for workload in WORKLOADS)
    add = parser.add_argument
    add("--workloads", type=names(every), default=list(every))
    add(
        "--tools",
        type=names(tools_table.NAMES),
        default=list(tools_table.PEERS),
    )
    add("--repeat", type=int, default=3, help="runs of each tool")
    add("--threads", type=int, default=2)
    add("--limit", type=float, default=120, help="seconds for one run")
    add(
        "--budget-factor",
        type=float,
        default=1,
        help="multiplies the memory of every workload",
    )
    options = parser.parse_args()
    if options.repeat < 1 or options.threads < 1 or options.budget_factor <= 0:
        parser.error("--repeat, --threads, --budget-factor must be positive")
    return options


def save(results: dict) -> None:
    """Writes both forms, after every workload: a stop loses little."""
    RESULTS.mkdir(exist_ok=True)
    name = f"{results['date'][:10]}-{results['machine']['commit']}.json"
    (RESULTS / name).write_text(json.dumps(results, indent=1) + "\n")
    (RESULTS / "latest.md").write_text(report.markdown(results))


def main() -> int:
    options = parse_arguments()
    binary = ROOT / os.environ.get("RECHUNK_BINARY", "build/release/rechunk")
    if "rechunk" in options.tools and not binary.exists():
        raise SystemExit(f"error: there is no {binary}: build it first")
    tools = [tools_table.make(name, binary) for name in options.tools]
    results = {
        "version": 1,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "options": vars(options),
        "tools": describe_tools(tools),
        "workloads": [],
    }
    for workload in WORKLOADS:
        if workload.name in options.workloads:
            done = run_workload(workload, tools, options)
            done["summary"] = report.summarise(done, results["tools"])
            results["workloads"].append(done)
            save(results)
    print(report.markdown(results))
    broken = [each["failures"].get("rechunk") for each in results["workloads"]]
    return 1 if any(broken) else 0


if __name__ == "__main__":
    sys.exit(main())
