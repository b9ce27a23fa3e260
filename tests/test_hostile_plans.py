"""Plan files and flags that are wrong on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from binary import Rechunk
from hostile import make_array, refuse


@pytest.fixture
def plan(rechunk: Rechunk, tmp_path: Path) -> Path:
    """Save a plan."""
    make_array(tmp_path / "a")
    path = tmp_path / "plan.json"
    rechunk.ok(
        *("plan", tmp_path / "a", tmp_path / "out", "--chunks", "7,7"),
        *("--save", path),
    )
    return path


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"plan_hash": 1}',
        b'{"plan_hash": "", "a": ' + b"[" * 1_000_000,
        b'{"plan_hash": "", "a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b"\xff\xfe",
    ],
    ids=range(8),
)
def test_what_is_no_plan_is_refused(
    rechunk: Rechunk, tmp_path: Path, plan: Path, text: bytes
) -> None:
    """Deep JSON must not exhaust the stack."""
    plan.write_bytes(text)
    arguments = ("task", plan, "0", "0", "0..1")
    assert "plan" in refuse(rechunk, tmp_path, *arguments)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"max_memory": ', '"max_memory": -'),
        ('"tasks": ', '"tasks": 9'),
        ("zarr.json", "../zarr.json"),
        ("/out", "/elsewhere"),
    ],
)
def test_a_changed_plan_is_refused(
    rechunk: Rechunk, tmp_path: Path, plan: Path, old: str, new: str
) -> None:
    """The hash tells accidents; it is no signature."""
    text = plan.read_text()
    assert old in text
    plan.write_text(text.replace(old, new))
    arguments = ("task", plan, "0", "0", "0..1")
    assert "changed after it was saved" in refuse(rechunk, tmp_path, *arguments)


# --- The command line ---


@pytest.mark.parametrize(
    "flags",
    [
        ("--chunks", "9223372036854775808,1"),
        ("--chunks", "-9223372036854775808,1"),
        ("--chunks", ",".join(["1"] * 20_000)),
        ("--chunks", "auto:99999999999999999999EiB"),
        ("--chunks", "=" * 1000),
        ("--chunks", "7,7", "--max-memory", "9" * 1000),
        ("--chunks", "7,7", "--max-memory", "1e999999999"),
        ("--chunks", "7,7", "--threads", "2147483648"),
        ("--chunks", "7,7", "--codec", "[" * 100_000),
        ("--chunks", "7,7", "--codec", "zstd:" + "1" * 1000),
        ("--chunks", "7,7", "--codec", "crc32c" + "+crc32c" * 10_000),
        ("--chunks", "7,7", "--shards", "9223372036854775808,14"),
    ],
)
def test_numbers_beyond_measure_are_refused(
    rechunk: Rechunk, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    """Flags are the user's own, but scripts fill them in."""
    make_array(tmp_path / "a")
    arguments = ("run", tmp_path / "a", tmp_path / "out", *flags)
    refuse(rechunk, tmp_path, *arguments)
