"""What the page's sections share: cells, tables, which case is which. Pure."""

from __future__ import annotations

from summary import CaseFigures, Spread

OVER = " **over**"


def mb(size_bytes: float) -> str:
    return f"{size_bytes / 1e6:.0f}"


def spread(values: Spread | None) -> str:
    if values is None:
        return "-"
    text = f"{values.median:.2f}"
    if values.low == values.high:
        return text
    return f"{text} ({values.low:.2f}-{values.high:.2f})"


def table(head: str, rows: list[str]) -> list[str]:
    cells = head.count("|") - 1
    return [head, "|---|---" + "|--:" * (cells - 2) + "|", *rows, ""]


def is_own(content: dict, case: CaseFigures) -> bool:
    """A workload of full size at its own memory, on two threads."""
    facts = content["workloads"][case.workload]
    return (case.memory_bytes, case.threads) == (
        facts["table_bytes"],
        2,
    ) and "x" not in case.workload
