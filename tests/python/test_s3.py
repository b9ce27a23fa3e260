"""Arrays in buckets, through stores of zarr-python."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import zarr
from zarr.storage import ObjectStore

from engines import ENGINES
from jobs import JOBS, assert_equal_elements
from rechunk import rechunk
from servers import Bucket

Run = Callable[..., None]


def zarr_store(bucket: Bucket, prefix: str) -> ObjectStore:
    """Return a store of zarr-python at a prefix."""
    return ObjectStore(bucket.store(prefix))


@pytest.mark.parametrize("engine", ["threads", "dask-cluster"])
def test_an_array_moves_within_a_bucket(
    bucket: Bucket, run: Run, engine: str
) -> None:
    """With its temporary data there: workers share nothing else."""
    JOBS["staged"].make_source(zarr_store(bucket, "a"))
    source = zarr.open_array(zarr_store(bucket, "a"), mode="r")
    target, temp = (zarr_store(bucket, name) for name in ("b", "temp"))
    options = {"temp_store": temp, "executor": ENGINES[engine].executor}
    run(engine, rechunk(source, (60, 7, 7), "800kB", target, **options))
    assert_equal_elements(zarr_store(bucket, "a"), zarr_store(bucket, "b"))
    assert {key.split("/")[0] for key in bucket.left()} == {"a", "b"}


def test_a_group_moves_within_a_bucket(bucket: Bucket) -> None:
    """All arrays of it, in the chunks that were asked for."""
    JOBS["group"].make_source(zarr_store(bucket, "a"))
    source = zarr.open_group(zarr_store(bucket, "a"), mode="r")
    chunks = {"maps": (90, 9, 9), "deep/flat": (33,)}
    target = zarr_store(bucket, "b")
    made = rechunk(source, chunks, "2200kB", target).execute()
    assert made["maps"].chunks == (90, 9, 9)
    assert_equal_elements(zarr_store(bucket, "a"), zarr_store(bucket, "b"))
    assert {key.split("/")[0] for key in bucket.left()} == {"a", "b"}
