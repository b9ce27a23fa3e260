"""Plans for people: text and HTML."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import Any

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


def _layout(chunks: list[int], shards: list[int] | None) -> str:
    text = f"chunks {tuple(chunks)}"
    return f"{text} in shards {tuple(shards)}" if shards else text


def _places(array: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Source, intermediates and target of an array, each with its layout."""
    yield (
        "source",
        _layout(array["source_chunks"], array.get("source_shards")),
    )
    for stage in array["stages"][:-1]:
        yield stage["target"], f"objects {tuple(stage['chunks'])}, packed"
    yield (
        "target",
        _layout(array["target_chunks"], array.get("target_shards")),
    )


def _stage_line(stage: dict[str, Any]) -> str:
    return (
        f"{stage['source']} -> {stage['target']}: {stage['tasks']} tasks of "
        f"{tuple(stage['chunks'])}, reads {byte_size(stage['bytes_decoded'])} "
        f"of {stage['objects_read']} objects, writes "
        f"{byte_size(stage['bytes_encoded'])} to {stage['objects_written']}"
    )


def _header(plan: dict[str, Any]) -> str:
    return (
        f"memory {byte_size(plan['peak_memory'])} of "
        f"{byte_size(plan['max_memory'])}, temporary data "
        f"{byte_size(plan['temp_bytes'])} in {plan['temp_objects']} objects"
    )


def _title(array: dict[str, Any]) -> str:
    name = f"{array['name']} " if array["name"] else ""
    return (
        f"{name}{tuple(array['shape'])} {array['dtype']} "
        f"{byte_size(_array_bytes(array))}: {array['method']}"
    )


def text(plan: dict[str, Any], target: Any) -> str:
    """Some lines for each array."""
    lines = ["<Rechunked>", f"* Plan        : {_header(plan)}"]
    for array in plan["arrays"]:
        lines.append(f"* Array       : {_title(array)}")
        for name, layout in _places(array):
            lines.append(f"    {name:<15} {layout}")
        lines += [f"    {_stage_line(stage)}" for stage in array["stages"]]
    lines.append(f"* Target      : {target}")
    return "\n".join(lines)


def html(plan: dict[str, Any], target: Any) -> str:
    """The same as details that open."""
    parts = [
        f"<div><strong>Rechunked</strong> to {escape(str(target))}, "
        f"{escape(_header(plan))}"
    ]
    for array in plan["arrays"]:
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
    return "".join(parts) + "</div>"
