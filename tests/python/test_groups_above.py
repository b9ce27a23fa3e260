"""A target within a group: its readers see it, by either format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import xarray as xr
import zarr
from zarr.storage import MemoryStore

from binary import Rechunk, binary_path
from compare import assert_same_elements
from rechunk import RechunkError, rechunk
from trees import tree_hash

NUMBERS = np.random.default_rng(6).random((12, 20))
TIMES = np.arange(12).astype("M8[s]")
CHUNKS = (12, 5)


def stored(place: Any, zarr_format: int) -> zarr.Array:
    """Return an array of that format."""
    return zarr.create_array(
        place, data=NUMBERS, chunks=(4, 20), zarr_format=zarr_format
    )


@pytest.mark.parametrize("kind", ["local", "memory"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_it_has_the_format_of_the_group(
    tmp_path: Path, zarr_format: int, kind: str
) -> None:
    """Whatever the source is; a group within a group, too."""
    place = tmp_path / "g" if kind == "local" else MemoryStore()
    group = zarr.create_group(place, zarr_format=zarr_format)
    other = stored(tmp_path / "a", 5 - zarr_format)
    sources = {
        "stored": other,
        "dask": da.from_array(NUMBERS, chunks=(4, 20)),
        "numpy": NUMBERS,
    }
    for name, source in sources.items():
        rechunk(source, CHUNKS, "1MB", group, array_name=name).execute()
        assert group[name].metadata.zarr_format == zarr_format
        assert_same_elements(group[name][...], NUMBERS)
    rechunk(TIMES, 5, "1MB", group, array_name="in/time").execute()
    assert_same_elements(group["in/time"][...], TIMES)
    dataset = xr.Dataset({"v": (("y", "x"), NUMBERS)})
    inner = group.create_group("inner")
    rechunk(dataset, {"y": -1, "x": 5}, "1MB", inner).execute()
    assert {*sources, "in", "inner"} == set(group)
    assert_same_elements(group["inner/v"][...], NUMBERS)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_another_format_is_refused(tmp_path: Path, zarr_format: int) -> None:
    """By the command and by Python; and taken where there is no group."""
    command = Rechunk(binary_path())
    group = zarr.create_group(tmp_path / "g", zarr_format=zarr_format)
    stored(tmp_path / "a", 5 - zarr_format)
    other = str(5 - zarr_format)
    run = ["run", tmp_path / "a", tmp_path / "g/x", "--chunks", "12,5"]
    before = tree_hash(tmp_path)
    told = command.fails(*run, "--zarr-format", other).stderr
    assert f"lies in a group of Zarr v{zarr_format}" in told
    with pytest.raises(RechunkError, match=f"group of Zarr v{zarr_format}"):
        rechunk(
            *(NUMBERS, CHUNKS, "1MB", group),
            array_name="x",
            zarr_format=5 - zarr_format,
        )
    assert tree_hash(tmp_path) == before
    command.ok(*run)
    assert_same_elements(group["x"][...], NUMBERS)
    alone = tmp_path / "folder/x"
    command.ok("run", tmp_path / "a", alone, "--zarr-format", zarr_format)
    assert zarr.open_array(alone).metadata.zarr_format == zarr_format


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_consolidated_metadata_above_knows_of_it(
    tmp_path: Path, zarr_format: int
) -> None:
    """Of all groups above; where there is none, none is made."""
    command = Rechunk(binary_path())
    root = zarr.create_group(tmp_path / "g", zarr_format=zarr_format)
    root.create_group("in/deep").create_array("old", data=NUMBERS)
    for path in ("in", ""):
        zarr.consolidate_metadata(
            tmp_path / "g", path=path, zarr_format=zarr_format
        )
    stored(tmp_path / "a", zarr_format)
    place = tmp_path / "g/in/deep"
    command.ok("run", tmp_path / "a", place / "one", "--chunks", "12,5")
    deep = zarr.open_group(place)
    rechunk(NUMBERS, CHUNKS, "1MB", deep, array_name="two").execute()
    rechunk(NUMBERS, CHUNKS, "1MB", root, array_name="in/new/three").execute()
    rechunk(
        *(NUMBERS[:5], (5, 5), "1MB", deep), array_name="old", overwrite=True
    ).execute()
    for path in ("in", ""):
        group = zarr.open_consolidated(
            tmp_path / "g", path=path, zarr_format=zarr_format
        )
        below = "" if path else "in/"
        for name in ("deep/one", "deep/two", "new/three"):
            assert group[below + name].chunks == CHUNKS
        assert group[f"{below}deep/old"].shape == (5, 20)
        names = [name for name, _ in group.members(max_depth=None)]
        assert not any("rechunk" in name for name in names)
    with pytest.raises(ValueError, match=r"onsolidated|zmetadata"):
        zarr.open_consolidated(place, zarr_format=zarr_format)
