"""The tools that are compared, and how each is started."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import measure
from environments import HERE, ROOT, prepare
from workloads import Workload


@dataclass(frozen=True)
class Task:
    """One copy that a tool is asked for. Memory counts bytes."""

    workload: Workload
    source: Path
    target: Path
    temporary: Path
    memory_bytes: int
    threads: int


@dataclass(frozen=True)
class Tool:
    """How to start one tool. `bare` starts it and does nothing.

    What an interpreter with its imports needs is measured with `bare`; it is
    not held against a tool that runs in one.
    """

    name: str
    interpreted: bool
    bare: list[str]
    command: Callable[[Task], list[str]]
    unsupported: Callable[[Workload], str | None]


def _list(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def _rechunk(binary: Path) -> Tool:
    def command(task: Task) -> list[str]:
        workload = task.workload
        line = [str(binary), "run", str(task.source), str(task.target)]
        line += ["--chunks", _list(workload.target_chunks)]
        if workload.target_shards:
            line += ["--shards", _list(workload.target_shards)]
        line += ["--max-memory", str(task.memory_bytes)]
        line += ["--threads", str(task.threads), "--json", "--overwrite"]
        return line

    return Tool(
        name="rechunk",
        interpreted=False,
        bare=[str(binary), "--version"],
        command=command,
        unsupported=lambda workload: None,
    )


def _executor(name: str) -> Tool:
    """One of our executors in Python, from the environment of `make python`."""
    return _in_python(
        f"rechunk-{name}",
        [
            str(ROOT / ".venv/bin/python"),
            str(HERE / "tools/run_executor.py"),
            name,
        ],
        lambda workload: None,
    )


def _peer(
    name: str, unsupported: Callable[[Workload], str | None] | None = None
) -> Tool:
    start = [str(prepare(name)), str(HERE / "tools" / f"run_{name}.py")]
    return _in_python(name, start, unsupported or (lambda workload: None))


def _in_python(
    name: str, start: list[str], unsupported: Callable[[Workload], str | None]
) -> Tool:
    def command(task: Task) -> list[str]:
        job = {
            "source": str(task.source),
            "target": str(task.target),
            "temporary": str(task.temporary),
            "chunks": task.workload.target_chunks,
            "shards": task.workload.target_shards,
            "memory_bytes": task.memory_bytes,
            "threads": task.threads,
        }
        return [*start, json.dumps(job)]

    return Tool(
        name=name,
        interpreted=True,
        bare=[*start, "--bare"],
        command=command,
        unsupported=unsupported,
    )


def _needs_v2(workload: Workload) -> str | None:
    return "no Zarr v3" if workload.zarr_format == 3 else None


EXECUTORS = ("rechunk-threads", "rechunk-dask")
PEERS = ("rechunk", "rechunker", "dask", "tensorstore")
NAMES = PEERS + EXECUTORS


def make(name: str, binary: Path) -> Tool:
    """The tool of that name, its environment made if it is missing."""
    if name == "rechunk":
        return _rechunk(binary)
    if name in EXECUTORS:
        return _executor(name.removeprefix("rechunk-"))
    return _peer(name, _needs_v2 if name == "rechunker" else None)


def version(tool: Tool, output: str) -> str:
    """The version that a bare run printed."""
    text = output.strip()
    if tool.interpreted:
        return json.loads(text)["version"]
    return text.split()[-1] if text else "unknown"


def counts(tool: Tool, output: str) -> dict | None:
    """What rechunk counted, summed over its stages; None for the others."""
    if tool.interpreted:
        return None
    run = json.loads(output)
    keys = ("objects_read", "bytes_decoded", "objects_written")
    total = dict.fromkeys((*keys, "bytes_encoded"), 0)
    stages = [stage for array in run["arrays"] for stage in array["stages"]]
    for stage in stages:
        counted = stage.get("counted", stage)
        for key in total:
            total[key] += counted.get(key, 0)
    methods = [array["method"] for array in run["arrays"]]
    return total | {"stages": len(stages), "methods": methods}


def bare_run(tool: Tool) -> measure.Measurement:
    """The cheaper of two starts, the first of which fills the caches."""
    measure.run(tool.bare, 60)
    done = measure.run(tool.bare, 60)
    if done.exit_code:
        raise SystemExit(f"error: starting {tool.name}: {done.errors}")
    return done
