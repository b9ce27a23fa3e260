"""What people see on a terminal: a bar, colours; and what pipes do not."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk

RNG = np.random.default_rng(29)
BAR = re.compile(r"\[=*>? *\] +(\d+)%(.*?)\x1b\[K")
RATE = re.compile(r"[\d.]+ [KMG]?i?B/s")
REMAINING = re.compile(r"(\d+ (s|min|h)|[\d.]+ s) left")
SLOW = ["--chunks", "60,10,10", "--codec", "zstd:12", "--threads", "1"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Random bits, slow to compress."""
    array = zarr.create_array(
        tmp_path / "a", shape=(60, 300, 300), chunks=(1, 300, 300), dtype="f4"
    )
    array[:] = RNG.random(array.shape, dtype="f4")
    return tmp_path / "a"


def on_a_terminal(
    rechunk: Rechunk, *arguments: object, **environment: str
) -> tuple[int, str]:
    """Run with stdout and stderr on a terminal; the exit code and the text."""
    ours, theirs = pty.openpty()
    variables = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    process = subprocess.Popen(
        [rechunk.path, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**variables, "TERM": "xterm", **environment},
    )
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 4096):
            text += part
    except OSError:  # Nobody has the other end any more.
        pass
    os.close(ours)
    return process.wait(timeout=60), text.decode()


def assert_bar(text: str) -> None:
    """Require a bar that grows, fits the line, and is gone at the end."""
    bars = BAR.findall(text)
    assert bars, text
    percents = [int(percent) for percent, _ in bars]
    assert percents == sorted(percents) and percents[-1] <= 100
    assert any(RATE.search(rest) for _, rest in bars), text
    assert any(REMAINING.search(rest) for _, rest in bars), text
    for line in re.split(r"[\r\n]+", text):
        if BAR.search(line):
            assert len(line.replace("\x1b[K", "")) < 80
    last_bar = text.rindex("%")
    assert "\r\x1b[K" in text[last_bar:], "the bar was left on the screen"


@pytest.mark.parametrize(("memory", "one"), [("3MB", False), ("1GiB", True)])
def test_a_run_shows_a_bar_with_rate_and_remaining_time(
    rechunk: Rechunk, source: Path, memory: str, one: bool
) -> None:
    """Of many tasks, and of one that takes as long as the run."""
    arguments = [source, source.parent / "b", *SLOW, "--max-memory", memory]
    code, text = on_a_terminal(rechunk, "run", *arguments)
    assert code == 0, text
    assert all(
        (tasks == "1") == one for tasks in re.findall(r"(\d+) tasks?\b", text)
    )
    assert_bar(text)


def test_verify_shows_a_bar_too(rechunk: Rechunk, tmp_path: Path) -> None:
    """Of what it reads; the result follows."""
    array = zarr.create_array(
        tmp_path / "a",
        shape=(200, 300, 300),
        chunks=(2, 300, 300),
        dtype="f4",
        compressors=zarr.codecs.GzipCodec(level=1),
    )
    array[:] = RNG.integers(0, 999, array.shape)
    code, text = on_a_terminal(
        rechunk, "verify", array.store.root, array.store.root, "--threads", "1"
    )
    assert code == 0, text
    assert_bar(text)
    assert re.search(r"equal +\(root\) +[0-9a-f]{32}", text)


def test_pipes_and_dumb_terminals_see_no_bar(
    rechunk: Rechunk, source: Path
) -> None:
    """Nor any other control characters."""
    target = source.parent / "b"
    piped = rechunk.ok("run", source, target, *SLOW)
    assert "\x1b" not in piped.stderr + piped.stdout
    assert "\r" not in piped.stderr
    code, text = on_a_terminal(
        rechunk, "run", source, target, *SLOW, "--overwrite", TERM="dumb"
    )
    assert code == 0 and "\x1b" not in text


@pytest.mark.parametrize("no_color", ["", "1"])
def test_colours_can_be_switched_off(
    rechunk: Rechunk, tmp_path: Path, no_color: str
) -> None:
    """NO_COLOR counts if it is not empty; a terminal has colours without."""
    code, text = on_a_terminal(
        rechunk, "info", tmp_path / "nowhere", NO_COLOR=no_color
    )
    assert code == 1
    assert ("\x1b[" in text) == (no_color == "")
    assert "error:" in text


@pytest.mark.parametrize("memory", ["3MB", "1GiB"])
@pytest.mark.parametrize("request_", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_bar_and_the_run(
    rechunk: Rechunk, source: Path, memory: str, request_: signal.Signals
) -> None:
    """Exit code 130 and no target, wherever the bar stood, in any task."""
    target = source.parent / "b"
    slow = [*SLOW[:2], "--codec", "zstd:19", "--threads", "1"]
    slow += ["--max-memory", memory]
    process, text = started_with_a_bar(rechunk, source, target, *slow)
    begin = time.monotonic()
    process.send_signal(request_)
    assert process.wait(timeout=60) == 130
    assert time.monotonic() - begin < 3
    assert int(BAR.findall(text)[-1][0]) < 80
    assert not (target / "zarr.json").exists()


def test_a_second_ctrl_c_ends_at_once(rechunk: Rechunk, tmp_path: Path) -> None:
    """In the middle of a chunk, which nothing else interrupts."""
    elements = RNG.random((60, 300, 300), dtype="f4")
    source, target = tmp_path / "a", tmp_path / "b"
    zarr.create_array(source, data=elements, chunks=elements.shape)
    whole = ["--codec", "zstd:19", "--threads", "1"]
    process = rechunk.start("run", source, target, *whole)
    deadline = time.monotonic() + 60
    while not (tmp_path / "b.rechunk" / "ready").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert time.monotonic() - begin < 1
    assert not (target / "zarr.json").exists()
    rechunk.ok("discard", target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]


def started_with_a_bar(
    rechunk: Rechunk, *arguments: object
) -> tuple[subprocess.Popen, str]:
    """Start a run on a terminal; return once there is a bar."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [rechunk.path, "run", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    text = b""
    deadline = time.monotonic() + 60
    while not BAR.search(text.decode()):
        assert time.monotonic() < deadline
        text += os.read(ours, 4096)
    os.close(ours)
    return process, text.decode()
