"""Stores of zarr-python: what they are asked for, and how much at a time."""

from __future__ import annotations

import asyncio
import collections
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from obstore.store import LocalStore as LocalObstore
from obstore.store import MemoryStore as MemoryObstore
from zarr.storage import (
    FsspecStore,
    MemoryStore,
    ObjectStore,
    WrapperStore,
    ZipStore,
)

from compare import assert_same_elements
from rechunk import RechunkError, rechunk
from rechunk.stores import StoreAdapter


class Watched(WrapperStore):
    """Counts what another store is asked for, answers late, and may fail.

    It is a class of its own, so nothing is known of its medium.
    """

    def __init__(self, store: Any, delay: float = 0.0) -> None:
        super().__init__(store)
        self.delay = delay
        self.calls: collections.Counter[str] = collections.Counter()
        self.flying = self.most = self.cancelled = 0
        self.broken = ""

    async def _late(self, name: str, key: str, call: Any) -> Any:
        self.calls[name] += 1
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            if self.broken and key.endswith(self.broken):
                raise OSError("the disk is wet")
            if name in ("get", "set"):
                await asyncio.sleep(self.delay)
            return await call
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            call.close()
            self.flying -= 1

    async def get(self, key: str, *rest: Any, **options: Any) -> Any:
        """Counts."""
        kind = "get" if "/c/" in f"/{key}" else "get document"
        return await self._late(
            kind, key, self._store.get(key, *rest, **options)
        )

    async def getsize(self, key: str) -> int:
        """Counts those of each key."""
        return await self._late(f"size of {key}", key, self._store.getsize(key))

    def sizes(self, *keys: str) -> int:
        """Return how often the sizes of these chunks were asked for."""
        return sum(self.calls[f"size of c/{key}"] for key in keys)

    async def set(self, key: str, value: Any) -> None:
        """Counts."""
        kind = "set" if "/c/" in f"/{key}" else "set document"
        await self._late(kind, key, self._store.set(key, value))


def numbers(*shape: int) -> Any:
    """Return what cannot be compressed."""
    return np.random.default_rng(11).random(shape)


STORES: dict[str, Any] = {
    "memory": lambda _: MemoryStore(),
    "fsspec": lambda folder: FsspecStore.from_url(f"memory://{folder.name}"),
    "object store in memory": lambda _: ObjectStore(MemoryObstore()),
    "object store on disk": lambda folder: ObjectStore(
        LocalObstore(folder / "o", mkdir=True)
    ),
    "late": lambda _: Watched(MemoryStore(), 0.001),
}
LAYOUTS: dict[str, dict[str, Any]] = {
    "chunks": {"chunks": (7, 29, 5)},
    "raw": {"chunks": (7, 29, 5), "compressors": None},
    "shards": {"chunks": (7, 5, 5), "shards": (35, 15, 30)},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", STORES)
def test_every_kind_is_source_target_and_temporary_place(
    tmp_path: Path, kind: str, layout: str
) -> None:
    """Staged, whatever the layout."""
    elements = numbers(101, 31, 29)
    elements[:20] = 0  # Chunks that are missing, and markers.
    store = STORES[kind](tmp_path)
    zarr.create_array(
        store, name="s", data=elements, fill_value=0, **LAYOUTS[layout]
    )
    group = zarr.open_group(store, mode="a")
    made = rechunk(
        group["s"], (101, 4, 3), "600kB", group, array_name="t", threads=2
    )
    (array,) = made.describe()["arrays"]
    assert array["method"] == "staged"
    assert_same_elements(made.execute()[...], elements)
    back = rechunk(
        group["t"],
        (50, 31, 29),
        "4MB",
        tmp_path / "back",
        verify=True,
    ).execute()
    assert_same_elements(back[...], elements)


@pytest.mark.parametrize("kind", ["plain", "bz2", "replaced", "of no name"])
def test_zip_is_a_source(tmp_path: Path, kind: str) -> None:
    """The core reads it, unless zipfile alone can: then in turn, since its
    file has one position.
    """
    elements = numbers(60, 40)
    path = tmp_path / ("s.zip" if kind != "of no name" else "s.pack")
    method = zipfile.ZIP_BZIP2 if kind == "bz2" else zipfile.ZIP_STORED
    with ZipStore(path, mode="w", compression=method) as store:
        group = zarr.create_group(store)
        group.create_array(
            "in/a", data=elements, chunks=(7, 9), shards=(21, 18)
        )
    group = zarr.open_group(ZipStore(path, mode="r"), mode="r")
    if kind == "replaced":
        path.unlink()
        with ZipStore(path, mode="w") as store:
            zarr.create_group(store).create_array("in/a", data=-elements)
    made = rechunk(group["in/a"], (60, 5), "1MB", tmp_path / "t", threads=4)
    is_native = made.describe()["source"]["url"] == f"{path}/in/a"
    assert is_native == (kind == "plain")
    assert_same_elements(made.execute()[...], elements)
    whole = rechunk(group, {"in/a": (60, 5)}, "2MB", tmp_path / "g").execute()
    assert_same_elements(whole["in/a"][...], elements)


@pytest.mark.parametrize("compressors", [None, "auto"])
def test_each_chunk_costs_one_request(tmp_path: Path, compressors: Any) -> None:
    """Nothing asks for sizes that an answer shows."""
    elements = numbers(64, 60)
    store = Watched(MemoryStore())
    target = Watched(MemoryStore())
    array = zarr.create_array(
        store, data=elements, chunks=(4, 60), compressors=compressors
    )
    plan = rechunk(array, (64, 4), "8MB", target)
    store.calls.clear()  # Samples of the source are read for the plan.
    made = plan.execute()
    (planned,) = plan.describe()["arrays"]
    assert planned["method"] == "direct"
    assert store.calls["get"] == 16, store.calls
    # That of the first is asked for to see that the source is still there.
    assert store.sizes(*(f"{row}/0" for row in range(1, 16))) == 0
    assert target.calls["set"] == 15
    assert_same_elements(made[...], elements)


def test_a_shard_costs_one_size(tmp_path: Path) -> None:
    """Its index is asked for together with its size; ranges know that."""
    elements = numbers(64, 60)
    store = Watched(MemoryStore())
    array = zarr.create_array(
        store, data=elements, chunks=(4, 20), shards=(16, 60)
    )
    plan = rechunk(array, (16, 60), "8MB", tmp_path / "t")
    store.calls.clear()
    made = plan.execute()
    assert store.sizes("1/0", "2/0", "3/0") == 3, store.calls
    assert store.calls["get"] == 4 + 4 * 12
    assert_same_elements(made[...], elements)


def test_late_stores_have_many_requests_in_flight(tmp_path: Path) -> None:
    """At least 16, and so a run is quicker than its requests in turn."""
    elements = numbers(128, 64)
    source = Watched(MemoryStore())
    array = zarr.create_array(source, data=elements, chunks=(2, 64))
    target = Watched(MemoryStore(), 0.05)
    plan = rechunk(array, (128, 1), "64MB", target, threads=1)
    source.delay = 0.05
    source.calls.clear()
    began = time.monotonic()
    plan.execute()
    seconds = time.monotonic() - began
    chunks = source.calls["get"] + target.calls["set"]
    assert chunks == 128
    assert source.most >= 16
    assert target.most >= 16
    assert seconds < 0.05 * chunks
    assert_same_elements(zarr.open_array(target._store)[...], elements)


def test_an_error_names_its_key_and_ends_the_others(tmp_path: Path) -> None:
    """Nothing stays in flight; the run can go on afterwards."""
    elements = numbers(128, 64)
    source = Watched(MemoryStore())
    array = zarr.create_array(source, data=elements, chunks=(2, 64))
    plan = rechunk(array, (128, 8), "64MB", tmp_path / "t", threads=1)
    source.delay = 10
    source.broken = "c/1/0"
    began = time.monotonic()
    with pytest.raises(RechunkError, match=r"(?s)c/1/0.*the disk is wet"):
        plan.execute()
    assert time.monotonic() - began < 9
    assert source.flying == 0
    assert source.cancelled > 0
    source.delay = 0
    source.broken = ""
    assert_same_elements(plan.execute()[...], elements)


def test_it_works_below_a_running_loop(tmp_path: Path) -> None:
    """As in a notebook."""
    elements = numbers(40, 30)
    array = zarr.create_array(
        Watched(MemoryStore(), 0.001), data=elements, chunks=(4, 30)
    )

    async def cell() -> Any:
        return rechunk(array, (40, 3), "8MB", MemoryStore()).execute()

    assert_same_elements(asyncio.run(cell())[...], elements)


@pytest.mark.parametrize(
    "kind", ["memory", "object store in memory", "object store on disk"]
)
def test_one_of_many_creates_a_key(tmp_path: Path, kind: str) -> None:
    """Nobody else hears that it was the first."""
    from concurrent.futures import ThreadPoolExecutor

    adapter = StoreAdapter(STORES[kind](tmp_path))
    for key in ("a", "deep/b"):
        with ThreadPoolExecutor(8) as pool:
            first = pool.map(
                lambda number, key=key: adapter.create_if_absent(
                    key, b"%d" % number
                ),
                range(32),
            )
            assert sum(first) == 1
    assert adapter.erase("a")
    assert not adapter.erase("a")
