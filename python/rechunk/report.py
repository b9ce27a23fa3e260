"""Plans for people: text and HTML."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import Any

from rechunk.notes import note_lines

# A group may have thousands.
_MOST_ARRAYS = 8
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def byte_size(size: float) -> str:
    """Such as "1.5 GiB"."""
    unit = 0
    while size >= 1024 and unit + 1 < len(_UNITS):
        size /= 1024
        unit += 1
    return (
        f"{size:.3g} {_UNITS[unit]}"
        if size < 1000
        else f"{size:.0f} {_UNITS[unit]}"
    )


def _array_bytes(array: dict[str, Any]) -> int:
    return int(math.prod(array["shape"]) * array["item_bytes"])


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _places(array: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Source, intermediates and target of an array, each with its layout."""
    elements = f"{tuple(array['shape'])} {array['dtype']}"

    def stored(side: str) -> str:
        text = f"{elements}, chunks {tuple(array[f'{side}_chunks'])}"
        shards = array.get(f"{side}_shards")
        return f"{text} in shards {tuple(shards)}" if shards else text

    yield "source", stored("source")
    for stage in array["stages"][:-1]:
        objects = tuple(stage["chunks"])
        yield stage["target"], f"{elements}, objects {objects}, packed"
    yield "target", stored("target")


def _stage_line(stage: dict[str, Any]) -> str:
    return (
        f"{stage['source']} -> {stage['target']}: "
        f"{_count(stage['tasks'], 'task')} of {tuple(stage['chunks'])} with "
        f"{byte_size(stage['max_task_bytes'])} of memory each, reads "
        f"{byte_size(stage['bytes_decoded'])} of "
        f"{_count(stage['objects_read'], 'object')}, writes "
        f"{byte_size(stage['bytes_encoded'])} to {stage['objects_written']:,}"
    )


def _header(plan: dict[str, Any]) -> str:
    return (
        f"memory {byte_size(plan['peak_memory'])} of "
        f"{byte_size(plan['max_memory'])}, temporary data "
        f"{byte_size(plan['temp_bytes'])} in "
        f"{_count(plan['temp_objects'], 'object')}, about "
        f"{plan['predicted_seconds']:.2g} s"
    )


def _title(array: dict[str, Any]) -> str:
    name = f"{array['name']}, " if array["name"] else ""
    stages = _count(len(array["stages"]), "stage")
    return (
        f"{name}{byte_size(_array_bytes(array))}, {array['method']}, {stages}"
    )


def _shown(
    plan: dict[str, Any],
) -> tuple[list[dict[str, Any]], str]:
    """The arrays that are shown, the largest if there are many; the rest."""
    arrays = plan["arrays"]
    if len(arrays) <= _MOST_ARRAYS:
        return arrays, ""
    by_size = sorted(arrays, key=_array_bytes, reverse=True)
    shown, rest = by_size[:_MOST_ARRAYS], by_size[_MOST_ARRAYS:]
    tasks = sum(stage["tasks"] for array in rest for stage in array["stages"])
    size = sum(map(_array_bytes, rest))
    return shown, (
        f"{_count(len(rest), 'smaller array')}, {byte_size(size)}, "
        f"{_count(tasks, 'task')}"
    )


def text(plan: dict[str, Any], target: Any) -> str:
    """Some lines for each array."""
    lines = ["<Rechunked>", f"* Plan        : {_header(plan)}"]
    shown, rest = _shown(plan)
    for array in shown:
        lines.append(f"* Array       : {_title(array)}")
        for name, layout in _places(array):
            lines.append(f"    {name:<15} {layout}")
        lines += [f"    {_stage_line(stage)}" for stage in array["stages"]]
    if rest:
        lines.append(f"* And         : {rest}")
    lines += [f"* {line}" for line in note_lines(plan)]
    lines.append(f"* Target      : {target}")
    return "\n".join(lines)


def html(plan: dict[str, Any], target: Any) -> str:
    """The same as details that open."""
    parts = [
        f"<div><strong>Rechunked</strong> to {escape(str(target))}, "
        f"{escape(_header(plan))}"
    ]
    shown, rest = _shown(plan)
    for array in shown:
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(layout)}</td></tr>"
            for name, layout in _places(array)
        )
        stages = "".join(
            f"<li>{escape(_stage_line(stage))}</li>"
            for stage in array["stages"]
        )
        parts.append(
            f"<details><summary>{escape(_title(array))}</summary>"
            f"<table>{rows}</table><ul>{stages}</ul></details>"
        )
    if rest:
        parts.append(f"<p>And {escape(rest)}</p>")
    parts += [f"<p>{escape(line)}</p>" for line in note_lines(plan)]
    return "".join(parts) + "</div>"
