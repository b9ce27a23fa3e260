"""The page's sections on rechunk beside its peers. Pure."""

from __future__ import annotations

from fractions import Fraction

from page_cells import OVER, mb, spread, table
from summary import CaseFigures, Figures, is_own, start_bytes
from tools_table import NO_PEERS, ON_ENGINES, PEERS
from workloads import BY_NAME, MEMORIES


def right_peers(case: CaseFigures) -> dict[str, float]:
    """Seconds of each peer that made a right copy, fastest first."""
    right = {
        name: seconds
        for name in case.tools
        if name not in NO_PEERS and (seconds := case.seconds(name))
    }
    return dict(sorted(right.items(), key=lambda each: each[1]))


def ahead_section(content: dict, cases: list[CaseFigures]) -> list[str]:
    """Where a peer comes near, and how far ahead rechunk is elsewhere."""
    rows = []
    for case in cases:
        ours, right = case.seconds("rechunk"), right_peers(case)
        if not ours or not right or not is_own(content, case):
            continue
        best = next(iter(right))
        within = next((n for n in right if _is_near(content, case, n)), None)
        rows.append(
            [
                case.workload,
                best,
                f"{mb(case.memory_bytes)}",
                f"{right[best] / ours:.2f}",
                f"{mb(case.tools[best].peak_bytes)}",
                f"{within} {right[within] / ours:.2f}" if within else "none",
            ]
        )
    head = (
        "| workload | fastest peer | memory MB | x rechunk | its peak MB "
        "| fastest within twice the memory |"
    )
    return ["## The fastest peers", "", *table(head, rows)]


def _is_near(content: dict, case: CaseFigures, tool: str) -> bool:
    """Whether the tool stayed within twice the memory it was given."""
    allowed = 2 * case.memory_bytes + start_bytes(content, tool)
    return case.tools[tool].peak_bytes <= allowed


_MEMORY = """\
The memory limit is 1/2, 1/8 or 1/32 of the array's size. Only tools that accept
a limit are listed. rechunk has seconds. The others have their time divided by
rechunk's. If rechunk refuses so little memory (exit 1), there is nothing to
divide by: then the others have seconds, with an s behind the number. The peak
in MB is in brackets.
"""


def memory_section(content: dict, cases: list[CaseFigures]) -> list[str]:
    """The tools that take a limit, with less and more of it."""
    shared = {
        (case.workload, _share(content, case)): case
        for case in cases
        if right_peers(case)
    }
    chosen = [
        (shared[name, share], share)
        for name in BY_NAME
        for share in MEMORIES[1:]
        if (name, share) in shared
    ]
    bounded = {
        peer
        for case, _ in chosen
        if not is_own(content, case)
        for peer in right_peers(case)
    }
    if not bounded:
        return []
    names = [name for name in PEERS if name in bounded]
    rows = [
        [case.workload, share, mb(case.memory_bytes)]
        + [_beside(case, name) for name in ("rechunk", *names)]
        for case, share in chosen
    ]
    head = "| workload | share | memory MB | rechunk s | "
    head += " | ".join(names) + " |"
    return ["## With less and more memory", "", _MEMORY, *table(head, rows)]


def _share(content: dict, case: CaseFigures) -> str | None:
    """The share of the array that the memory is, of those measured."""
    raw_bytes = content["workloads"][case.workload]["raw_bytes"]
    for share in MEMORIES[1:]:
        memory_bytes = int(raw_bytes * Fraction(share))
        if (case.memory_bytes, case.threads) == (memory_bytes, 2):
            return share
    return None


def _beside(case: CaseFigures, name: str) -> str:
    """A tool's time beside that of rechunk, and its peak."""
    figures, seconds = case.tools.get(name), case.seconds(name)
    if not figures or not seconds:
        return (figures.failure or "-").split(":")[0] if figures else "-"
    ours = case.seconds("rechunk")
    if name == "rechunk":
        text = f"{seconds:.2f}"
    else:
        text = f"{seconds / ours:.2f}" if ours else f"{seconds:.2f} s"
    return f"{text} ({mb(figures.peak_bytes)})"


def _facts(content: dict, case: CaseFigures) -> str:
    facts = content["workloads"][case.workload]
    shape = ", ".join(map(str, facts["shape"]))
    source, target = facts["source_chunks"], facts["target_chunks"]
    text = f"({shape}) {facts['dtype']}, {_box(source, facts['source_shards'])}"
    text += f" → {_box(target, facts['target_shards'])}"
    codec = facts["codec"]
    text += f", {_codec(codec)}, v{facts['zarr_format']}"
    if facts["target_format"] != facts["zarr_format"]:
        text += f" → v{facts['target_format']}"
    return text + f"; {mb(facts['raw_bytes'])} MB, ratio {facts['ratio']:.2f}"


def _box(chunks: list[int], shards: list[int] | None) -> str:
    text = f"({', '.join(map(str, chunks))})"
    if shards:
        text = f"shards ({', '.join(map(str, shards))}) of {text}"
    return text


def _codec(codec: dict | None) -> str:
    if codec is None:
        return "no codec"
    if codec["id"] == "blosc":
        return f"blosc {codec['cname']} {codec['clevel']}"
    return f"{codec['id']} {codec['level']}"


def _row(figures: Figures) -> list[str]:
    if figures.seconds is None:
        return [figures.tool, figures.failure or ""]
    read = figures.amplification
    return [
        figures.tool,
        figures.failure or "right",
        spread(figures.seconds),
        spread(figures.ratio) if figures.tool != "floor" else "1",
        f"{figures.runs}",
        mb(figures.peak_bytes) + (OVER if figures.over_limit else ""),
        f"{figures.cpu_seconds:.1f}",
        f"{figures.objects}",
        f"{read:.2f}" if read else "-",
    ]


_CASE_HEAD = (
    "| tool | result | seconds | floor | runs | peak MB | CPU s | objects "
    "| read |"
)


def peers_section(content: dict, cases: list[CaseFigures]) -> list[str]:
    """Per workload, every tool at the memory of the table."""
    lines = ["## Every tool, at the memory of the workload", ""]
    for case in cases:
        if not is_own(content, case) or set(case.tools) <= set(NO_PEERS):
            continue
        lines += [
            f"**{case.workload}**, "
            f"{content['workloads'][case.workload]['title']}, "
            f"{mb(case.memory_bytes)} MB: {_facts(content, case)}",
            "",
        ]
        order = sorted(
            (each for n, each in case.tools.items() if n not in ON_ENGINES),
            key=lambda each: each.seconds.median if each.seconds else 1e9,
        )
        lines += table(_CASE_HEAD, [_row(each) for each in order])
    return lines


_ENGINES = """\
`rechunk` is the command, a whole process. The others are calls in a process in
which the engine already runs. `-threads` is one process with two threads;
rechunker uses Dask's threads. `-dask` is a cluster of two local processes with
one thread each. The total memory is the same for all: each process of rechunk,
and each task of rechunker, has its share of it. **Staged** says whether there
was an intermediate. **Times** is the time divided by rechunk's on the same
engine.
"""


def engines_section(cases: list[CaseFigures]) -> list[str]:
    """Our executors in Python and rechunker, each pair on one engine."""
    rows = []
    for case in cases:
        for name in ("rechunk", *ON_ENGINES):
            figures = case.tools.get(name)
            if set(case.tools).isdisjoint(ON_ENGINES) or not figures:
                continue
            ours = case.seconds(name.replace("rechunker", "rechunk"))
            base = case.seconds("rechunk")
            own = case.seconds(name)
            rows.append(
                [
                    case.workload,
                    mb(case.memory_bytes),
                    name,
                    spread(figures.seconds) if own else figures.failure or "-",
                    "yes" if figures.stages > 1 else "no",
                    f"{own / base:.2f}" if own and base else "-",
                    f"{own / ours:.1f}"
                    if own and ours and own != ours
                    else "-",
                ]
            )
    if not rows:
        return []
    head = (
        "| workload | memory MB | tool | seconds | staged | over the command "
        "| times |"
    )
    lines = ["## From Python, and rechunker on the same engine", "", _ENGINES]
    return [*lines, *table(head, rows)]
