"""Groups with thousands of small arrays: one run, little for each of them."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk

pytestmark = pytest.mark.any_place

ARRAYS, LENGTH, CHUNK, TARGET_CHUNK = 2000, 7, 4, 3
DOCUMENT = {
    "zarr_format": 3,
    "node_type": "array",
    "shape": [LENGTH],
    "data_type": "float64",
    "chunk_grid": {
        "name": "regular",
        "configuration": {"chunk_shape": [CHUNK]},
    },
    "chunk_key_encoding": {"name": "default"},
    "fill_value": 0,
    "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
    "attributes": {"units": "K"},
    "dimension_names": ["x"],
}
JOB = ("--chunks", f"x={TARGET_CHUNK}", "--max-memory", "64MB", "--threads", 2)


def name_of(array: int) -> str:
    """Return the name of one of them."""
    return f"station-{array:04d}"


@pytest.fixture(scope="module")
def elements() -> np.ndarray:
    """Return what the arrays hold, one row each."""
    return np.random.default_rng().random((ARRAYS, LENGTH))


@pytest.fixture
def source(tmp_path: Path, elements: np.ndarray) -> Path:
    """Write them without zarr-python, which takes its time."""
    root = tmp_path / "a"
    root.mkdir()
    (root / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')
    document = json.dumps(DOCUMENT)
    for array, values in enumerate(elements):
        (root / name_of(array) / "c").mkdir(parents=True)
        (root / name_of(array) / "zarr.json").write_text(document)
        padded = np.zeros(2 * CHUNK)
        padded[:LENGTH] = values
        for chunk in range(2):
            part = padded[chunk * CHUNK : (chunk + 1) * CHUNK]
            path = root / name_of(array) / "c" / str(chunk)
            path.write_bytes(part.tobytes())
    return root


def assert_right(target: Path, elements: np.ndarray) -> None:
    """Compare all chunks, and some arrays through zarr-python."""
    for array, values in enumerate(elements):
        folder = target / name_of(array) / "c"
        found = b"".join((folder / str(n)).read_bytes() for n in range(3))
        assert np.frombuffer(found)[:LENGTH].tobytes() == values.tobytes()
    for array in range(0, ARRAYS, 97):
        found = zarr.open_array(target / name_of(array), mode="r")
        assert found.chunks == (TARGET_CHUNK,)
        assert found[...].tobytes() == elements[array].tobytes()


@pytest.mark.only_paths
def test_a_run_takes_about_as_long_as_its_files(
    rechunk: Rechunk, source: Path, elements: np.ndarray
) -> None:
    """Copying the source is the measure; the target has a chunk more each."""
    begin = time.monotonic()
    shutil.copytree(source, source.parent / "copied")
    copy_seconds = time.monotonic() - begin
    target = source.parent / "b"
    result = rechunk("run", source, target, *JOB, "--json")
    assert result.exit_code == 0, str(result)
    assert result.seconds < 1 + 10 * copy_seconds
    stages = [array["stages"] for array in result.json()["arrays"]]
    assert [len(stage) for stage in stages] == [1] * ARRAYS
    assert sum(stage["counted"]["objects_written"] for (stage,) in stages) == (
        3 * ARRAYS
    )
    assert_right(target, elements)


def test_many_arrays_share_an_object_of_the_journal(
    rechunk: Rechunk, source: Path, elements: np.ndarray
) -> None:
    """It has a few objects when the last array fails, and all that was done."""
    target = source.parent / "b"
    damaged = source / name_of(ARRAYS - 1) / "c" / "0"
    chunk = damaged.read_bytes()
    damaged.write_bytes(chunk[:5])
    failed = rechunk("run", source, target, *JOB)
    assert failed.exit_code == 1
    assert name_of(ARRAYS - 1) in failed.stderr
    records = [
        path
        for path in (source.parent / "b.rechunk" / "done").rglob("*")
        if path.is_file()
    ]
    assert 1 <= len(records) <= 2 + failed.seconds / 0.2
    status = rechunk("status", target, "--json").json()
    assert status["tasks_done"] > 0.95 * status["tasks"]
    damaged.write_bytes(chunk)
    resumed = rechunk("resume", target, "--json")
    assert resumed.exit_code == 0, str(resumed)
    assert_right(target, elements)
