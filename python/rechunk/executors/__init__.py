"""What runs plans. One small module for each engine, imported when used.

Packages add their own by an entry point of the group `rechunk.executors`.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from rechunk.errors import InvalidArgumentError
from rechunk.executor import Executor


def get_executor(executor: str | Executor[Any]) -> Executor[Any]:
    """An executor by name, or itself. Raises InvalidArgumentError."""
    if isinstance(executor, Executor):
        return executor
    if not isinstance(executor, str):
        raise InvalidArgumentError(
            f"executor: {executor!r} is no executor",
            "give a name or an instance of rechunk.Executor",
        )
    known = _known()
    if executor.lower() not in known:
        raise InvalidArgumentError(
            f"executor: there is none called {executor!r}",
            f"there are {', '.join(sorted(known))}",
        )
    return _make(known[executor.lower()])


def _known() -> dict[str, EntryPoint]:
    return {
        entry.name.lower(): entry
        for entry in entry_points(group="rechunk.executors")
    }


def _make(entry: EntryPoint) -> Executor[Any]:
    try:
        made: Executor[Any] = entry.load()()
    except ModuleNotFoundError as error:
        raise InvalidArgumentError(
            f"executor {entry.name!r}: {error}",
            f"pip install 'rechunk[{entry.name}]' installs what it needs",
        ) from error
    return made
