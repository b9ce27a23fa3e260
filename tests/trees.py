"""What lies in a folder: hashes, leftovers, damage."""

from __future__ import annotations

import hashlib
from pathlib import Path

METADATA_NAMES = {"zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"}


def files(root: Path) -> dict[str, Path]:
    """All files below a folder, by their path relative to it."""
    return {
        str(path.relative_to(root)): path
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def tree_hash(root: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by relative path."""
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in files(root).items()
    }


def data_files(root: Path) -> dict[str, Path]:
    """Files below a folder that hold chunks or shards."""
    return {
        name: path
        for name, path in files(root).items()
        if path.name not in METADATA_NAMES
    }


def assert_only(folder: Path, *names: str) -> None:
    """Require that nothing but these entries lies in a folder."""
    found = {path.name for path in folder.iterdir()}
    assert found <= set(names), f"left behind: {sorted(found - set(names))}"


def assert_no_partial_files(folder: Path) -> None:
    """Require that no unfinished objects lie below a folder."""
    left = [path for path in folder.rglob("*") if "partial" in path.name]
    assert not left, f"unfinished objects: {left}"
