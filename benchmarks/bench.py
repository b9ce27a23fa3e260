"""rechunk, the floor and other tools on the same work, side by side.

Every run is a fresh process, timed and measured from outside, on a warm page
cache, the tools taking turns; every result is checked against its source.
What is measured already is not measured again: stop it and start it as you
like. `--quick` fits a quarter of an hour.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
from dataclasses import replace
from pathlib import Path

import machine
import measure
import tools_table
from environments import ROOT
from passes import FULL, QUICK, Case, Pass, cases
from places import (
    Places,
    binary,
    calibrated_seconds,
    clear,
    default_data,
    fault_of,
    floor_program,
    say,
)
from records import Records
from steady_memory import steady_memory
from tools_table import OURS, Task, Tool
from workloads import BY_NAME, MEMORIES

RESULTS = ROOT / "build" / "bench"


class Bench:
    """One measurement: what it works with, and the loop over its cases."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.places = Places(options.data)
        build = hashlib.sha256(binary().read_bytes())
        build.update(floor_program().read_bytes())
        self.records = Records(
            RESULTS / f"{options.label}.json",
            machine.describe(),
            build.hexdigest()[:16],
        )
        content = self.records.content
        if options.seed is not None or content["random_seed"] is None:
            seed = options.seed or random.SystemRandom().randrange(10**9)
            content["random_seed"] = seed
        say(f"seed of the random workloads: {content['random_seed']}")
        self._tools: dict[str, Tool] = {}

    def tool(self, name: str) -> Tool:
        """The tool, made and described when it is first needed."""
        if name not in self._tools:
            self._tools[name] = tools_table.make(name, binary())
            described = tools_table.describe(self._tools[name])
            self.records.content["tools"][name] = described
            self.records.save()
        return self._tools[name]

    def run_pass(self, chosen: Pass) -> None:
        say(f"== {chosen.name}: {chosen.title}")
        for case in cases(chosen, self.records.content["random_seed"]):
            if chosen.random_count or case.workload.name in self.wanted(chosen):
                self.run_case(chosen, case)
            if chosen.random_count and not self.options.keep:
                self.places.forget(case.workload)

    def wanted(self, chosen: Pass) -> set[str]:
        names = self.options.workloads or chosen.workloads
        return {
            BY_NAME[name].scaled(scale).name
            for name in names
            for scale in chosen.scales
        }

    def run_case(self, chosen: Pass, case: Case) -> None:
        """All tools of a case, taking turns in an order that rotates."""
        names = [
            name
            for name in case.tools
            if not self.options.tools or name in self.options.tools
        ]
        if chosen.name == "memory":  # the others would only run once more
            names = [n for n in names if n in OURS or self.tool(n).bounded]
        todo = self.todo(chosen, case, names)
        if not any(todo):
            return
        source, facts = self.places.source(case.workload)
        self.note(case, facts)
        say(
            f"{case.workload.name} {case.workload.title}, "
            f"{case.memory_bytes / 1e6:.0f} MB, {case.threads} threads"
        )
        for repetition, wanted in enumerate(todo):
            for name in in_turn(wanted, repetition):
                self.run_tool(case, name, repetition, source, facts)
        self.places.cool(case.workload)

    def todo(
        self, chosen: Pass, case: Case, names: list[str]
    ) -> list[list[str]]:
        """Per repetition, the tools that have still to run in it."""
        repeat = self.options.repeat or chosen.repeat
        peers = self.options.peer_repeat or chosen.peer_repeat
        result = []
        for repetition in range(max(repeat, peers)):
            missing = []
            for name in names:
                if repetition >= (repeat if name in OURS else peers):
                    continue
                key = key_of(case, name, repetition)
                if self.options.again or not self.records.has(
                    key, name in OURS
                ):
                    missing.append(name)
            if set(missing) & set(OURS):  # a ratio needs both, side by side
                missing += [n for n in OURS if n in names and n not in missing]
            result.append(missing)
        return result

    def note(self, case: Case, facts: dict) -> None:
        workload = case.workload
        self.records.content["workloads"][workload.name] = {
            "title": workload.title,
            "shape": workload.shape,
            "dtype": workload.dtype,
            "zarr_format": workload.zarr_format,
            "target_format": workload.final_format,
            "source_chunks": workload.source_chunks,
            "source_shards": workload.source_shards,
            "target_chunks": workload.target_chunks,
            "target_shards": workload.target_shards,
            "codec": workload.codec,
            "table_bytes": workload.memory("table"),
            **{key: facts[key] for key in ("raw_bytes", "stored_bytes")},
            "objects": facts["objects"],
            "ratio": facts["ratio"],
        }

    def run_tool(
        self,
        case: Case,
        name: str,
        repetition: int,
        source: Path,
        facts: dict,
    ) -> None:
        """One run; a tool that failed before in this case sits it out."""
        key = key_of(case, name, repetition)
        tool = self.tool(name)
        failure = tool.unsupported(case.workload)
        if repetition and not failure:
            failure = self.records.failure(key)
        if failure:
            self.records.add(key, {"failure": failure})
            return
        task = Task(
            workload=case.workload,
            source=source,
            finished=self.places.finished(case.workload)
            if name == "floor"
            else source,
            target=self.places.target(case.workload, name),
            temporary=self.places.temporary(name),
            memory_bytes=case.memory_bytes,
            threads=case.threads,
        )
        result = self.measure(tool, task, repetition, facts["digest"])
        self.records.add(key, result)
        say(progress_line(key, result))

    def measure(
        self, tool: Tool, task: Task, repetition: int, digest: str
    ) -> dict:
        """A measured and checked run, as it goes into the records."""
        clear(task.temporary)
        clear(task.target)
        measure.warm(task.source)
        command = tool.command(task)
        calibrated = (
            calibrated_seconds(command) if tool.name == "rechunk" else None
        )
        done = measure.run(command, self.options.limit)
        objects, stored_bytes = measure.stored(task.target)
        failure = failure_of(done, self.options.limit)
        if failure is None and tool.checked:
            workload = task.workload
            if tool.writes_format:
                workload = replace(workload, target_format=tool.writes_format)
            fault = fault_of(
                workload,
                task.source,
                task.target,
                digest if repetition == 0 else None,
                repetition,
            )
            failure = fault and f"wrong result: {fault}"
        result = {
            "failure": failure,
            "seconds": done.seconds,
            "cpu_seconds": done.cpu_seconds,
            "peak_bytes": done.peak_bytes,
            "objects": objects,
            "stored_bytes": stored_bytes,
        }
        if failure is None:
            result |= tools_table.own_facts(tool, done.output)
        if calibrated is not None:
            result["calibrated_seconds"] = calibrated
        clear(task.temporary)
        clear(task.target)
        return result


def in_turn(names: list[str], repetition: int) -> list[str]:
    """The order of a repetition: it rotates, but rechunk and the floor, whose
    ratio counts, follow each other."""
    ours = [name for name in names if name in OURS]
    units = [ours] + [[name] for name in names if name not in OURS]
    turn = repetition % len(units)
    step = -1 if repetition % 2 else 1
    return [n for unit in units[turn:] + units[:turn] for n in unit[::step]]


def key_of(case: Case, tool: str, repetition: int) -> dict:
    """What names a run."""
    return {
        "workload": case.workload.name,
        "stamp": case.workload.target_stamp(),
        "memory_bytes": case.memory_bytes,
        "threads": case.threads,
        "tool": tool,
        "repetition": repetition,
    }


def failure_of(done: measure.Measurement, limit_seconds: float) -> str | None:
    if done.timed_out:
        return f"over {limit_seconds:g} s"
    if done.exit_code:
        lines = done.errors.strip().splitlines() or [""]
        return f"exit {done.exit_code}: {lines[-1][:200]}"
    return None


def progress_line(key: dict, run: dict) -> str:
    """One finished run, for whoever waits."""
    seconds = run.get("clock", run)["seconds"]
    text = f"  {key['tool']:<18} {seconds:7.2f} s"
    text += f" {run['peak_bytes'] / 1e6:7.0f} MB"
    return text + (f"  {run['failure']}" if run["failure"] else "")


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
    add = parser.add_argument
    every = tuple(each.name for each in FULL)
    add("--quick", action="store_true", help="a part of it, in 15 minutes")
    add("--passes", type=names(every), default=list(every))
    add("--workloads", type=names(tuple(BY_NAME)), help="only these")
    add("--tools", type=names(tools_table.NAMES), help="only these")
    add(
        "--memory",
        type=names((*MEMORIES, "1/16")),
        help="in place of a pass's own",
    )
    add("--repeat", type=int, help="runs of rechunk and the floor")
    add("--peer-repeat", type=int, help="runs of the others")
    add("--limit", type=float, default=120, help="seconds for one run")
    add("--seed", type=int, help="of the random workloads")
    add("--again", action="store_true", help="also what is measured already")
    add("--keep", action="store_true", help="the data of random workloads")
    add("--label", help="names the results (default: the commit)")
    add("--data", type=Path, default=default_data())
    options = parser.parse_args()
    options.label = options.label or (
        machine.commit() + ("-quick" if options.quick else "")
    )
    return options


def main() -> int:
    options = parse_arguments()
    bench = Bench(options)
    measure.cool(options.data)
    with steady_memory():
        for chosen in QUICK if options.quick else FULL:
            if chosen.name in options.passes:
                if options.memory:
                    chosen = replace(chosen, memories=tuple(options.memory))
                bench.run_pass(chosen)
    say(f"results: {bench.records.path}")
    own = [r for r in bench.records.content["runs"] if r["tool"] in OURS]
    return 1 if any(run["failure"] for run in own) else 0


if __name__ == "__main__":
    sys.exit(main())
