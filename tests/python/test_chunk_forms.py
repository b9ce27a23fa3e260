"""Chunks as dask and rechunker have them, and options that were ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import numcodecs
import numpy as np
import pytest
import xarray as xr
import zarr

from rechunk import RechunkError, rechunk

NUMBERS = np.random.default_rng(8).random((20, 33, 10))


def chunks_of(chunks: Any, max_mem: Any = "8MB", **options: Any) -> Any:
    """Return the chunks of the target, as planned."""
    planned = rechunk(NUMBERS, chunks, max_mem, zarr.storage.MemoryStore())
    (array,) = planned.describe()["arrays"]
    return tuple(array["target_chunks"])


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (5, (5, 5, 5)),
        (np.int64(5), (5, 5, 5)),
        (-1, (20, 33, 10)),
        (((7, 7, 6), (33,), (4, 4, 2)), (7, 33, 4)),
        (((7, 7, 6), 11, -1), (7, 11, 10)),
        ({-1: 5, 0: 4}, (4, 33, 5)),
        (("10kB", -1, -1), (3, 33, 10)),
        ((-1, "10KiB", 1), (20, 33, 1)),
        ("8kB", None),
        (da.from_array(NUMBERS, chunks=(6, 8, 10)).chunks, (6, 8, 10)),
    ],
    ids=str,
)
def test_chunks_as_dask_has_them(chunks: Any, expected: Any) -> None:
    """Accepted where they have one meaning."""
    found = chunks_of(chunks)
    if expected is None:
        assert np.prod(found) * 8 <= 8000
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("chunks", "cause"),
    [
        ((), "0 given for 3 dimensions"),
        (((7, 6, 7), 33, 10), r"lengths \(7, 6, 7\) differ"),
        (((1, 19), 33, 10), r"lengths \(1, 19\) differ"),
        ((float("nan"), 33, 10), "nan is no length"),
        (((float("nan"), 3), 33, 10), "is no length"),
        ({-4: 5}, "no dimension"),
        ((((7, 7), 6), 33, 10), "is no length"),
    ],
    ids=str,
)
def test_chunks_without_a_meaning(chunks: Any, cause: str) -> None:
    """Refused by name."""
    with pytest.raises(RechunkError, match=cause):
        chunks_of(chunks)


@pytest.mark.parametrize("max_mem", ["4MB", "10MB", "600MB"])
def test_auto_fits_the_memory(max_mem: str) -> None:
    """It leaves room for what else a task holds."""
    numbers = np.zeros((100, 100, 100))
    for chunks in ("auto", ("auto", -1, 5), {0: "auto"}):
        store = zarr.storage.MemoryStore()
        planned = rechunk(
            da.from_array(numbers, chunks=(10, 10, 100)), chunks, max_mem, store
        )
        assert planned.describe()["peak_memory"] > 0
    with pytest.raises(RechunkError, match="max_mem="):
        rechunk(numbers, "auto:8MB", "4MB", store)  # What was said is meant.


def test_dimensions_win_where_all_names_are_dimensions(tmp_path: Path) -> None:
    """Also where one has a coordinate of its name, and None keeps."""
    dataset = xr.Dataset(
        {"v": (("time", "x"), NUMBERS[0])},
        coords={"x": np.arange(10)},
    ).chunk(time=3, x=5)
    made = rechunk(
        dataset, {"time": -1, "x": None}, "1MB", tmp_path / "t"
    ).execute()
    assert made["v"].chunks == (33, 5)
    with pytest.raises(RechunkError, match="no array 'time'"):
        rechunk(dataset, {"time": -1, "v": (3, 3)}, "1MB", tmp_path / "u")
    made = rechunk(dataset, {"x": (4,)}, "1MB", tmp_path / "v").execute()
    assert made["x"].chunks == (4,)


@pytest.mark.parametrize(
    ("shards", "expected"),
    [
        ((15, 33, 10), "15 along dimension 0 is no multiple.*10"),
        ({1: 20}, "20 along dimension 1"),
        ((20, -1, 10), (20, 33, 10)),
        ((500, 22, 10), (500, 22, 10)),
    ],
    ids=str,
)
def test_shards_are_whole_chunks(
    tmp_path: Path, shards: Any, expected: Any
) -> None:
    """Or end with the array; what is given otherwise is refused."""

    def planned() -> Any:
        return rechunk(
            NUMBERS, (10, 11, 10), "8MB", tmp_path / "t", shards=shards
        )

    if isinstance(expected, str):
        with pytest.raises(RechunkError, match=expected) as told:
            planned()
        assert "would do" in str(told.value)
    else:
        planned().execute()
        assert zarr.open_array(tmp_path / "t").shards == expected


@pytest.mark.parametrize("executor", ["threads", "python", "dask", "beam"])
def test_an_option_that_no_executor_knows(
    tmp_path: Path, executor: str
) -> None:
    """Is a TypeError that names it; nothing is written."""
    planned = rechunk(NUMBERS, 5, "8MB", tmp_path / "t.zarr", executor=executor)
    with pytest.raises(TypeError, match="num_wokers"):
        planned.execute(num_wokers=2)
    assert not (tmp_path / "t.zarr").exists()
    if executor == "dask":
        planned.execute(scheduler="threads", num_workers=2)
        with pytest.raises(TypeError, match="retries"):
            planned.execute(scheduler="threads", retries=2)


@pytest.mark.parametrize(
    ("own", "codecs"),
    [
        ({"compressor": numcodecs.Zstd(3)}, "zstd"),
        ({"compressors": (numcodecs.GZip(2),)}, "gzip"),
        ({"compressors": [numcodecs.Zstd(1), numcodecs.GZip(2)]}, "gzip"),
        ({"compressors": zarr.codecs.GzipCodec(level=2)}, "gzip"),
        ({"compressor": None, "overwrite": True}, ""),
        ({"compressor": "zstd:5", "write_empty_chunks": True}, "zstd"),
    ],
    ids=str,
)
@pytest.mark.parametrize("zarr_format", [None, 2, 3])
def test_options_of_rechunker_for_datasets(
    tmp_path: Path, own: Any, codecs: str, zarr_format: Any
) -> None:
    """Those that zarr groups have; the rest is the encoding."""
    if zarr_format == 2 and isinstance(own.get("compressors"), list):
        return  # v2 has one compressor.
    dataset = xr.Dataset({"v": (("y", "x"), NUMBERS[0])})
    options = {"v": {**own, "dtype": "f4"}}
    made = rechunk(
        *(dataset, {"y": 5}, "8MB", tmp_path / "t"),
        target_options=options,
        zarr_format=zarr_format,
    ).execute()
    assert made["v"].dtype == np.float32
    assert made["v"].chunks == (5, 10)  # Unnamed dimensions are whole.
    assert codecs in repr(made["v"].compressors).lower()
    assert bool(codecs) == bool(made["v"].compressors)
    found = xr.open_zarr(tmp_path / "t").load()
    xr.testing.assert_allclose(found, dataset, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"v": {"bogus": 1}}, "unexpected encoding parameters.*bogus"),
        ({"v": {"dtype": "nonsense"}}, "xarray cannot encode"),
        ({"v": {"chunks": (1, 1)}}, "give chunks in target_chunks"),
        ({"q": {"dtype": "f4"}}, "no variable 'q'"),
        ({"v": 5}, "target_options of 'v': a int is no dict"),
        ({"v": {"compressor": 5}}, "5 is no codec"),
        ({"v": {"overwrite": "yes"}}, "neither True nor False"),
        ({"v": {"filters": [numcodecs.Delta("f8")]}}, "filter delta.*leaves"),
    ],
    ids=str,
)
def test_wrong_options_for_datasets(
    tmp_path: Path, options: Any, cause: str
) -> None:
    """Errors in our words, and nothing is written."""
    dataset = xr.Dataset({"v": (("y", "x"), NUMBERS[0])})
    with pytest.raises(RechunkError, match=cause):
        rechunk(dataset, None, "1MB", tmp_path / "t", target_options=options)
    assert not any(tmp_path.iterdir())


def test_a_big_dataset_in_memory_is_cut_as_asked(tmp_path: Path) -> None:
    """Not as zarr would cut what is not named: it would choose chunks here."""
    wide = np.zeros((4, 300, 2000))
    dataset = xr.Dataset({"v": (("t", "y", "x"), wide)})
    made = rechunk(dataset, {"t": 1}, "100MB", tmp_path / "t").execute()
    assert made["v"].chunks == (1, 300, 2000)


def test_codecs_of_one_format_go_into_the_other(tmp_path: Path) -> None:
    """A dataset of Zarr v2 keeps its codecs in v3, and the other way round."""
    for source, target in ((2, 3), (3, 2)):
        codec = (
            numcodecs.GZip(3) if source == 2 else zarr.codecs.GzipCodec(level=3)
        )
        dataset = xr.Dataset({"v": (("y", "x"), NUMBERS[0])})
        dataset.to_zarr(
            tmp_path / f"s{source}",
            zarr_format=source,
            encoding={"v": {"compressors": [codec], "_FillValue": -1.0}},
        )
        opened = xr.open_zarr(tmp_path / f"s{source}")
        made = rechunk(
            *(opened, {"y": -1}, "1MB", tmp_path / f"t{target}"),
            zarr_format=target,
        ).execute()
        assert made["v"].metadata.zarr_format == target
        assert "gzip" in repr(made["v"].compressors).lower()
        found = xr.open_zarr(tmp_path / f"t{target}").load()
        xr.testing.assert_equal(found, opened.load())


def test_names_of_dimensions_may_hold_commas(tmp_path: Path) -> None:
    """And backslashes: the command needs a backslash before either."""
    array = zarr.create_array(
        tmp_path / "a",
        data=np.arange(72.0).reshape(9, 8),
        chunks=(3, 3),
        dimension_names=("x, y", "c:\\z"),
    )
    chunks = {"x, y": 5, "c:\\z": 2}
    rechunk(array, chunks, "8MB", tmp_path / "b").execute()
    assert zarr.open_array(tmp_path / "b").chunks == (5, 2)
