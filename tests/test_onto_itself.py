"""No run writes into its own source, whatever that is called."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk
from trees import tree_hash

CHUNKS = ("--chunks", "20,3")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write a group of two arrays."""
    root = zarr.create_group(tmp_path / "s.zarr")
    for name in "ab":
        elements = np.random.default_rng(3).random((20, 20))
        root.create_array(name, data=elements, chunks=(3, 20))
    return tmp_path / "s.zarr"


@pytest.mark.parametrize("more", [(), ("--overwrite",), ("--region", "all")])
@pytest.mark.parametrize(
    ("of", "to"),
    [
        ("s.zarr", "s.zarr"),
        ("s.zarr", "dir/../s.zarr/"),
        ("s.zarr", "link"),
        ("s.zarr/a", "link/a"),
        ("link", "s.zarr/new"),
        ("s.zarr/a", "s.zarr"),
        ("other", "s.zarr"),
        ("other", "s.zarr/a"),
    ],
)
def test_other_names_of_the_source_are_refused(
    rechunk: Rechunk, source: Path, of: str, to: str, more: tuple[str, ...]
) -> None:
    """Also where a group has an array of the target by a link."""
    folder = source.parent
    (folder / "dir").mkdir()
    (folder / "link").symlink_to("s.zarr")
    zarr.create_group(folder / "other")
    (folder / "other" / "a").symlink_to("../s.zarr/a")
    before = tree_hash(source)
    layout = () if "--region" in more else CHUNKS
    refused = rechunk.fails(
        "run", folder / of, f"{folder}/{to}", *layout, *more
    )
    assert "source and target" in refused.stderr, str(refused)
    assert tree_hash(source) == before


@pytest.mark.parametrize(
    ("of", "to"),
    [("s.zarr", "bind"), ("bind", "s.zarr/x"), ("s.zarr/a", "bind/a")],
)
def test_bind_mounts_of_the_source_are_refused(
    rechunk: Rechunk, source: Path, of: str, to: str
) -> None:
    """They are no links, and no path tells them."""
    folder = source.parent
    (folder / "bind").mkdir()
    before = tree_hash(source)
    mount = f"mount --bind {source} {folder}/bind"
    run = [
        rechunk.path,
        "run",
        folder / of,
        folder / to,
        *CHUNKS,
        "--overwrite",
    ]
    inside = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*inside, mount], capture_output=True).returncode != 0:
        pytest.skip("no mounts may be made here")
    words = shlex.join(map(str, run))
    done = subprocess.run(
        [*inside, f"{mount} && {words}"], capture_output=True, text=True
    )
    assert done.returncode == 1, done
    assert "source and target" in done.stderr
    assert tree_hash(source) == before


@pytest.mark.parametrize("place", ["s.zarr", "s.zarr/a", "t.zarr"])
def test_temporary_data_lies_beside_source_and_target(
    rechunk: Rechunk, source: Path, place: str
) -> None:
    """Neither is a place for it."""
    target = source.parent / "t.zarr"
    before = tree_hash(source)
    refused = rechunk.fails(
        "run", source, target, *CHUNKS, "--temp", source.parent / place
    )
    assert "choose another --temp" in refused.stderr
    assert tree_hash(source) == before and not target.exists()


def test_a_plan_file_replaces_nothing_but_plans(
    rechunk: Rechunk, source: Path
) -> None:
    """Metadata, for example."""
    plan = ("plan", source, source.parent / "t.zarr", *CHUNKS, "--save")
    before = tree_hash(source)
    refused = rechunk.fails(*plan, source / "a" / "zarr.json")
    assert "choose another name" in refused.stderr
    assert tree_hash(source) == before
    rechunk.ok(*plan, source.parent / "plan.json")
    rechunk.ok(*plan, source.parent / "plan.json")
