"""A server that speaks as Google's store does, for tests (fake-gcs-server)."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from binary import ROOT, Rechunk, Result
from servers import running

FAKE_GCS = ROOT / "build" / "servers" / "fake-gcs-server"


@dataclass(frozen=True)
class GcsServer:
    """A server whose buckets are folders, and whose objects are files."""

    port: int
    folder: Path

    def environment(self, port: int | None = None) -> dict[str, str]:
        """Return what clients need, at the server's port or at a proxy's."""
        return {
            "STORAGE_EMULATOR_HOST": f"127.0.0.1:{port or self.port}",
            "NO_GCE_CHECK": "true",
        }

    def take_files(self, bucket: str) -> None:
        """Make objects of files that others wrote into a bucket's folder.

        Beside each the server keeps what it knows about the object.
        """
        for path in (self.folder / bucket).rglob("*"):
            if path.is_file() and "user.metadata" not in os.listxattr(path):
                mark = {"Generation": path.stat().st_mtime_ns // 1000}
                os.setxattr(path, "user.metadata", json.dumps(mark).encode())

    def remove_empty_folders(self, bucket: str) -> None:
        """Remove what no bucket has: the server leaves folders behind."""
        folders = [
            path for path in (self.folder / bucket).rglob("*") if path.is_dir()
        ]
        for path in sorted(folders, reverse=True):
            if not any(path.iterdir()):
                path.rmdir()


class RechunkOnGcs(Rechunk):
    """The command, for which paths in the server's folder are URLs."""

    def __init__(
        self, path: Path, server: GcsServer, port: int | None = None
    ) -> None:
        super().__init__(path, server.environment(port))
        self._server = server

    def _names(self, argument: object) -> Path | None:
        folder = self._server.folder.resolve()
        if isinstance(argument, Path) and argument.is_relative_to(folder):
            return argument.relative_to(folder)
        return None

    def word(self, argument: object) -> str:
        """Return the URL of a path in a bucket, which is a test's folder."""
        names = self._names(argument)
        return f"gs://{names}" if names else super().word(argument)

    def _take_files(self, arguments: tuple[object, ...]) -> set[str]:
        names = [self._names(argument) for argument in arguments]
        buckets = {name.parts[0] for name in names if name}
        for bucket in buckets:
            self._server.take_files(bucket)
        return buckets

    def __call__(self, *arguments: object, **options: object) -> Result:
        """Run as the command does, with the files that are there now."""
        buckets = self._take_files(arguments)
        result = super().__call__(*arguments, **options)
        for bucket in buckets:
            self._server.remove_empty_folders(bucket)
        return result

    def start(self, *arguments: object) -> subprocess.Popen:
        """Start as the command does, with the files that are there now."""
        buckets = self._take_files(arguments)
        process = super().start(*arguments)
        wait = process.communicate

        def communicate(*words: object, **options: object) -> tuple:
            ended = wait(*words, **options)
            for bucket in buckets:
                self._server.remove_empty_folders(bucket)
            return ended

        process.communicate = communicate
        return process


@contextmanager
def serve_gcs(folder: Path, log: Path) -> Iterator[GcsServer]:
    """Serve the folders in a folder as buckets, to anybody."""

    def command(port: int) -> list[object]:
        where = ("-scheme", "http", "-host", "127.0.0.1", "-port", port)
        # Other clients name the bucket in the path.
        where += ("-public-host", f"127.0.0.1:{port}")
        disk = ("-backend", "filesystem", "-filesystem-root", folder)
        return [FAKE_GCS, *where, *disk, "-log-level", "error"]

    with running(command, log, {}) as port:
        yield GcsServer(port, folder)
