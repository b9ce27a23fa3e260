"""Damaged objects: errors that name them, never other elements.

RECHUNK_FLIPS says how many, over all codecs; RECHUNK_SEED which.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest

from binary import binary_path
from damage import (
    LAYOUTS,
    TARGET_CHUNKS,
    damaged,
    elements_or_none,
    same_bits,
)
from system_codecs import system_codecs
from trees import data_files

SEED = int(os.environ.get("RECHUNK_SEED", "20260"))
FLIPS = int(os.environ.get("RECHUNK_FLIPS", "600"))
EACH = -(-FLIPS // len(LAYOUTS))


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command; it must end by itself."""
    done = subprocess.run(
        [binary_path(), *map(str, arguments)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
    )
    assert done.returncode in (0, 1), done
    return done


def what_others_read(path: Path) -> np.ndarray | None:
    """What zarr-python reads; where it refuses, with rechunk's libraries."""
    elements = elements_or_none(path)
    if elements is not None:
        return elements
    with system_codecs():
        return elements_or_none(path)


@pytest.mark.parametrize("verify", [False, True], ids=["run", "run, verify"])
@pytest.mark.parametrize("name", LAYOUTS)
def test_damage_to_a_source_is_an_error_or_what_others_read(
    tmp_path: Path, name: str, verify: bool
) -> None:
    """Where a checksum is, always an error, or no element is another."""
    layout = LAYOUTS[name]
    rng = np.random.default_rng([SEED, zlib.crc32(name.encode()), verify])
    source, target = tmp_path / "source", tmp_path / "target"
    elements = layout.write(source)
    objects = data_files(source)
    options = ["--chunks", TARGET_CHUNKS, "--threads", 1]
    for number in range(EACH * (1 if verify else 4) // 5 + 1):
        # With the source's chunks nothing need be decoded, but to verify.
        if verify:
            options[1] = "all" if number % 2 else ""
        key = str(rng.choice(list(objects)))
        whole = objects[key].read_bytes()
        bad, what = damaged(rng, whole)
        objects[key].write_bytes(bad)
        done = run("run", source, target, *options, *["--verify"] * verify)
        case = f"seed {SEED}, number {number}: {key}, {what}: {done.stderr}"
        if done.returncode == 1:
            assert key in done.stderr, case
            assert elements_or_none(target) is None, case
        else:
            assert layout.checksum != "all", case
            found = what_others_read(target)
            assert found is not None, case
            expected = elements if layout.checksum else what_others_read(source)
            assert expected is not None, f"zarr-python refuses it: {case}"
            assert same_bits(found, expected), case
        objects[key].write_bytes(whole)
        for left in tmp_path.glob("*target*"):
            shutil.rmtree(left)


@pytest.mark.parametrize("name", LAYOUTS)
def test_verify_finds_damage_to_a_target(tmp_path: Path, name: str) -> None:
    """As a difference or as an error, wherever an element is another."""
    layout = LAYOUTS[name]
    rng = np.random.default_rng([SEED, zlib.crc32(name.encode()), 2])
    source, target = tmp_path / "source", tmp_path / "target"
    elements = layout.write(source)
    run("run", source, target, "--chunks", TARGET_CHUNKS)
    objects = data_files(target)
    assert run("verify", source, target).returncode == 0
    for number in range(EACH // 3 + 1):
        key = str(rng.choice(list(objects)))
        whole = objects[key].read_bytes()
        bad, what = damaged(rng, whole)
        objects[key].write_bytes(bad)
        done = run("verify", source, target)
        case = f"seed {SEED}, number {number}: {key}, {what}: {done}"
        if done.returncode == 0:
            assert layout.checksum != "all", case
            found = what_others_read(target)
            assert found is not None and same_bits(found, elements), case
        objects[key].write_bytes(whole)
