"""The tools that are compared, and how each is started."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import measure
from environments import HERE, ROOT, prepare, prepare_crate
from places import floor_command, rechunk_command
from workloads import Workload


@dataclass(frozen=True)
class Task:
    """One copy that a tool is asked for. Memory counts bytes."""

    workload: Workload
    source: Path
    finished: Path  # a target that is right, for the floor
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
    unsupported: Callable[[Workload], str | None] = lambda workload: None
    bounded: bool = True  # takes the memory as a limit, or tries to
    checked: bool = True  # its target is a copy of the source
    writes_format: int | None = None  # whatever was asked for


def _rechunk(binary: Path) -> Tool:
    def command(task: Task) -> list[str]:
        return rechunk_command(
            binary,
            task.workload,
            task.source,
            task.target,
            task.memory_bytes,
            task.threads,
        )

    return Tool("rechunk", False, [str(binary), "--version"], command)


def _rechunk_with_zstd(binary: Path, folder: Path) -> Tool:
    """rechunk on the libzstd of a folder, as peers bring newer ones."""
    plain = _rechunk(binary)
    library = (folder / "libzstd.so.1").resolve(strict=True).name

    def command(task: Task) -> list[str]:
        return ["env", f"LD_LIBRARY_PATH={folder}", *plain.command(task)]

    def unsupported(workload: Workload) -> str | None:
        codec = workload.codec or {}
        return None if "zstd" in codec.values() else "no zstd"

    return Tool(NEWER_ZSTD, False, ["echo", library], command, unsupported)


def _floor() -> Tool:
    def command(task: Task) -> list[str]:
        return floor_command(
            task.source, task.finished, task.target, task.threads
        )

    return Tool("floor", False, [], command, bounded=False, checked=False)


def _in_python(
    name: str,
    start: list[str],
    unsupported: Callable[[Workload], str | None],
    bounded: bool = True,
) -> Tool:
    def command(task: Task) -> list[str]:
        job = {
            "source": str(task.source),
            "target": str(task.target),
            "temporary": str(task.temporary),
            "chunks": task.workload.target_chunks,
            "shards": task.workload.target_shards,
            "codec": task.workload.codec,
            "zarr_format": task.workload.final_format,
            "memory_bytes": task.memory_bytes,
            "threads": task.threads,
        }
        return [*start, json.dumps(job)]

    bare = [*start, "--bare"]
    return Tool(name, True, bare, command, unsupported, bounded)


def _zarrs_reencode() -> Tool:
    """Writes Zarr v3 only: then the same chunks and codec, in that format."""
    program = prepare_crate("zarrs_reencode")

    def command(task: Task) -> list[str]:
        workload = task.workload
        line = [str(program), str(task.source), str(task.target)]
        line += ["--chunk-shape", _list(workload.target_chunks)]
        if workload.target_shards:
            line += ["--shard-shape", _list(workload.target_shards)]
        elif workload.source_shards:
            line += ["--ignore-input-sharding"]
        codecs = _codecs_v3(workload)
        line += ["--bytes-to-bytes-codecs", json.dumps(codecs)]
        line += ["--cache-size", str(task.memory_bytes // 2)]
        return [*line, "--concurrent-chunks", str(task.threads)]

    bare = [str(program), "--version"]
    return Tool("zarrs_reencode", False, bare, command, writes_format=3)


def _codecs_v3(workload: Workload) -> list[dict]:
    codec = workload.codec
    if codec is None:
        return []
    if codec["id"] == "zstd":
        configuration = {"level": codec["level"], "checksum": False}
    else:
        configuration = {
            "cname": codec["cname"],
            "clevel": codec["clevel"],
            "shuffle": ("noshuffle", "shuffle", "bitshuffle")[codec["shuffle"]],
            "typesize": int(workload.dtype[2:]),
            "blocksize": 0,
        }
    return [{"name": codec["id"], "configuration": configuration}]


def _list(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def _needs_v2(workload: Workload) -> str | None:
    formats = {workload.zarr_format, workload.final_format}
    return "no Zarr v3" if 3 in formats else None


def _anything(workload: Workload) -> str | None:
    return None


# Name: environment, script, arguments, what it cannot do, whether bounded.
_PYTHON_TOOLS = {
    "rechunker": ("rechunker", "rechunker", [], _needs_v2, True),
    "rechunker-threads": (
        "rechunker",
        "rechunker",
        ["dask-threads"],
        _needs_v2,
        True,
    ),
    "rechunker-dask": ("rechunker", "rechunker", ["dask"], _needs_v2, True),
    "dask": ("dask", "dask", ["tasks"], _anything, False),
    "dask-p2p": ("dask", "dask", ["p2p"], _anything, False),
    "cubed": ("cubed", "cubed", [], _anything, True),
    "tensorstore": ("tensorstore", "tensorstore", ["blocks"], _anything, True),
    "tensorstore-whole": (
        "tensorstore",
        "tensorstore",
        ["whole"],
        _anything,
        False,
    ),
    "zarr-python": ("zarr", "zarr", [], _anything, True),
    "rechunkit": ("rechunkit", "rechunkit", [], _anything, True),
}
OURS = ("floor", "rechunk")
# On an engine, which is there before their clocks start.
EXECUTORS = ("rechunk-threads", "rechunk-dask")
# Takes part where RECHUNK_BENCH_ZSTD is the folder of a newer libzstd.so.1.
NEWER_ZSTD = "rechunk-newer-zstd"
ZSTD_FOLDER = os.environ.get("RECHUNK_BENCH_ZSTD")
VARIANTS = (NEWER_ZSTD,) if ZSTD_FOLDER else ()
ON_ENGINES = (*EXECUTORS, "rechunker-threads", "rechunker-dask")
PEERS = (
    *(name for name in _PYTHON_TOOLS if name not in ON_ENGINES),
    "zarrs_reencode",
)
NAMES = OURS + VARIANTS + PEERS + ON_ENGINES
NO_PEERS = (*OURS, NEWER_ZSTD, *ON_ENGINES)


def make(name: str, binary: Path) -> Tool:
    """The tool of that name, its environment made if it is missing."""
    if name == "rechunk":
        return _rechunk(binary)
    if name == NEWER_ZSTD:
        return _rechunk_with_zstd(binary, Path(ZSTD_FOLDER))
    if name == "floor":
        return _floor()
    if name == "zarrs_reencode":
        return _zarrs_reencode()
    if name in EXECUTORS:  # of our Python package, as `make python` leaves it
        python = str(ROOT / ".venv/bin/python")
        script = str(HERE / "tools/run_executor.py")
        engine = name.removeprefix("rechunk-")
        return _in_python(name, [python, script, engine], _anything)
    environment, script, arguments, unsupported, bounded = _PYTHON_TOOLS[name]
    start = [str(prepare(environment))]
    start += [str(HERE / "tools" / f"run_{script}.py"), *arguments]
    return _in_python(name, start, unsupported, bounded)


def describe(tool: Tool) -> dict:
    """Version of a tool, and what starting it takes."""
    facts = {"interpreted": tool.interpreted, "bounded": tool.bounded}
    if not tool.bare:
        return facts | {"version": "", "bare_seconds": 0, "bare_bytes": 0}
    starts = [measure.run(tool.bare, 120) for _ in range(5)]
    bare = sorted(starts, key=lambda each: each.seconds)[2]
    if bare.exit_code:
        raise SystemExit(f"error: starting {tool.name}: {bare.errors}")
    text = bare.output.strip()
    version = (
        json.loads(text)["version"]
        if tool.interpreted
        else text.split()[-1].strip("()")
    )
    return facts | {
        "version": version,
        "bare_seconds": bare.seconds,
        "bare_bytes": bare.peak_bytes,
    }


def own_facts(tool: Tool, output: str) -> dict:
    """What a tool tells of a run; nothing from most peers."""
    if tool.name == "floor":
        return {"clock": json.loads(output)}
    if tool.name in ON_ENGINES:
        return json.loads(output.splitlines()[-1])
    if tool.name not in ("rechunk", NEWER_ZSTD):
        return {}
    run = json.loads(output)
    keys = ("objects_read", "bytes_decoded", "objects_written", "bytes_encoded")
    stages = [stage for array in run["arrays"] for stage in array["stages"]]
    counted = {
        key: sum(stage.get("counted", stage).get(key, 0) for stage in stages)
        for key in keys
    }
    return {
        "counts": counted,
        "stages": len(stages),
        "methods": [array["method"] for array in run["arrays"]],
        "predicted_seconds": run.get("predicted_seconds"),
    }
