"""The runs of a measurement in one JSON file, which grows piece by piece."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path


class Records:
    """Runs by case, tool and repetition; saved after each of them.

    A run of rechunk or the floor holds only for the programs that made it:
    with others it is measured again.
    """

    def __init__(self, path: Path, machine: dict, build: str):
        self.path = path
        self.build = build
        self.content = {
            "version": 2,
            "machine": machine,
            "random_seed": None,
            "tools": {},
            "workloads": {},
            "runs": [],
        }
        if path.exists():
            self.content = json.loads(path.read_text())
            self.content["machine"] = machine
        self.content["date"] = datetime.now(UTC).isoformat(timespec="seconds")

    def _place(self, key: dict) -> int | None:
        for place, run in enumerate(self.content["runs"]):
            if all(run[name] == value for name, value in key.items()):
                return place
        return None

    def has(self, key: dict, own: bool) -> bool:
        """Whether such a run is there; of this build, where it matters."""
        place = self._place(key)
        if place is None:
            return False
        return not own or self.content["runs"][place]["build"] == self.build

    def failure(self, key: dict) -> str | None:
        """Why an earlier repetition failed, which ends the tool's turns."""
        for run in self.content["runs"]:
            if run["failure"] and all(
                run[name] == value
                for name, value in key.items()
                if name != "repetition"
            ):
                return run["failure"]
        return None

    def add(self, key: dict, result: dict) -> None:
        day = self.content["date"][:10]
        run = {**key, "build": self.build, "day": day, **result}
        place = self._place(key)
        if place is None:
            self.content["runs"].append(run)
        else:
            self.content["runs"][place] = run
        self.save()

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps(self.content, indent=1) + "\n")
        os.replace(partial, self.path)
