"""What a plan says before it is executed, and what it was made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from compare import assert_same_elements
from rechunk import Rechunked, rechunk
from trees import assert_only


@pytest.fixture
def noise(tmp_path: Path) -> zarr.Array:
    """Write what does not compress, which estimates cannot know."""
    elements = np.random.default_rng(8).random((40, 120, 130), dtype="f4")
    return zarr.create_array(
        tmp_path / "source", data=elements, chunks=(1, 120, 130)
    )


def planned(noise: zarr.Array, folder: Path, **keywords: str) -> Rechunked:
    """Plan it for series."""
    return rechunk(
        noise, (40, 12, 13), "4MB", folder / "target", threads=2, **keywords
    )


def test_plans_are_the_same_unless_calibrated(
    noise: zarr.Array, tmp_path: Path
) -> None:
    """Off is the default."""
    first = planned(noise, tmp_path).describe()
    assert planned(noise, tmp_path).describe() == first
    assert planned(noise, tmp_path, calibrate="off").describe() == first
    (array,) = first["arrays"]
    assert not array["costs"]["calibrated"]
    assert array["costs"]["source_stored_ratio"] < 0.5


def test_calibrated_plans_tell_what_was_measured(
    noise: zarr.Array, tmp_path: Path
) -> None:
    """They copy the same, and planning leaves nothing behind."""
    calibrated = planned(noise, tmp_path, calibrate="auto")
    assert_only(tmp_path, "source")
    (array,) = calibrated.describe()["arrays"]
    assert array["costs"]["calibrated"]
    assert 0.7 < array["costs"]["source_stored_ratio"] < 1.1
    assert array["costs"]["encode_ns_per_byte"] > 0
    assert_same_elements(calibrated.execute()[...], noise[...])
