"""The page of a measurement, from its records. Pure."""

from __future__ import annotations

from collections.abc import Sequence

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
- A **workload** is one array, the chunks that it has and shall get, and a
  memory limit. Its name (W1, MUR, …) stands in bold above its table below, with
  all of this. Workloads R0, R1, … were drawn at random.
- The tools run one after the other, in **turns**: in a turn each tool runs at
  most once. So a slow moment of the machine does not hit one tool alone.
- **Seconds** are medians of the wall clock of a whole process. For tools that
  run in a Python interpreter, the time to start it and to import the tool is
  subtracted.
- **x rechunk** is the tool's time divided by rechunk's. 1.75 means: the tool
  needs 1.75 times as long as rechunk. Below 1 the tool is faster.
- The **floor** is a program that decodes every source object once and encodes
  every target object once, with the same codecs and threads. It moves nothing
  between layouts. The column has the median ratio to the floor of the same
  turn, with the smallest and the largest ratio.
- **Peak** is the largest resident memory of any run. It is marked **over** if
  it exceeds the memory limit by more than 32 MiB. (rechunk promises at most
  64 MiB more.) For Python tools, the memory of the interpreter with the tool
  imported is not counted.
- **exit 1** means that the tool failed or refused. rechunk does so if no plan
  fits the memory limit. **over 60 s** means that it was stopped after 60 s.
- **Read** is the amount of data that was decoded, in multiples of the array.
  Intermediates are included.
- Every result was compared with its source bit for bit. If a result was wrong,
  or a tool failed, the table says so instead of figures.
"""

_SOURCE = """\
This page has the tables only. `make bench` makes the full results: every run
as JSON, and pictures. `make bench-publish` writes this page and packs the full
results into an archive, `build/bench/LABEL.zip`. A release carries this archive
as an asset.
"""


def markdown(content: dict, plots: Sequence[tuple[str, str]] = ()) -> str:
    """The whole page; `plots` are titles and addresses of pictures.

    Without pictures it is the page in docs/, which says where they are.
    """
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
        "newer ones. The seed of the random workloads (R0, R1, …) is "
        f"{content['random_seed']}.",
        "",
        _READING,
    ]
    if not plots:
        lines.append(_SOURCE)
    for title, address in plots:
        lines += [f"![{title}]({address})", ""]
    lines += ahead_section(content, cases)
    lines += memory_section(content, cases)
    lines += peers_section(content, cases)
    lines += engines_section(cases)
    lines += own_section(content, cases)
    return "\n".join(lines).rstrip() + "\n"
