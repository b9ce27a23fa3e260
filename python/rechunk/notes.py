"""What users should know of a job: lines and warnings of its notes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from rechunk import _core
from rechunk.errors import RechunkWarning


def note_lines(report: Mapping[str, Any]) -> list[str]:
    """A line for each note of a plan or report, as the command prints them."""
    return _core.note_lines(
        [(a["name"], a["cause"]) for a in report.get("not_rechunked", ())],
        [(n["text"], n["arrays"]) for n in report.get("notes", ())],
    )


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
