"""Arrays in Google's store, by their URLs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from gcs_server import GcsServer
from jobs import JOBS, assert_equal_elements
from rechunk import rechunk
from trees import assert_only


@pytest.fixture
def bucket(
    gcs_server: GcsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Return the URL of a bucket whose objects lie in the test's folder."""
    for name, value in gcs_server.environment().items():
        monkeypatch.setenv(name, value)
    return f"gs://{tmp_path.name}"


def test_an_array_moves_within_a_bucket(
    bucket: str, gcs_server: GcsServer, tmp_path: Path
) -> None:
    """And is opened there by obstore, which is another client."""
    JOBS["staged"].make_source(tmp_path / "a")
    gcs_server.take_files(tmp_path.name)
    made = rechunk(
        f"{bucket}/a",
        (60, 7, 7),
        "800kB",
        f"{bucket}/b",
        storage_options={"max_requests": 8},
    ).execute()
    assert isinstance(made, zarr.Array)
    source = zarr.open_array(tmp_path / "a", mode="r")
    assert np.array_equal(made[...], source[...])
    gcs_server.remove_empty_folders(tmp_path.name)
    assert_equal_elements(tmp_path / "a", tmp_path / "b")
    assert_only(tmp_path, "a", "b")


def test_secrets_stay_out_of_errors(bucket: str) -> None:
    """The name of an option that is wrong is said, its value is not."""
    secret = '{"type": "TopSecret'
    with pytest.raises(Exception, match="no key of an account") as caught:
        rechunk(
            f"{bucket}/a",
            (2,),
            "1MB",
            f"{bucket}/b",
            storage_options={"service_account_key": secret},
        )
    assert "TopSecret" not in str(caught.value)
