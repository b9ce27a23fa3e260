"""The page of a measurement, from its records. Pure."""

from __future__ import annotations

from page_own import own_section
from page_peers import (
    ahead_section,
    engines_section,
    memory_section,
    peers_section,
)
from summary import summarise
from workloads import BY_NAME

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
    lines += memory_section(content, cases)
    lines += peers_section(content, cases)
    lines += engines_section(cases)
    lines += own_section(content, cases)
    return "\n".join(lines).rstrip() + "\n"
