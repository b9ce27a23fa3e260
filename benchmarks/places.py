"""Where sources, finished targets and results of runs lie, and making them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import measure
from empty_folders import next_folder
from environments import HERE, ROOT, prepare
from workloads import Workload, to_json


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def binary() -> Path:
    """The command that is measured: RECHUNK_BINARY, or the release build."""
    path = ROOT / os.environ.get("RECHUNK_BINARY", "build/release/rechunk")
    if not path.exists():
        raise SystemExit(f"error: there is no {path}: build it first")
    return path


def in_check_environment(script: str, *arguments: str) -> str:
    """Runs one of the scripts that need zarr-python; returns its output."""
    command = [prepare("check"), HERE / script, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"error: {script} failed")
    return done.stdout


def rechunk_command(
    program: Path,
    workload: Workload,
    source: Path,
    target: Path,
    memory_bytes: int,
    threads: int,
) -> list[str]:
    """The command line that does a workload with rechunk itself."""

    def numbers(shape: tuple[int, ...]) -> str:
        return ",".join(map(str, shape))

    line = [str(program), "run", str(source), str(target)]
    line += ["--chunks", numbers(workload.target_chunks)]
    if workload.target_shards:
        line += ["--shards", numbers(workload.target_shards)]
    elif workload.source_shards:
        line += ["--shards", "none"]
    if workload.target_format:
        line += ["--zarr-format", str(workload.target_format)]
    line += ["--max-memory", str(memory_bytes)]
    # The same plan every time.
    line += ["--threads", str(threads), "--calibrate", "off"]
    return [*line, "--json", "--overwrite"]


def calibrated_seconds(command: list[str]) -> float | None:
    """What a plan predicts that measures this machine, for a run's command."""
    line = [part for part in command if part != "--overwrite"]
    line[line.index("run")] = "plan"
    line[line.index("--calibrate") + 1] = "on"
    done = subprocess.run(line, capture_output=True)
    return (
        None
        if done.returncode
        else json.loads(done.stdout)["predicted_seconds"]
    )


def floor_program() -> Path:
    path = ROOT / "build/release/benchmarks/rechunk_floor"
    if not path.exists():
        raise SystemExit(f"error: there is no {path}: build it first")
    return path


def floor_command(
    source: Path, finished: Path, output: Path, threads: int
) -> list[str]:
    line = [str(floor_program()), str(source), str(finished), str(output)]
    return [*line, "--threads", str(threads)]


def clear(path: Path) -> None:
    """Removes what a run left and lets the disk settle."""
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.sync()


def fault_of(
    workload: Workload, source: Path, target: Path, digest: str | None, seed=0
) -> str | None:
    """What is wrong with a result, if anything; all of it with a digest."""
    job = {"workload": to_json(workload), "digest": digest, "seed": seed}
    output = in_check_environment(
        "check.py", str(source), str(target), json.dumps(job)
    )
    return json.loads(output)["fault"]


@dataclass(frozen=True)
class Places:
    """The folder that holds all data; worktrees may share one."""

    data: Path

    def stores(self, workload: Workload) -> tuple[Path, Path]:
        """Where its source and its finished target are, or would be."""
        name = f"{workload.name}.zarr"
        return self.data / "sources" / name, self.data / "finished" / name

    def source(self, workload: Workload) -> tuple[Path, dict]:
        """The source store and the facts of its stamp, made if missing."""
        store, _ = self.stores(workload)
        facts = _facts(store, workload.stamp())
        if facts is None:
            say(f"{workload.name}: making {workload.raw_bytes / 1e6:.0f} MB")
            stamp_file = store.with_suffix(".json")
            in_check_environment(
                "make_data.py", to_json(workload), str(store), str(stamp_file)
            )
            facts = json.loads(stamp_file.read_text())
        return store, facts

    def finished(self, workload: Workload) -> Path:
        """A target that is right to the last bit, made if missing."""
        _, store = self.stores(workload)
        stamp = workload.target_stamp()
        if _facts(store, stamp) is None:
            say(f"{workload.name}: making a target for the floor")
            self._make_finished(workload, store)
            text = json.dumps({"stamp": stamp})
            store.with_suffix(".json").write_text(text + "\n")
        return store

    def _make_finished(self, workload: Workload, store: Path) -> None:
        source, facts = self.source(workload)
        shutil.rmtree(store, ignore_errors=True)
        store.parent.mkdir(parents=True, exist_ok=True)
        memory_bytes = max(workload.raw_bytes // 4, 512 << 20)
        command = rechunk_command(
            binary(), workload, source, store, memory_bytes, 2
        )
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        fault = fault_of(workload, source, store, facts["digest"])
        if fault:
            raise SystemExit(
                f"error: {workload.name}: {store} is wrong: {fault}"
            )

    def forget(self, workload: Workload) -> None:
        """Removes what was made for a workload."""
        for store in self.stores(workload):
            shutil.rmtree(store, ignore_errors=True)
            store.with_suffix(".json").unlink(missing_ok=True)

    def cool(self, workload: Workload) -> None:
        """Drops what was made for a workload from the page cache."""
        for store in self.stores(workload):
            measure.cool(store)

    def target(self, workload: Workload, tool: str) -> Path:
        """Where nothing is: another place each time."""
        name = f"{workload.name}-{tool}-{os.getpid()}.zarr"
        return next_folder(self.data / "targets") / name

    def temporary(self, tool: str) -> Path:
        name = f"temporary-{tool}-{os.getpid()}"
        return next_folder(self.data / "targets") / name


def _facts(store: Path, stamp: str) -> dict | None:
    """The facts beside a store; None if it is missing or of another stamp."""
    stamp_file = store.with_suffix(".json")
    if not stamp_file.exists():
        return None
    facts = json.loads(stamp_file.read_text())
    if facts["stamp"] == stamp:
        return facts
    stamp_file.unlink()
    return None


def default_data() -> Path:
    return Path(os.environ.get("RECHUNK_BENCH_DATA", HERE / "data"))
