"""The page of a measurement, from its records. Pure."""

from __future__ import annotations

from summary import CaseFigures, Figures, Spread, summarise
from tools_table import NO_PEERS, ON_ENGINES
from workloads import BY_NAME

OVER = " **over**"
_READING = """\
Seconds are medians of the wall clock of a whole process; for tools that run in
a Python interpreter, what starting it and importing the tool takes is taken
off. **Floor** is the median of the ratios to the floor of the same turn, with
the smallest and the largest: the floor decodes every source object once and
encodes every target object once, with the same codecs and threads, and moves
nothing between layouts. Peak is the largest resident memory of any run,
**over** where it exceeds the memory by more than 32 MiB (not counting what the
bare interpreter with the tool imported holds). Read is what was decoded, in
multiples of the array, intermediates included. Every result was compared with
its source bit for bit; a wrong result or an error stands in place of figures.
"""


def _mb(size_bytes: float) -> str:
    return f"{size_bytes / 1e6:.0f}"


def _spread(values: Spread | None) -> str:
    if values is None:
        return "-"
    text = f"{values.median:.2f}"
    if values.low == values.high:
        return text
    return f"{text} ({values.low:.2f}-{values.high:.2f})"


def _table(head: str, rows: list[str]) -> list[str]:
    cells = head.count("|") - 1
    return [head, "|---|---" + "|--:" * (cells - 2) + "|", *rows, ""]


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
    return text + f"; {_mb(facts['raw_bytes'])} MB, ratio {facts['ratio']:.2f}"


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


def _row(case: CaseFigures, figures: Figures) -> str:
    if figures.seconds is None:
        cells = [figures.tool, figures.failure or "", *["-"] * 6]
        return "| " + " | ".join(cells) + " |"
    read = figures.amplification
    cells = [
        figures.tool,
        figures.failure or "right",
        _spread(figures.seconds),
        _spread(figures.ratio) if figures.tool != "floor" else "1",
        _mb(figures.peak_bytes) + (OVER if figures.over_limit else ""),
        f"{figures.cpu_seconds:.1f}",
        f"{figures.objects}",
        f"{read:.2f}" if read else "-",
    ]
    return "| " + " | ".join(cells) + " |"


_CASE_HEAD = (
    "| tool | result | seconds | floor | peak MB | CPU s | objects | read |"
)


def peers_section(content: dict, cases: list[CaseFigures]) -> list[str]:
    """Per workload, every tool at the memory of the table."""
    lines = ["## Every tool, at the memory of the workload", ""]
    for case in cases:
        table = content["workloads"][case.workload]["table_bytes"]
        peers = set(case.tools) - set(NO_PEERS)
        if case.memory_bytes != table or case.threads != 2 or not peers:
            continue
        lines += [
            f"**{case.workload}**, "
            f"{content['workloads'][case.workload]['title']}, "
            f"{_mb(case.memory_bytes)} MB: {_facts(content, case)}",
            "",
        ]
        order = sorted(
            (each for n, each in case.tools.items() if n not in ON_ENGINES),
            key=lambda each: each.seconds.median if each.seconds else 1e9,
        )
        lines += _table(_CASE_HEAD, [_row(case, each) for each in order])
    return lines


_ENGINES = """\
`rechunk` is the command, a whole process; the others are calls within a process
that has its engine already: `-threads` is one process with two threads (for
rechunker those of Dask), `-dask` a cluster of two local processes of one thread
each. All have the same memory together: a process of ours, and a task of
rechunker's, has its share of it. **Staged** says whether there was an
intermediate; **times** is over rechunk on the same engine.
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
            cells = [
                case.workload,
                _mb(case.memory_bytes),
                name,
                _spread(figures.seconds) if own else figures.failure or "-",
                "yes" if figures.stages > 1 else "no",
                f"{own / base:.2f}" if own and base else "-",
                f"{own / ours:.1f}" if own and ours and own != ours else "-",
            ]
            rows.append("| " + " | ".join(cells) + " |")
    if not rows:
        return []
    head = (
        "| workload | memory MB | tool | seconds | staged | over the command "
        "| times |"
    )
    lines = ["## From Python, and rechunker on the same engine", "", _ENGINES]
    return [*lines, *_table(head, rows)]


_OWN_HEAD = (
    "| workload | plan | memory MB | threads | seconds | floor | peak MB "
    "| CPU s | read | predicted s | calibrated s |"
)


def _own_row(case: CaseFigures) -> str | None:
    figures = case.tools.get("rechunk")
    if figures is None:
        return None
    head = [case.workload, figures.failure or _plan(figures)]
    head += [_mb(case.memory_bytes), str(case.threads)]
    if figures.seconds is None:
        return "| " + " | ".join([*head, *["-"] * 7]) + " |"
    cells = [
        *head,
        _spread(figures.seconds),
        _spread(figures.ratio),
        _mb(figures.peak_bytes) + (OVER if figures.over_limit else ""),
        f"{figures.cpu_seconds:.1f}",
        f"{figures.amplification:.2f}" if figures.amplification else "-",
        *(
            f"{seconds:.2f}" if seconds else "-"
            for seconds in (
                figures.predicted_seconds,
                figures.calibrated_seconds,
            )
        ),
    ]
    return "| " + " | ".join(cells) + " |"


def _plan(figures: Figures) -> str:
    method = " ".join(sorted(set(figures.methods)))
    return (
        f"{method}, {figures.stages} stages" if figures.stages > 1 else method
    )


def own_section(content: dict, cases: list[CaseFigures]) -> list[str]:
    """rechunk in every case: less memory, more threads, other sizes."""
    rows = [row for row in map(_own_row, cases) if row]
    lines = ["## rechunk in every case", ""]
    return lines + _table(_OWN_HEAD, rows) + prediction_lines(content, cases)


def prediction_lines(content: dict, cases: list[CaseFigures]) -> list[str]:
    """How far the predicted times are from the measured ones."""
    own = [
        (case, figures)
        for case in cases
        if (figures := case.tools.get("rechunk")) and figures.seconds
    ]
    usual = [each for each in own if _is_usual(content, each[0])]
    sentences = []
    for how, member in (
        ("without calibration", "predicted_seconds"),
        ("with `--calibrate auto`", "calibrated_seconds"),
    ):
        all_ratios, ratios = (
            [
                predicted / figures.seconds.median
                for _, figures in some
                if (predicted := getattr(figures, member))
            ]
            for some in (own, usual)
        )
        if ratios:
            sentences.append(
                f"Predicted time, {how}, is within 30 % of the measured one in "
                f"{_near(ratios)} of {len(ratios)} workloads at their memory "
                f"with two threads, and in {_near(all_ratios)} of all "
                f"{len(all_ratios)} cases, those with more threads than cores "
                "among them; predicted over measured goes from "
                f"{min(all_ratios):.2f} to {max(all_ratios):.2f}."
            )
    return [" ".join(sentences), ""]


def _is_usual(content: dict, case: CaseFigures) -> bool:
    """A workload of the suite at its own memory."""
    table = content["workloads"][case.workload]["table_bytes"]
    return (
        case.memory_bytes,
        case.threads,
    ) == (table, 2) and case.workload in BY_NAME


def _near(ratios: list[float]) -> int:
    return sum(1 / 1.3 <= ratio <= 1.3 for ratio in ratios)


def ahead_section(content: dict, cases: list[CaseFigures]) -> list[str]:
    """Where a peer comes near, and how far ahead rechunk is elsewhere."""
    rows = []
    for case in cases:
        ours = case.seconds("rechunk")
        right = {
            name: case.seconds(name)
            for name in case.tools
            if name not in NO_PEERS and case.seconds(name)
        }
        if not ours or not right:
            continue
        best = min(right, key=right.get)
        near = [
            n
            for n in right
            if case.tools[n].peak_bytes
            <= 2 * case.memory_bytes + start_bytes(content, n)
        ]
        within = min(near, key=right.get) if near else None
        cells = [
            case.workload,
            best,
            f"{_mb(case.memory_bytes)}",
            f"{right[best] / ours:.2f}",
            f"{_mb(case.tools[best].peak_bytes)}",
            f"{within} {right[within] / ours:.2f}" if within else "none",
        ]
        rows.append("| " + " | ".join(cells) + " |")
    head = (
        "| workload | fastest peer | memory MB | x rechunk | its peak MB "
        "| fastest within twice the memory |"
    )
    return ["## The fastest peers", "", *_table(head, rows)]


def start_bytes(content: dict, tool: str) -> int:
    facts = content["tools"].get(tool, {})
    return facts.get("bare_bytes", 0) if facts.get("interpreted") else 0


def markdown(content: dict, plots: list[tuple[str, str]]) -> str:
    """The whole page; `plots` are titles and addresses of pictures."""
    machine, cases = content["machine"], summarise(content)
    versions = ", ".join(
        f"{name} {tool['version']}"
        for name, tool in content["tools"].items()
        if tool["version"]
    )
    order = {name: place for place, name in enumerate(BY_NAME)}
    cases.sort(key=lambda case: order.get(case.workload.split("x")[0], 99))
    lines = [
        "# Benchmarks",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_bytes'] / 2**30:.0f} GiB, "
        f"Linux {machine['kernel']}; commit {machine['commit']}, "
        f"{content['date'][:10]}. {versions}. rechunk and the floor use "
        f"{', '.join(machine['codec_libraries'])}; most peers bring "
        "newer ones. Random workloads (R0, R1, …) "
        f"were drawn by the seed {content['random_seed']}.",
        "",
        _READING,
    ]
    for title, address in plots:
        lines += [f"![{title}]({address})", ""]
    lines += ahead_section(content, cases)
    lines += peers_section(content, cases)
    lines += engines_section(cases)
    lines += own_section(content, cases)
    return "\n".join(lines).rstrip() + "\n"
