"""Messages of the core, as Python shows them."""

from __future__ import annotations

import re
from pathlib import Path
from zipfile import is_zipfile

import numpy as np
import pytest
import zarr

from rechunk import RechunkError, RechunkWarning, rechunk


@pytest.mark.parametrize(
    ("content", "called"),
    [(b"\x89HDF\r\n\x1a\n", "HDF5"), (b"PK\x03\x04", "zip archive")],
)
def test_a_file_is_told_by_what_it_holds(
    tmp_path: Path, content: bytes, called: str
) -> None:
    """As source and as target."""
    (tmp_path / "x").write_bytes(content)
    zarr.create_array(tmp_path / "s", data=np.ones((4, 4)), chunks=(1, 4))
    with pytest.raises(RechunkError, match=called):
        rechunk(tmp_path / "x", (4, 1), "1MB", tmp_path / "t")
    with pytest.raises(RechunkError, match=called):
        rechunk(tmp_path / "s", (4, 1), "1MB", tmp_path / "x").execute()
    assert (tmp_path / "x").read_bytes() == content


@pytest.mark.parametrize("executor", ["threads", "python", "dask"])
def test_a_zip_archive_is_made_and_opened(
    tmp_path: Path, executor: str
) -> None:
    """By each executor; what an execution returns reads it."""
    data = np.random.default_rng(3).random((4, 6))
    zarr.create_array(tmp_path / "s", data=data, chunks=(1, 6))
    target = tmp_path / "t.zip"
    planned = rechunk(tmp_path / "s", (4, 2), "1MB", target, executor=executor)
    made = planned.execute()
    assert made.chunks == (4, 2)
    np.testing.assert_array_equal(made[...], data)
    assert is_zipfile(target)
    with pytest.raises(RechunkError, match="not changed"):
        rechunk(data, None, "1MB", target, region="all")
    assert {path.name for path in tmp_path.iterdir()} == {"s", "t.zip"}


def test_the_memory_that_would_do_does(tmp_path: Path) -> None:
    """As it stands in the hint."""
    source = np.ones((400, 300))
    with pytest.raises(RechunkError) as refused:
        rechunk(source, (400, 7), "1kB", tmp_path / "t")
    found = re.search(r'max_mem="(\d+\w+)" would do', str(refused.value))
    assert found, refused.value
    made = rechunk(source, (400, 7), found.group(1), tmp_path / "t").execute()
    np.testing.assert_array_equal(made[...], source)


def test_chunks_beyond_what_a_codec_holds_are_refused_by_the_plan(
    tmp_path: Path,
) -> None:
    """Of an array-like, too."""
    import numcodecs

    source = np.broadcast_to(np.uint8(1), (3, 1 << 30))
    with pytest.raises(RechunkError, match="with blosc: 3221225472 bytes"):
        rechunk(
            source,
            (3, 1 << 30),
            "12GiB",
            tmp_path / "t",
            zarr_format=2,
            target_options={"compressor": numcodecs.Blosc("lz4")},
        )


def test_options_are_spelled_as_keywords(tmp_path: Path) -> None:
    """In warnings, plans, reports and errors."""
    nan = {"x": float("nan")}
    source = zarr.create_group(tmp_path / "s", zarr_format=2, attributes=nan)
    source.create_array("t", data=np.ones((4, 4)), chunks=(1, 4))
    call = (tmp_path / "s", {"t": (4, 1)}, "1MB", tmp_path / "t")
    note = 'refuse; nan_attributes="text" writes them as strings'
    with pytest.warns(RechunkWarning, match=note):
        planned = rechunk(*call, zarr_format=3)
    planned.execute()
    assert planned.report is not None
    for told in (planned.describe(), planned.report):
        assert [one["text"].endswith(note) for one in told["notes"]] == [True]
    for more, said in (
        ({"strict": True, "overwrite": True}, "without strict these are"),
        ({}, "overwrite=True replaces it"),
        ({"shards": {"y": 4}}, "shards: no array of the source has"),
    ):
        with pytest.raises(RechunkError, match=said) as refused:
            rechunk(*call, zarr_format=3, **more)
        assert "--" not in str(refused.value)


def test_an_unfinished_run_is_resumed_by_its_plan(tmp_path: Path) -> None:
    """And given up by the command, which the package brings."""
    source = np.random.default_rng(1).random((40, 30))
    target = tmp_path / "t"
    begun = rechunk(source, (40, 3), "1MB", target, executor="python")
    begun._plan.prepare()
    said = "same plan continues it, overwrite=True begins anew"
    with pytest.raises(RechunkError) as refused:
        rechunk(source, (40, 2), "1MB", target).execute()
    assert said in str(refused.value)
