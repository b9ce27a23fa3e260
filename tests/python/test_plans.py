"""What a plan says before it is executed, and what it was made from."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
import zarr

from compare import assert_same_elements
from rechunk import Rechunked, rechunk
from rechunk.report import byte_size
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
    """What is short is not measured by default."""
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
    calibrated = planned(noise, tmp_path, calibrate="on")
    assert_only(tmp_path, "source")
    (array,) = calibrated.describe()["arrays"]
    assert array["costs"]["calibrated"]
    assert 0.7 < array["costs"]["source_stored_ratio"] < 1.1
    assert array["costs"]["encode_ns_per_byte"] > 0
    assert_same_elements(calibrated.execute()[...], noise[...])


@pytest.mark.parametrize(
    ("executor", "calibrate", "is_measured"),
    [
        ("threads", "auto", True),
        ("threads", "off", False),
        ("python", "auto", False),
        ("python", "on", True),
    ],
)
def test_by_default_long_jobs_are_measured_where_they_are_planned(
    tmp_path: Path, executor: str, calibrate: str, is_measured: bool
) -> None:
    """Engines run on other machines."""
    source = zarr.create_array(
        tmp_path / "source",
        shape=(1000, 1000, 1000),
        dtype="f4",
        chunks=(10, 1000, 1000),
    )
    plan = rechunk(
        source,
        (1000, 1, 1),
        "1GB",
        tmp_path / "target",
        threads=2,
        executor=executor,
        calibrate=calibrate,
    ).describe()
    (array,) = plan["arrays"]
    assert array["costs"]["missing_share"] == float(is_measured)


def one_array(folder: Path) -> Rechunked:
    """Plan an array with shards in three stages."""
    zarr.create_array(
        folder / "source",
        shape=(600, 40, 50),
        dtype="<i2",
        chunks=(2, 40, 50),
        shards=(20, 40, 50),
        compressors=None,
    )
    return rechunk(
        folder / "source",
        (600, 4, 5),
        "200kB",
        folder / "target",
        shards=(600, 20, 25),
        threads=1,
    )


def rendered(planned: Rechunked, way: str) -> str:
    """Return the text, or what a reader sees of the HTML, which is sound."""
    if way == "text":
        return repr(planned)
    root = fromstring(planned._repr_html_())
    return " ".join(text for text in root.itertext())


@pytest.mark.parametrize("way", ["text", "html"])
def test_a_plan_shows_what_it_will_do(tmp_path: Path, way: str) -> None:
    """Layout of every place; stages, tasks, bytes, memory."""
    planned = one_array(tmp_path)
    shown = rendered(planned, way)
    plan = planned.describe()
    (array,) = plan["arrays"]
    elements = "(600, 40, 50) <i2"
    assert f"{elements}, chunks (2, 40, 50) in shards (20, 40, 50)" in shown
    assert f"{elements}, chunks (600, 4, 5) in shards (600, 20, 25)" in shown
    assert f"staged, {len(array['stages'])} stages" in shown
    assert len(array["stages"]) > 1
    for number, stage in enumerate(array["stages"]):
        box = tuple(stage["chunks"])
        assert f"{stage['source']} -> {stage['target']}" in shown
        assert f"{stage['tasks']} task" in shown
        assert f"of {box} with {byte_size(stage['max_task_bytes'])}" in shown
        assert f"reads {byte_size(stage['bytes_decoded'])} of" in shown
        assert f"writes {byte_size(stage['bytes_encoded'])} to" in shown
        if number + 1 < len(array["stages"]):
            assert f"intermediate-{number + 1}" in shown
            assert f"{elements}, objects {box}, packed" in shown
    for name in ("peak_memory", "max_memory", "temp_bytes"):
        assert byte_size(plan[name]) in shown
    assert f"about {plan['predicted_seconds']:.2g} s" in shown
    assert str(tmp_path / "target") in shown


@pytest.mark.parametrize("way", ["text", "html"])
def test_groups_with_many_arrays_show_the_largest(
    tmp_path: Path, way: str
) -> None:
    """And how much the others are together; names may hold anything."""
    root = zarr.create_group(tmp_path / "source")
    lengths = {f"<{number}> & co": 10 + 3 * number for number in range(30)}
    for name, length in lengths.items():
        root.create_array(name, shape=(length,), chunks=(7,), dtype="f8")
    planned = rechunk(root, {"<3> & co": (5,)}, "2MB", tmp_path / "target")
    shown = rendered(planned, way)
    assert len(shown) < 5000
    assert "22 smaller arrays" in shown
    largest = sorted(lengths, key=lengths.__getitem__)[-8:]
    assert [name for name in lengths if f"{name}," in shown] == largest
    rest = sum(lengths[name] for name in set(lengths) - set(largest))
    assert byte_size(8 * rest) in shown


@pytest.mark.parametrize("way", ["text", "html"])
def test_what_is_copied_as_it_is_shows_too(tmp_path: Path, way: str) -> None:
    """Passthrough, arrays of strings, of no elements, and scalars."""
    root = zarr.create_group(tmp_path / "source")
    root.create_array("none", shape=(0, 3), chunks=(2, 2), dtype="f4")
    root.create_array("one", shape=(), dtype="f4")
    root.create_array("words", shape=(9,), chunks=(4,), dtype=str)
    shown = rendered(rechunk(root, None, "2MB", tmp_path / "target"), way)
    for name in ("none", "one", "words"):
        assert f"{name}, " in shown
    assert "passthrough" in shown
