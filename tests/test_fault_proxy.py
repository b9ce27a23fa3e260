"""The fault proxy: what it passes on, slows down, breaks and counts."""

from __future__ import annotations

import http.client
import http.server
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import obstore
import pytest
from obstore.exceptions import AlreadyExistsError

from fault_proxy import FaultProxy
from servers import Bucket, HttpServer

StartProxy = Callable[..., FaultProxy]
BYTES = np.random.default_rng(5).bytes(300_007)
TIMEOUT_SECONDS = 20


class Client:
    """Keeps one connection, as real clients do."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=TIMEOUT_SECONDS
        )

    def ask(
        self,
        path: str = "/file",
        method: str = "GET",
        body: object = None,
        **fields: str,
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Return the answer and its body. Raises what http.client raises."""
        try:
            self._connection.request(method, path, body, fields)
            answer = self._connection.getresponse()
            return answer, answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise


@pytest.fixture
def server(http_server: HttpServer) -> HttpServer:
    """Serve one file of random bytes."""
    (http_server.folder / "file").write_bytes(BYTES)
    return http_server


def test_what_passes_is_the_same_and_is_counted(
    server: HttpServer, fault_proxy: StartProxy
) -> None:
    """Whole files, ranges, heads, errors and bodies, on one connection."""
    proxy = fault_proxy(server.port)
    client = Client(proxy.port)
    for _ in range(10):
        assert client.ask()[1] == BYTES
    answer, body = client.ask(Range="bytes=-77")
    assert (answer.status, body) == (206, BYTES[-77:])
    answer, body = client.ask(method="HEAD")
    assert (answer.getheader("Content-Length"), body) == ("300007", b"")
    assert client.ask("/absent")[0].status == 404
    assert client.ask(method="PUT", body=BYTES)[0].status == 405
    counts = proxy.counts()
    assert counts["requests"] == {"GET": 12, "HEAD": 1, "PUT": 1}
    assert counts["statuses"] == {"200": 11, "206": 1, "404": 1, "405": 1}
    assert counts["request_bytes"] == len(BYTES)
    log = proxy.log()
    assert log[10]["range"] == "bytes=-77"
    assert log[10]["answer_bytes"] == 77
    assert counts["answer_bytes"] == sum(one["answer_bytes"] for one in log)
    assert counts["most_in_flight"] == 1
    assert counts["connections"] == 1


class Chunks(http.server.BaseHTTPRequestHandler):
    """Answers in chunks, after it has read a body that came in chunks."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Send back what came."""
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for start in range(0, len(body), 1000):
            piece = body[start : start + 1000]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def test_bodies_in_chunks_pass(fault_proxy: StartProxy) -> None:
    """Nobody says before how long they are."""

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(BYTES), 30_011):
            yield BYTES[start : start + 30_011]

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Chunks) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = Client(fault_proxy(server.server_port).port)
        for _ in range(2):
            assert client.ask(method="POST", body=pieces())[1] == BYTES
        server.shutdown()


def test_a_far_and_narrow_network(
    server: HttpServer, fault_proxy: StartProxy
) -> None:
    """Requests wait at the same time; bytes pass one after the other."""
    proxy = fault_proxy(server.port, "latency 0.3")
    started = time.monotonic()
    with ThreadPoolExecutor(40) as pool:
        list(pool.map(lambda _: Client(proxy.port).ask(), range(40)))
    seconds = time.monotonic() - started
    assert 0.3 <= seconds < 6
    assert proxy.counts()["most_in_flight"] == 40
    assert min(one["seconds"] for one in proxy.log()) >= 0.3
    proxy("latency 0")
    proxy("bandwidth 1e6")
    started = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: Client(proxy.port).ask(), range(2)))
    assert time.monotonic() - started >= 0.6


def test_faults_come_as_often_as_was_said(
    server: HttpServer, fault_proxy: StartProxy
) -> None:
    """By chance with a seed, in bursts, or for the requests that are meant."""
    statuses = []
    for seed in (1, 1, 2):
        proxy = fault_proxy(
            server.port, f"seed {seed}", "fault slow_down p=0.2 retry_after=3"
        )
        client = Client(proxy.port)
        statuses.append([client.ask()[0].status for _ in range(500)])
        assert proxy.counts()["faults"] == {
            "slow_down": statuses[-1].count(503)
        }
    assert statuses[0] == statuses[1] != statuses[2]
    assert 65 <= statuses[0].count(503) <= 135  # Four standard deviations.
    answer = Client(proxy.port)
    proxy("no_faults")
    proxy("fault too_many method=GET match=file skip=2 times=3 burst=3")
    for method, path in (("HEAD", "/file"), ("GET", "/other")):
        assert answer.ask(path, method)[0].status in (200, 404)
    found = [answer.ask()[0].status for _ in range(8)]
    assert found == [200, 200, 429, 429, 429, 200, 200, 200]


def test_answers_that_the_proxy_makes(
    server: HttpServer, fault_proxy: StartProxy
) -> None:
    """The connection stays, as the body of the request was read."""
    proxy = fault_proxy(server.port)
    client = Client(proxy.port)
    for kind, status, text in (
        ("slow_down", 503, b"<Code>SlowDown</Code>"),
        ("internal", 500, b"<Code>InternalError</Code>"),
        ("expired", 400, b"<Code>ExpiredToken</Code>"),
        ("html", 502, b"<h1>Bad Gateway</h1>"),
    ):
        proxy(f"fault {kind} times=2 retry_after=7")
        answer, body = client.ask(method="PUT", body=BYTES)
        assert (answer.status, text in body) == (status, True)
        assert answer.getheader("Retry-After") == "7"
        answer, body = client.ask(method="HEAD")
        assert (answer.status, body) == (status, b"")
    proxy("fault error_inside")
    assert client.ask("/file?uploadId=1", "PUT", b"x")[0].status == 405
    answer, body = client.ask("/file?uploadId=1", "POST", b"x")
    assert (answer.status, b"<Error>" in body) == (200, True)
    proxy("fault redirect to=http://127.0.0.1:1/elsewhere")
    answer, _ = client.ask(Authorization="secret")
    assert answer.status == 307
    assert answer.getheader("Location") == "http://127.0.0.1:1/elsewhere"
    assert [one["signed"] for one in proxy.log()[-2:]] == [False, True]
    assert proxy.counts()["connections"] == 1
    with pytest.raises(AssertionError, match="no fault is called nonsense"):
        proxy("fault nonsense")


def test_connections_break_at_any_byte(
    server: HttpServer, fault_proxy: StartProxy
) -> None:
    """A client sees too few bytes, an end or a reset, never wrong bytes."""
    proxy = fault_proxy(server.port, "seed 3")
    client = Client(proxy.port)
    seen: dict[str, Counter[str]] = {}
    for kind in ("short_answer", "reset_answer", "reset_request"):
        proxy("no_faults")
        proxy(f"fault {kind}")
        seen[kind] = Counter()
        for _ in range(60):
            with pytest.raises((OSError, http.client.HTTPException)) as raised:
                client.ask(method="GET", body=BYTES)
            seen[kind][raised.type.__name__] += 1
    assert seen["short_answer"]["IncompleteRead"] > 30
    assert seen["short_answer"]["ConnectionResetError"] == 0
    assert seen["reset_answer"]["ConnectionResetError"] > 30
    lengths = {one["answer_bytes"] for one in proxy.log()}
    assert len(lengths) > 60, "they break at the same bytes"
    proxy("no_faults")
    assert client.ask()[1] == BYTES
    proxy("fault stall seconds=0.4 times=1")
    started = time.monotonic()
    assert client.ask()[1] == BYTES
    assert time.monotonic() - started >= 0.4


def test_a_lost_answer_hides_what_the_server_did(
    bucket: Bucket, fault_proxy: StartProxy
) -> None:
    """The client tries again, and finds its own object in its way.

    This also shows that signatures hold at the port of a proxy.
    """
    proxy = fault_proxy(bucket.server.port)
    store = bucket.store(port=proxy.port)
    obstore.put(store, "a/b", BYTES)
    assert obstore.get(store, "a/b").bytes() == BYTES
    proxy("fault lost_answer method=PUT field=if-none-match times=1")
    with pytest.raises(AlreadyExistsError):
        obstore.put(store, "lock", b"mine", mode="create")
    assert (bucket.folder / "lock").read_bytes() == b"mine"
    assert proxy.counts()["faults"] == {"lost_answer": 1}
    assert bucket.left() == {"a/b", "lock"}


def test_the_proxy_is_faster_than_what_it_measures(
    http_server: HttpServer, fault_proxy: StartProxy, tmp_path: Path
) -> None:
    """Over 1 GB/s on four connections, and still much on a busy machine."""
    big = http_server.folder / "big"
    big.write_bytes(bytes(64 << 20))
    proxy = fault_proxy(http_server.port)

    def discard(_: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port)
        connection.request("GET", "/big")
        answer = connection.getresponse()
        place = memoryview(bytearray(1 << 20))
        while answer.readinto(place):
            pass

    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(discard, range(4)))
    bytes_per_second = 4 * (64 << 20) / (time.monotonic() - started)
    print(f"fault proxy: {bytes_per_second / 1e6:.0f} MB/s")
    big.unlink()
    assert bytes_per_second > 100e6
