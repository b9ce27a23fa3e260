"""Places in a bucket that are named by URLs."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.storage import ObjectStore

from rechunk import RechunkError, rechunk
from servers import Bucket

NUMBERS = np.random.default_rng(5).integers(0, 99, (96, 60, 40), dtype="i4")


def options_of(bucket: Bucket, **others: Any) -> dict[str, Any]:
    """What the caller would give."""
    return {
        "endpoint_url": bucket.server.endpoint(),
        "aws_access_key_id": bucket.server.access_key,
        "aws_secret_access_key": bucket.server.secret_key,
        "region": "us-east-1",
        **others,
    }


@pytest.mark.parametrize("executor", ["threads", "python", "dask"])
def test_from_a_path_over_a_bucket_to_a_bucket(
    bucket: Bucket, tmp_path: Path, executor: str
) -> None:
    """Credentials are given, and stand in no plan."""
    source = zarr.create_array(
        tmp_path / "s.zarr", data=NUMBERS, chunks=(2, 60, 40)
    )
    storage = options_of(bucket)
    first = rechunk(
        str(tmp_path / "s.zarr"),
        (96, 10, 8),
        "800kB",
        bucket.url("a.zarr"),
        executor=executor,
        storage_options=storage,
    )
    text = repr(first) + repr(first._target) + first._plan.text
    assert bucket.server.secret_key not in text
    assert bucket.server.access_key not in text
    opened = first.execute()
    np.testing.assert_array_equal(opened[...], NUMBERS)
    second = rechunk(
        bucket.url("a.zarr"),
        (2, 60, 40),
        "800kB",
        str(tmp_path / "b.zarr"),
        temp_store=bucket.url("scratch"),
        executor=executor,
        storage_options=storage,
        verify=True,
    )
    pickle.loads(pickle.dumps(second._plan))
    np.testing.assert_array_equal(second.execute()[...], NUMBERS)
    stored = zarr.open_array(
        ObjectStore(bucket.store("a.zarr"), read_only=True), mode="r"
    )
    assert stored.chunks == (96, 10, 8)
    np.testing.assert_array_equal(stored[...], source[...])
    assert all(key.startswith("a.zarr/") for key in bucket.left())


def test_a_wrong_key_is_named_and_shown_to_nobody(
    bucket: Bucket, tmp_path: Path
) -> None:
    """The error says what to check."""
    zarr.create_array(tmp_path / "s.zarr", data=NUMBERS, chunks=(2, 60, 40))
    storage = options_of(bucket, aws_secret_access_key="this-is-secret")
    with pytest.raises(RechunkError, match="key") as caught:
        rechunk(
            str(tmp_path / "s.zarr"),
            (96, 10, 8),
            "1MB",
            bucket.url("a.zarr"),
            storage_options=storage,
        ).execute()
    assert "this-is-secret" not in str(caught.value)
    assert bucket.left() == set()
