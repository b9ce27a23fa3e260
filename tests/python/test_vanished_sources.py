"""Sources that the processes at work do not see are errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from rechunk import RechunkError, rechunk

ELEMENTS = np.random.default_rng(5).random((40, 40))


def _on_cluster(client: Any) -> dict[str, Any]:
    return {"scheduler": client}


WAYS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "threads": lambda _: {},
    "python": lambda _: {},
    "dask": _on_cluster,
}


@pytest.mark.parametrize("executor", WAYS)
@pytest.mark.parametrize("in_group", [False, True])
def test_a_source_that_was_moved_after_planning_is_missed(
    tmp_path: Path, cluster: Any, executor: str, in_group: bool
) -> None:
    """No target appears, verification or not."""
    source = tmp_path / "a"
    if in_group:
        zarr.create_group(source).create_array(
            "x", data=ELEMENTS, chunks=(4, 40)
        )
    else:
        zarr.create_array(source, data=ELEMENTS, chunks=(4, 40))
    planned = rechunk(
        source,
        (40, 4),
        "8MB",
        tmp_path / "b",
        executor=executor,
        verify=executor == "dask",
    )
    source.rename(tmp_path / "moved")
    with pytest.raises((RechunkError, FileNotFoundError), match="not find"):
        planned.execute(**WAYS[executor](cluster))
    with pytest.raises(FileNotFoundError):
        zarr.open(tmp_path / "b", mode="r")


def test_what_was_to_be_replaced_stays(tmp_path: Path) -> None:
    """The source is looked for before the old target is removed."""
    zarr.create_array(tmp_path / "a", data=ELEMENTS, chunks=(4, 40))
    zarr.create_array(tmp_path / "b", data=-ELEMENTS, chunks=(40, 40))
    planned = rechunk(
        tmp_path / "a", (40, 4), "8MB", tmp_path / "b", overwrite=True
    )
    (tmp_path / "a").rename(tmp_path / "moved")
    with pytest.raises(RechunkError, match="this process does not find"):
        planned.execute()
    kept = zarr.open_array(tmp_path / "b", mode="r")
    np.testing.assert_array_equal(kept[...], -ELEMENTS)


@pytest.mark.parametrize("verify", [False, True])
def test_a_store_in_the_memory_of_another_process_is_missed(
    tmp_path: Path, cluster: Any, verify: bool
) -> None:
    """It can be pickled, and is empty there."""
    pytest.importorskip("fsspec")
    from zarr.storage import FsspecStore

    store = FsspecStore.from_url(f"memory://{tmp_path.name}/a.zarr")
    zarr.create_array(store, data=ELEMENTS, chunks=(4, 40))
    source = zarr.open_array(store, mode="r")
    planned = rechunk(
        source,
        (40, 4),
        "8MB",
        tmp_path / "b",
        executor="dask",
        verify=verify,
    )
    with pytest.raises(Exception, match=r"does not find|belongs to this"):
        planned.execute(scheduler=cluster)
    with pytest.raises(FileNotFoundError):
        zarr.open(tmp_path / "b", mode="r")
    made = rechunk(source, (40, 4), "8MB", tmp_path / "c").execute()
    np.testing.assert_array_equal(made[...], ELEMENTS)


def test_array_likes_travel_with_the_plan(tmp_path: Path, cluster: Any) -> None:
    """They have no documents that a process could miss."""
    made = rechunk(
        ELEMENTS, (40, 4), "8MB", tmp_path / "b", executor="dask"
    ).execute(scheduler=cluster)
    np.testing.assert_array_equal(made[...], ELEMENTS)
