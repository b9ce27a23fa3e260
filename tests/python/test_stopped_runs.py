"""What is left of runs that did not end, and what does not even begin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.storage import FsspecStore, MemoryStore

from compare import assert_same_elements
from rechunk import RechunkError, rechunk
from trees import assert_only

NUMBERS = np.random.default_rng(9).random((12, 20))
CHUNKS = (12, 5)


LARGE = np.random.default_rng(10).random((1200, 300))


class Stops:
    """An array whose reader presses Ctrl-C, once."""

    shape, dtype, chunks = LARGE.shape, LARGE.dtype, (4, 300)

    def __init__(self, error: type[BaseException], at: int = 3) -> None:
        self.error: type[BaseException] | None = error
        self.at = at
        self.reads = 0

    def __getitem__(self, region: Any) -> Any:
        part = LARGE[region]
        self.reads += part.size > 0
        if self.reads == self.at and self.error is not None:
            error, self.error = self.error, None
            raise error("stop")
        return part


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("again", ["same", "anew", "threads", "overwrite"])
def test_the_python_executor_can_be_stopped(
    tmp_path: Path, error: type[BaseException], again: str
) -> None:
    """A later call starts over, the same or another one."""
    source = Stops(error)

    def planned(executor: str = "python", **options: Any) -> Any:
        return rechunk(
            *(source, (3, 300), "2.5MB", tmp_path / "t"),
            executor=executor,
            **options,
        )

    first = planned()
    with pytest.raises((error, RechunkError)):
        first.execute()
    assert not (tmp_path / "t/zarr.json").exists()
    if again == "same":
        made = first.execute()
    elif again == "overwrite":
        made = planned(overwrite=True).execute()
    else:
        made = planned("threads" if again == "threads" else "python").execute()
    assert_same_elements(made[...], LARGE)
    assert_only(tmp_path, "t")


@pytest.mark.parametrize("kind", ["path", "memory"])
def test_what_the_hint_of_a_failed_run_says_goes(
    tmp_path: Path, kind: str
) -> None:
    """A source in memory is not known again: another call is refused."""
    target = tmp_path / "t" if kind == "path" else MemoryStore()
    call = (Stops(OSError, at=40), (3, 300), "2.5MB", target)
    planned = rechunk(*call, threads=1)
    with pytest.raises(RechunkError) as failed:
        planned.execute()
    assert planned.status()["tasks_done"] > 0
    with pytest.raises(RechunkError, match="unfinished run") as refused:
        rechunk(*call, threads=1)
    for error in (failed.value, refused.value):
        assert "`execute()` of the same plan continues" in error.hint
    assert_same_elements(planned.execute()[...], LARGE)


MEMORY: dict[str, Callable[[], Any]] = {
    "memory": MemoryStore,
    "fsspec": lambda: FsspecStore.from_url("memory://stopped"),
}


@pytest.mark.parametrize("role", ["source", "target", "temp_store"])
@pytest.mark.parametrize("kind", MEMORY)
def test_memory_of_this_process_is_not_sent_to_others(
    tmp_path: Path, kind: str, role: str, cluster: Any
) -> None:
    """Said before anything runs, by us and not by Dask."""
    zarr.create_array(tmp_path / "s", data=NUMBERS, chunks=(4, 20))
    store = MEMORY[kind]()
    given: dict[str, Any] = {"source": tmp_path / "s", "target": tmp_path / "t"}
    given[role] = store
    if role == "source":
        given[role] = zarr.create_array(
            store, data=NUMBERS, chunks=(4, 20), overwrite=True
        )
    planned = rechunk(
        given["source"],
        CHUNKS,
        "8MB",
        given["target"],
        temp_store=given.get("temp_store"),
        executor="dask",
        overwrite=role == "target",
    )
    for scheduler in (cluster, "processes"):
        with pytest.raises(RechunkError, match="its memory belongs to this"):
            planned.execute(scheduler=scheduler)
    assert not (tmp_path / "t").exists()
    planned.execute(scheduler="threads")


def test_a_plan_of_beam_waits_for_a_collection(tmp_path: Path) -> None:
    """And says what it can be applied to."""
    beam = pytest.importorskip("apache_beam")
    zarr.create_array(tmp_path / "s", data=NUMBERS, chunks=(4, 20))
    planned = rechunk(
        tmp_path / "s", CHUNKS, "8MB", tmp_path / "t", executor="beam"
    )
    with beam.Pipeline() as pipeline:
        before = (
            pipeline | beam.Create([1, 2, 3]) | beam.Filter(lambda n: n > 5)
        )
        before | "Rechunk" >> planned.plan
    assert_same_elements(zarr.open_array(tmp_path / "t")[...], NUMBERS)
    again = rechunk(
        tmp_path / "s", CHUNKS, "8MB", tmp_path / "u", executor="beam"
    )
    refused = pytest.raises(RechunkError, match="cannot be applied to a tuple")
    with refused, beam.Pipeline() as pipeline:
        both = tuple(pipeline | f"{n}" >> beam.Create([n]) for n in range(2))
        both | "Rechunk" >> again.plan
