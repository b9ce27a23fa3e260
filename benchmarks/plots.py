"""The pictures of a measurement: plots.py RECORDS FOLDER [svg|png].

Runs in the `plots` environment. Prints one line of JSON: titles and files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

from summary import CaseFigures, Figures, is_own, summarise
from workloads import BY_NAME

OURS, OTHERS, LIMIT = "#c8432b", "#8a9aa8", "#2b6c8a"
LINES = ("#2b6c8a", "#d79b2e", "#5b8c5a", "#7a5ea8", "#8a9aa8", "#a8577e")
COLUMNS = 4


def plain(value: float, _=None) -> str:
    return f"{value:g}"


def at_the_table(content: dict, cases: list[CaseFigures]) -> list[CaseFigures]:
    """The cases in which every tool ran, in the order of the table."""
    chosen = [
        case
        for case in cases
        if case.workload in BY_NAME and is_own(content, case)
    ]
    order = list(BY_NAME)
    return sorted(chosen, key=lambda case: order.index(case.workload))


def bars(
    cases: list[CaseFigures],
    value: Callable[[CaseFigures, Figures], float | None],
    title: str,
    mark: float | None,
) -> plt.Figure:
    """One small picture per workload, one bar per tool, logarithmic."""
    rows = -(-len(cases) // COLUMNS)
    names = sorted({name for case in cases for name in case.tools} - {"floor"})
    figure, axes = plt.subplots(
        rows,
        COLUMNS,
        figsize=(13, 0.7 + rows * (0.75 + 0.19 * len(names))),
        squeeze=False,
        layout="constrained",
    )
    for axis in axes.flat[len(cases) :]:
        axis.set_visible(False)
    for axis, case in zip(axes.flat, cases, strict=False):
        found = {
            name: value(case, figures)
            for name, figures in case.tools.items()
            if name != "floor" and figures.seconds
        }
        found = {name: each for name, each in found.items() if each}
        order = sorted(found, key=found.get, reverse=True)
        colours = [OURS if name == "rechunk" else OTHERS for name in order]
        drawn = axis.barh(order, [found[n] for n in order], color=colours)
        axis.bar_label(drawn, fmt="%.2g", padding=2, fontsize=7)
        axis.set_xscale("log")
        axis.set_xlim(
            min([*found.values(), mark or 1]) * 0.6,
            max([*found.values(), mark or 1]) * 2.2,
        )
        if mark:
            axis.axvline(mark, color=LIMIT, linewidth=1)
        axis.set_title(case.workload, fontsize=9, loc="left")
        axis.tick_params(labelsize=7)
        axis.minorticks_off()
        axis.xaxis.set_major_formatter(FuncFormatter(plain))
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=11)
    return figure


def ratio(_: CaseFigures, figures: Figures) -> float | None:
    return figures.ratio.median if figures.ratio else None


def memory_share(case: CaseFigures, figures: Figures) -> float | None:
    return figures.peak_bytes / case.memory_bytes


def against_memory(content: dict, cases: list[CaseFigures]) -> plt.Figure:
    """Ratio to the floor over memory, as a share of the array."""
    names = [name for name in BY_NAME if any(c.workload == name for c in cases)]
    rows = -(-len(names) // COLUMNS)
    figure, axes = plt.subplots(
        rows,
        COLUMNS,
        figsize=(13, 0.8 + 2.3 * rows),
        squeeze=False,
        layout="constrained",
    )
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    tools = sorted(
        {tool for case in cases for tool in case.tools} - {"rechunk", "floor"}
    )
    tools = [t for t in tools if content["tools"].get(t, {}).get("bounded")]
    colours = dict(zip(tools, LINES, strict=False)) | {"rechunk": OURS}
    for axis, name in zip(axes.flat, names, strict=False):
        raw_bytes = content["workloads"][name]["raw_bytes"]
        for tool, colour in colours.items():
            points = sorted(
                (case.memory_bytes / raw_bytes, case.tools[tool].ratio.median)
                for case in cases
                if case.workload == name
                and case.threads == 2
                and tool in case.tools
                and case.tools[tool].ratio
            )
            if points:
                width = 2 if tool == "rechunk" else 1
                axis.plot(
                    *zip(*points, strict=True),
                    "o-",
                    color=colour,
                    label=tool,
                    linewidth=width,
                    markersize=3,
                )
        _logarithmic(axis, name)
        axis.axhline(1, color=LIMIT, linewidth=1)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=7, fontsize=8
    )
    figure.suptitle(
        "Time, in multiples of the floor, over memory as a share of the array",
        fontsize=11,
    )
    return figure


def _logarithmic(axis: plt.Axes, title: str) -> None:
    axis.set_xscale("log", base=2)
    axis.set_yscale("log", base=2)
    axis.set_title(title, fontsize=9, loc="left")
    axis.tick_params(labelsize=7)
    axis.xaxis.set_major_formatter(FuncFormatter(share))
    axis.yaxis.set_major_formatter(FuncFormatter(plain))
    axis.spines[["top", "right"]].set_visible(False)


def share(value: float, _=None) -> str:
    return f"1/{1 / value:.0f}" if value < 0.9 else f"{value:g}"


def scaling(content: dict, cases: list[CaseFigures]) -> plt.Figure:
    """Seconds over size, and speed over threads."""
    figure, (sizes, threads) = plt.subplots(
        1, 2, figsize=(13, 4.2), layout="constrained"
    )
    colours = dict(zip(BY_NAME, (OURS, *LINES), strict=False))
    for name, colour in colours.items():
        points = []
        for case in cases:
            facts = content["workloads"][case.workload]
            same = case.memory_bytes == facts["table_bytes"]
            if case.workload.split("x")[0] != name or case.threads != 2:
                continue
            if case.seconds("rechunk") and same:
                points.append(
                    (facts["raw_bytes"] / 1e9, case.seconds("rechunk"))
                )
        if len(points) > 1:
            sizes.plot(
                *zip(*sorted(points), strict=True),
                "o-",
                color=colour,
                label=name,
            )
        speeds = [
            (case.threads, case.seconds("rechunk"))
            for case in cases
            if case.workload == name
            and case.seconds("rechunk")
            and case.memory_bytes == content["workloads"][name]["table_bytes"]
        ]
        single = dict(speeds).get(1)
        if single and len(speeds) > 1:
            points = sorted((count, single / each) for count, each in speeds)
            threads.plot(
                *zip(*points, strict=True), "o-", color=colour, label=name
            )
    for axis, title, across, along in (
        (sizes, "Size, memory unchanged", "GB", "seconds"),
        (threads, "Threads", "threads", "times as fast as one"),
    ):
        axis.set_title(title, fontsize=9, loc="left")
        axis.set_xlabel(across, fontsize=8)
        axis.set_ylabel(along, fontsize=8)
        axis.tick_params(labelsize=7)
        axis.set_ylim(bottom=0)
        axis.spines[["top", "right"]].set_visible(False)
        if axis.lines:
            axis.legend(fontsize=7, frameon=False)
    threads.set_xscale("log", base=2)
    threads.xaxis.set_major_formatter(FuncFormatter(plain))
    return figure


def main() -> None:
    content = json.loads(Path(sys.argv[1]).read_text())
    folder, form = Path(sys.argv[2]), (sys.argv[3:] or ["svg"])[0]
    folder.mkdir(parents=True, exist_ok=True)
    mpl.rcParams["svg.hashsalt"] = "rechunk"
    cases = summarise(content)
    table = at_the_table(content, cases)
    pictures = {
        "time-by-tool": (
            "Time by tool",
            bars(table, ratio, "Time, in multiples of the floor", 1),
        ),
        "memory-by-tool": (
            "Memory by tool",
            bars(
                table,
                memory_share,
                "Peak memory, in multiples of what was given",
                1,
            ),
        ),
        "time-against-memory": (
            "Time against memory",
            against_memory(content, cases),
        ),
        "scaling": ("Scaling", scaling(content, cases)),
    }
    drawn = []
    for name, (title, figure) in pictures.items():
        path = folder / f"{name}.{form}"
        metadata = {"Date": None} if form == "svg" else None
        figure.savefig(path, metadata=metadata, dpi=110)
        drawn.append((title, path.name))
    print(json.dumps(drawn))


if __name__ == "__main__":
    main()
