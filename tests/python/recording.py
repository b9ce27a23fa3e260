"""Array-likes for workers: they note who reads them, or fail as told."""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from itertools import combinations
from pathlib import Path
from typing import Any

import zarr

Note = dict[str, Any]


class NotingArray:
    """A Zarr array on disk; each reading of it leaves a note in a folder."""

    def __init__(self, path: Path, notes: Path, seconds: float = 0) -> None:
        array = zarr.open_array(path, mode="r")
        self.shape, self.dtype = array.shape, array.dtype
        self.chunks = array.chunks
        self._path, self._notes, self._seconds = path, notes, seconds
        notes.mkdir(exist_ok=True)

    def __getitem__(self, region: Any) -> Any:
        begin = time.monotonic()
        time.sleep(self._seconds)
        part = zarr.open_array(self._path, mode="r")[region]
        note = {
            "pid": os.getpid(),
            "thread": [os.getpid(), threading.get_native_id()],
            "begin": begin,
            "end": time.monotonic(),
        }
        write_note(self._notes, note)
        return part


class FailingArray(NotingArray):
    """Fails while a folder holds files; a failure takes one of them away.

    So that failures are counted whichever process they happen in.
    """

    def __init__(self, path: Path, notes: Path, failures: Path) -> None:
        super().__init__(path, notes)
        self._failures = failures

    def __getitem__(self, region: Any) -> Any:
        for file in self._failures.iterdir():
            try:
                file.unlink()
            except FileNotFoundError:
                continue
            raise OSError("the tape is torn")
        return super().__getitem__(region)


def write_note(folder: Path, note: Note) -> None:
    """Write a note that appears as a whole."""
    name = uuid.uuid4().hex
    (folder / f".{name}").write_text(json.dumps(note))
    (folder / f".{name}").rename(folder / name)


def notes_in(folder: Path) -> list[Note]:
    """All notes of a folder."""
    return [
        json.loads(path.read_text())
        for path in folder.iterdir()
        if not path.name.startswith(".")
    ]


def overlapping(notes: list[Note], kind: str) -> bool:
    """True if two of different workers were at it at the same time."""
    return any(
        a[kind] != b[kind] and a["begin"] < b["end"] and b["begin"] < a["end"]
        for a, b in combinations(notes, 2)
    )
