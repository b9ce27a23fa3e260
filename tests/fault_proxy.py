"""The proxy that slows requests down, breaks some of them and counts all.

`tests/proxy/fault_proxy.cc` says which commands it takes.
"""

from __future__ import annotations

import json
import subprocess
import time

from binary import ROOT

PROGRAM = ROOT / "build" / "release" / "tests" / "proxy" / "fault_proxy"


class FaultProxy:
    """A proxy in front of a port; it ends with this process."""

    def __init__(self, server_port: int, *commands: str) -> None:
        assert PROGRAM.exists(), f"{PROGRAM} is not built: `make fault-tools`"
        self._process = subprocess.Popen(
            [PROGRAM, str(server_port), "0", *commands],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port: int = self._answer()["port"]

    def __call__(self, command: str) -> dict:
        """Let it obey a command."""
        assert self._process.stdin
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self._answer()

    def counts(self) -> dict:
        """Totals. Waits for what is in flight, but not for long.

        A client may know that a request is done before the proxy does.
        """
        deadline = time.monotonic() + 1
        while True:
            counts = self("counts")
            if counts["in_flight"] == 0 or time.monotonic() > deadline:
                return counts
            time.sleep(0.001)

    def log(self) -> list[dict]:
        """All requests that have ended, in that order."""
        self.counts()
        return self("log")["requests"]

    def stop(self) -> None:
        """End it."""
        self._process.communicate()

    def _answer(self) -> dict:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the proxy has ended"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer
