"""What users should know of a job: lines and warnings of its notes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from rechunk.errors import RechunkWarning

_MOST_NAMES = 8


def note_lines(report: Mapping[str, Any]) -> list[str]:
    """A line for each note of a plan or report, as the command prints them."""
    by_cause: dict[str, list[str]] = {}
    for array in report.get("not_rechunked", ()):
        by_cause.setdefault(array["cause"], []).append(
            array["name"] or "the array"
        )
    lines = [
        f"not rechunked: {_joined(names)} ({cause})"
        for cause, names in sorted(by_cause.items())
    ]
    for note in report.get("notes", ()):
        names = f": {_joined(note['arrays'])}" if note["arrays"] else ""
        lines.append(f"note: {note['text']}{names}")
    return lines


def _joined(names: Iterable[str]) -> str:
    names = list(names)
    more = len(names) - _MOST_NAMES
    text = ", ".join(names[:_MOST_NAMES])
    return f"{text} and {more} more" if more > 0 else text


def notes_since(
    report: Mapping[str, Any], known: Mapping[str, Any]
) -> dict[str, Any]:
    """The notes of a report that were not known when the run was planned."""
    return {
        key: [note for note in report.get(key, ()) if note not in known[key]]
        for key in ("not_rechunked", "notes")
    }


def warn_of(notes: Mapping[str, Any], stacklevel: int) -> None:
    """A RechunkWarning for each; `stacklevel` as that of `warnings.warn`."""
    for line in note_lines(notes):
        warnings.warn(line, RechunkWarning, stacklevel=stacklevel + 1)
