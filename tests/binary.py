"""Runs the rechunk command and says what came out of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_BINARY = ROOT / "build" / "release" / "rechunk"
MEASURE = Path(__file__).with_name("measure.py")
# What sanitizers print; never part of a regular message.
SANITIZER = re.compile(r"Sanitizer|runtime error:")


def binary_path() -> Path:
    """Absolute path of the binary under test."""
    return Path(os.environ.get("RECHUNK_BINARY", DEFAULT_BINARY)).absolute()


@dataclass(frozen=True)
class Result:
    """How one call of the command ended."""

    command: tuple[str, ...]
    exit_code: int  # Negative: ended by that signal.
    stdout: str
    stderr: str
    peak_rss_bytes: int
    seconds: float

    def json(self) -> dict:
        """Return the one JSON object on stdout."""
        return json.loads(self.stdout)

    def smallest_budget_bytes(self) -> int:
        """Return the budget that the error message asks for."""
        found = re.search(r"needs at least (\d+) bytes", self.stderr)
        assert found, f"no smallest budget in: {self}"
        return int(found.group(1))

    def __str__(self) -> str:
        return (
            f"{' '.join(self.command)}\nexit code {self.exit_code}\n"
            f"--- stdout\n{self.stdout[-3000:]}\n"
            f"--- stderr\n{self.stderr[-3000:]}"
        )


class Rechunk:
    """The command under test; call it with its arguments."""

    def __init__(
        self, path: Path, settings: dict[str, str] | None = None
    ) -> None:
        self.path = path
        self.settings = settings or {}

    def word(self, argument: object) -> str:
        """Return an argument as the command gets it."""
        return str(argument)

    def __call__(
        self,
        *arguments: object,
        timeout_seconds: float = 120,
        env: dict[str, str] | None = None,
    ) -> Result:
        """Run to the end; fail the test on signals and sanitizer reports."""
        command = (str(self.path), *map(self.word, arguments))
        with tempfile.NamedTemporaryFile("r") as usage_file:
            done = subprocess.run(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    MEASURE,
                    usage_file.name,
                    *command,
                ],
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=timeout_seconds,
                env={**os.environ, **self.settings, **(env or {})},
            )
            text = usage_file.read()
        assert text, f"{self.path} did not start: {done.stderr}"
        usage = json.loads(text)
        result = Result(
            command,
            usage["exit_code"],
            done.stdout,
            done.stderr,
            usage["rss_bytes"],
            usage["seconds"],
        )
        assert result.exit_code >= 0, f"ended by a signal: {result}"
        assert not SANITIZER.search(result.stderr), str(result)
        return result

    def ok(self, *arguments: object, **options: object) -> Result:
        """Run and require exit code 0."""
        result = self(*arguments, **options)
        assert result.exit_code == 0, str(result)
        return result

    def fails(
        self, *arguments: object, code: int = 1, **options: object
    ) -> Result:
        """Run and require a failure that is reported as one."""
        result = self(*arguments, **options)
        assert result.exit_code == code, str(result)
        assert result.stderr.strip(), f"a failure without a message: {result}"
        assert not result.stdout, f"data despite failure: {result}"
        return result

    def start(self, *arguments: object) -> subprocess.Popen:
        """Start in the background, with Ctrl-C not ignored."""
        return subprocess.Popen(
            [self.path, *map(self.word, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **self.settings},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
