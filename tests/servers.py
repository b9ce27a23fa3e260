"""Servers of the tests: S3 (versitygw) and HTTP (nginx).

Each listens on a port of this machine that is free, and ends with the process
that started it, even if that one is killed.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from obstore.store import S3Store

from binary import ROOT, Rechunk
from trees import files

VERSITYGW = ROOT / "build" / "servers" / "versitygw"
REGION = "us-east-1"
START_SECONDS = 20
NGINX_CONFIGURATION = """
daemon off;
master_process off;
pid nginx.pid;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  default_type application/octet-stream;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{port};
    root "{folder}";
    {more}
  }}
}}
"""


def why_missing(server: Path) -> str | None:
    """Say why a server of `make servers` is not there, if it is not."""
    if server.exists():
        return None
    why = server.with_suffix(".why")
    if not why.exists():
        target = "servers" if server == VERSITYGW else "more-servers"
        return f"{server} is not built: run `make {target}`"
    last = why.read_text(errors="replace").strip().splitlines()[-1:]
    return f"{server.name} was not built ({why}): {''.join(last)}"


def missing_s3_server() -> str | None:
    """Say why there is no server that speaks S3, if there is none."""
    return why_missing(VERSITYGW)


@dataclass(frozen=True)
class HttpServer:
    """A server of the files in a folder."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        """Where the folder is."""
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class S3Server:
    """A server whose buckets are folders, and whose objects are files."""

    port: int
    folder: Path
    access_key: str
    secret_key: str
    certificate: Path | None = None  # Of a server that speaks TLS.

    def endpoint(self, port: int | None = None) -> str:
        """Return the server's URL, or that of a proxy in front of it."""
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://127.0.0.1:{port or self.port}"

    def environment(self, port: int | None = None) -> dict[str, str]:
        """Return what clients need, at the server's port or at a proxy's.

        The settings of whoever runs the tests stay out.
        """
        return {
            "AWS_ENDPOINT_URL": self.endpoint(port),
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": REGION,
            "AWS_ALLOW_HTTP": "true",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }


@dataclass(frozen=True)
class Bucket:
    """A bucket of its own."""

    server: S3Server
    name: str

    @property
    def folder(self) -> Path:
        """Where the server keeps the objects as files."""
        return self.server.folder / self.name

    def url(self, prefix: str) -> str:
        """Return the URL of a prefix."""
        return f"s3://{self.name}/{prefix}"

    def store(self, prefix: str = "", port: int | None = None) -> S3Store:
        """Return an independent client."""
        return S3Store(
            self.name,
            prefix=prefix or None,
            endpoint=self.server.endpoint(port),
            access_key_id=self.server.access_key,
            secret_access_key=self.server.secret_key,
            region=REGION,
            client_options={"allow_http": True},
        )

    def left(self) -> set[str]:
        """All keys in it, and parts of unfinished uploads."""
        return set(files(self.folder))


class RechunkOnS3(Rechunk):
    """The command, for which paths in a bucket's folder are its URLs."""

    def __init__(self, path: Path, bucket: Bucket) -> None:
        super().__init__(path, bucket.server.environment())
        self._bucket = bucket

    def word(self, argument: object) -> str:
        """Return the URL of a path in the bucket."""
        if isinstance(argument, Path):
            folder = self._bucket.folder.resolve()
            if argument.is_relative_to(folder):
                return self._bucket.url(str(argument.relative_to(folder)))
        return super().word(argument)


def make_bucket(server: S3Server) -> Bucket:
    """Make an empty bucket with a name of its own."""
    bucket = Bucket(server, f"bucket-{secrets.token_hex(6)}")
    bucket.folder.mkdir()
    return bucket


@contextmanager
def serve_s3(folder: Path, tls: bool = False) -> Iterator[S3Server]:
    """Serve the folder as S3, with keys that nobody else has."""
    access_key, secret_key = secrets.token_hex(10), secrets.token_urlsafe(30)
    keys = {"ROOT_ACCESS_KEY": access_key, "ROOT_SECRET_KEY": secret_key}

    def command(port: int) -> list[object]:
        address = f"127.0.0.1:{port}"
        options = ["--port", address, "--region", REGION, "--keep-alive"]
        if certificate:
            options += ["--cert", certificate, "--key", certificate]
        return [VERSITYGW, *options, "--quiet", "posix", folder]

    log = folder.with_name(f"{folder.name}.log")
    certificate = _certificate(folder.with_name("tls.pem")) if tls else None
    with running(command, log, keys) as port:
        yield S3Server(port, folder, access_key, secret_key, certificate)


@contextmanager
def serve_http(
    folder: Path, work: Path, more: str = ""
) -> Iterator[HttpServer]:
    """Serve the folder's files over HTTP; `more` goes into its settings."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "nginx is not installed: see packages-test.txt"
    settings = work / "nginx.conf"

    def command(port: int) -> list[object]:
        settings.write_text(
            NGINX_CONFIGURATION.format(port=port, folder=folder, more=more)
        )
        return [program, "-p", work, "-c", settings, "-e", work / "errors"]

    with running(command, work / "log", {}) as port:
        yield HttpServer(port, folder)


def _certificate(path: Path) -> Path:
    """Make a certificate that nobody else has signed, and its key."""
    make = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    who = ("-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1")
    key = path.with_suffix(".key")
    command = ["openssl", *make, *who, "-keyout", key, "-out", path]
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + key.read_bytes())
    return path


@contextmanager
def running(
    command: Callable[[int], list[object]], log: Path, settings: dict[str, str]
) -> Iterator[int]:
    """Start the command with a port that is free, and end it afterwards."""
    with log.open("wb") as output:
        for _ in range(3):  # Somebody else may take the port meanwhile.
            port = _free_port()
            process = subprocess.Popen(
                [str(word) for word in command(port)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **settings},
                preexec_fn=_end_with_parent,
            )
            if _is_listening(process, port):
                break
        else:
            raise RuntimeError(f"did not start: {log.read_text()[-2000:]}")
    try:
        yield port
    finally:
        process.kill()  # versitygw would wait for its connections.
        process.wait()


def _end_with_parent() -> None:
    set_death_signal = 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def _is_listening(process: subprocess.Popen, port: int) -> bool:
    """Wait until it listens; false if it has ended instead."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return True
        assert time.monotonic() < deadline, f"port {port} stays closed"
        time.sleep(0.01)
    return False
