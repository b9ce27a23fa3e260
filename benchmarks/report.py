"""Results as summaries and as a Markdown table. Pure: no I/O, no clock."""

from __future__ import annotations

import statistics

# What a process may hold beyond the memory it was given.
OVERHEAD_BYTES = 64 << 20

_HEADER = (
    "| workload | tool | seconds | spread | x rechunk | peak MB (limit) "
    "| CPU s | objects | MB stored | read | result |",
    "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|",
)
_NOTES = """\
Seconds: median wall clock; for tools that run in a Python interpreter, what
starting it and importing the tool takes is taken off. Spread: fastest and
slowest run. x rechunk: how many times as long as rechunk. Peak: largest
resident memory of any run; **over** where it exceeds the limit by more than
64 MiB (for tools in a Python interpreter, not counting what the bare
interpreter with the tool imported holds). Read: bytes that rechunk decoded,
in multiples of the array, intermediates included. Result: checked bit for
bit against the source.
"""


def _mb(size_bytes: float) -> str:
    return f"{size_bytes / 1e6:.0f}"


def progress_line(workload: str, run: dict) -> str:
    """One finished run, for whoever waits."""
    text = f"{workload} {run['tool']:<12} {run['seconds']:7.2f} s"
    text += f" {_mb(run['peak_bytes']):>6} MB"
    return text + (f"  {run['failure']}" if run["failure"] else "")


def _summary(runs: list[dict], tool: dict, memory_bytes: int) -> dict:
    """Figures of the runs that gave the right result."""
    start_seconds = tool["bare_seconds"] if tool["interpreted"] else 0
    start_bytes = tool["bare_bytes"] if tool["interpreted"] else 0
    seconds = [max(run["seconds"] - start_seconds, 0) for run in runs]
    peak_bytes = max(run["peak_bytes"] for run in runs)
    allowed_bytes = memory_bytes + start_bytes + OVERHEAD_BYTES
    return {
        "runs": len(runs),
        "seconds": statistics.median(seconds),
        "seconds_min": min(seconds),
        "seconds_max": max(seconds),
        "cpu_seconds": statistics.median(run["cpu_seconds"] for run in runs),
        "peak_bytes": peak_bytes,
        "over_limit": peak_bytes > allowed_bytes,
        "objects": runs[-1]["objects"],
        "stored_bytes": runs[-1]["stored_bytes"],
        "counts": runs[-1]["counts"],
    }


def summarise(workload: dict, tools: dict) -> dict:
    """Per tool: medians, extremes and the ratio to rechunk's median."""
    summary: dict = {}
    for name, tool in tools.items():
        right = [
            run
            for run in workload["runs"]
            if run["tool"] == name and not run["failure"]
        ]
        if right:
            memory_bytes = workload["memory_bytes"]
            summary[name] = _summary(right, tool, memory_bytes)
    ours = summary.get("rechunk")
    for each in summary.values():
        ratio = each["seconds"] / ours["seconds"] if ours else None
        each["ratio_to_rechunk"] = ratio
    return summary


def _row(workload: dict, name: str) -> str:
    summary = workload["summary"].get(name)
    failure = workload["failures"].get(name)
    if summary is None:
        cells = [workload["name"], name, *["-"] * 8, failure or "not run"]
        return "| " + " | ".join(cells) + " |"
    ratio, counts = summary["ratio_to_rechunk"], summary["counts"]
    peak = f"{_mb(summary['peak_bytes'])} ({_mb(workload['memory_bytes'])})"
    read = "-"
    if counts:
        amplification = counts["bytes_decoded"]
        read = f"{amplification / workload['source']['raw_bytes']:.2f}"
    cells = [
        workload["name"],
        name,
        f"{summary['seconds']:.2f}",
        f"{summary['seconds_min']:.2f}-{summary['seconds_max']:.2f}",
        f"{ratio:.2f}" if ratio else "-",
        peak + (" **over**" if summary["over_limit"] else ""),
        f"{summary['cpu_seconds']:.1f}",
        str(summary["objects"]),
        _mb(summary["stored_bytes"]),
        read,
        failure or "right",
    ]
    return "| " + " | ".join(cells) + " |"


def _sources(results: dict) -> list[str]:
    lines = []
    for workload in results["workloads"]:
        facts = workload["source"]
        lines.append(
            f"- {workload['name']}, {workload['title']}: "
            f"{_mb(facts['raw_bytes'])} MB, stored {_mb(facts['stored_bytes'])}"
            f" MB in {facts['objects']} objects (ratio {facts['ratio']:.2f})"
        )
    return lines


def markdown(results: dict) -> str:
    """The whole report."""
    machine, options = results["machine"], results["options"]
    versions = ", ".join(
        f"{name} {tool['version']}" for name, tool in results["tools"].items()
    )
    lines = [
        f"# Benchmarks of {results['date'][:10]}",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_bytes'] / 2**30:.0f} GiB, "
        f"Linux {machine['kernel']}; commit {machine['commit']}.",
        f"{versions}; {options['threads']} threads, {options['repeat']} runs "
        f"each, taking turns, memory times {options['budget_factor']:g}.",
        "",
        *_HEADER,
    ]
    for workload in results["workloads"]:
        lines += [_row(workload, name) for name in results["tools"]]
    lines += ["", *_sources(results), "", _NOTES]
    return "\n".join(lines)
