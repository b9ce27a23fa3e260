"""What the page's sections share: cells and tables. Pure."""

from __future__ import annotations

from summary import Spread

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


def table(head: str, rows: list[list[str]]) -> list[str]:
    """The lines of a table; rows that end early are filled with dashes."""
    count = head.count("|") - 1
    lines = [head, "|---|---" + "|--:" * (count - 2) + "|"]
    for cells in rows:
        filled = cells + ["-"] * (count - len(cells))
        lines.append("| " + " | ".join(filled) + " |")
    return [*lines, ""]
