"""What a run says of itself in Python: its report, and warnings."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import h5py
import ml_dtypes
import numpy as np
import pytest
import zarr

from engines import ENGINES
from rechunk import RechunkError, RechunkWarning, rechunk

TEXT = "left out, because it cannot be read"
NOTES = [{"kind": "files", "arrays": ["broken"], "text": TEXT}]
# Of one way to run each executor.
REPORTING = [
    "threads",
    "python",
    "dask-threads",
    "dask-cluster",
    "prefect",
    "beam",
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write a group with a table beside its array, and a link to nowhere."""
    group = zarr.open_group(tmp_path / "s", mode="w")
    array = group.create_array("a", shape=(31, 20), chunks=(4, 20), dtype="i4")
    array[:] = np.random.default_rng(8).integers(0, 99, (31, 20))
    (tmp_path / "s" / "table.parquet").write_bytes(b"PAR1" * 100)
    (tmp_path / "s" / "broken").symlink_to(tmp_path / "nowhere")
    return tmp_path / "s"


@pytest.mark.parametrize("engine", REPORTING)
def test_engines_hand_on_the_report(
    source: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    engine: str,
) -> None:
    """Counts, files and notes are those of the run, on each engine."""
    way = ENGINES.get(engine)
    needs = way and way.needs and request.getfixturevalue(way.needs)
    keywords = {
        "dask-threads": {"scheduler": "threads"},
        "dask-cluster": {"scheduler": needs},
    }.get(engine, {})
    planned = rechunk(
        source, {"a": (31, 3)}, "10MB", tmp_path / "t",
        executor=way.executor if way else engine, verify=True,
    )  # fmt: skip
    assert planned.report is None
    with pytest.warns(RechunkWarning, match=f"^note: {TEXT}: broken$"):
        planned.execute(**keywords)
    assert planned.report is not None
    assert planned.report["files"] == {"copied": 1, "bytes": 400}
    assert planned.report["notes"] == NOTES
    assert planned.report["not_rechunked"] == []
    if engine != "python":
        stages = planned.report["arrays"][0]["stages"]
        assert stages[-1]["counted"]["objects_written"] == 7
        assert len(planned.report["arrays"][0]["digest"]) == 32
    assert planned.report["seconds"] > 0
    assert not (tmp_path / "t.rechunk").exists()
    assert (tmp_path / "t" / "table.parquet").read_bytes() == b"PAR1" * 100


def test_strict_runs_fail_before_the_target_is_visible(
    source: Path, tmp_path: Path
) -> None:
    """The error names what would have been noted."""
    for executor in ("threads", "dask"):
        planned = rechunk(
            source, {"a": (31, 3)}, "10MB", tmp_path / executor,
            executor=executor, strict=True,
        )  # fmt: skip
        with pytest.raises(RechunkError, match=f"strict: note: {TEXT}: broken"):
            planned.execute()
        assert not (tmp_path / executor / "zarr.json").exists()


def test_nothing_to_note_is_no_warning(
    source: Path, tmp_path: Path, run: Callable[..., None]
) -> None:
    """A run without files warns of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RechunkWarning)
        planned = rechunk(
            source, {"a": (31, 3)}, None, tmp_path / "t", without_files=True
        )
        run("threads", planned)
    assert planned.report is not None
    assert planned.report["files"] == {"copied": 0, "bytes": 0}
    assert not (tmp_path / "t" / "table.parquet").exists()


def test_what_the_package_notes_is_in_the_report(tmp_path: Path) -> None:
    """Attributes that are left out, types that zarr-python does not know."""
    with h5py.File(tmp_path / "f.h5", "w") as file:
        dataset = file.create_dataset("v", data=np.ones((6, 4)))
        dataset.attrs["whole"] = dataset.ref
        with pytest.warns(RechunkWarning, match="left out: whole"):
            planned = rechunk(dataset, (6, 1), "1MB", tmp_path / "h")
        planned.execute()
    assert planned.report is not None
    (note,) = planned.report["notes"]
    assert note["kind"] == "attributes" and "whole" in note["text"]
    numbers = np.ones((6, 4)).astype(ml_dtypes.bfloat16)
    with pytest.warns(RechunkWarning, match="read the data type bfloat16"):
        planned = rechunk(numbers, (6, 1), "1MB", tmp_path / "b")
    with pytest.warns(RechunkWarning, match="cannot open"):
        planned.execute()
    assert planned.report is not None
    for note in planned.report["notes"]:
        assert note["kind"] == "unreadable" and "bfloat16" in note["text"]
