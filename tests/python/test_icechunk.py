"""Sessions of Icechunk: targets, alone and on Dask, and virtual sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from zarr.storage import LocalStore, WrapperStore

from compare import assert_same_elements
from rechunk import RechunkError, rechunk
from trees import assert_only

icechunk = pytest.importorskip("icechunk")

RNG = np.random.default_rng(7)
NUMBERS = RNG.random((101, 31, 29))
NUMBERS[:20] = 0
LONG = (101, 4, 3)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with an array and a group."""
    monkeypatch.chdir(tmp_path)
    zarr.create_array(
        "s.zarr",
        data=NUMBERS,
        chunks=(7, 29, 5),
        fill_value=0,
        dimension_names=("t", "y", "x"),
    )
    group = zarr.create_group("g.zarr", attributes={"by": "me"})
    group.create_array(
        "air/v",
        data=NUMBERS,
        chunks=(7, 29, 5),
        shards=(14, 29, 10),
        dimension_names=("t", "y", "x"),
    )
    group.create_array("one", data=np.array(5))
    group.create_array("none", shape=(9,), dtype="i4", fill_value=3)
    return tmp_path


@pytest.fixture
def repo() -> Any:
    """Return a new repository on the disk of nobody."""
    return icechunk.Repository.create(icechunk.in_memory_storage())


def committed(repo: Any, path: str = "") -> Any:
    """Return what a reader of the branch finds."""
    return zarr.open(repo.readonly_session("main").store, path=path, mode="r")


@pytest.mark.parametrize("executor", ["threads", "python", "dask"])
def test_a_session_takes_arrays_and_groups(
    folder: Path, repo: Any, executor: str
) -> None:
    """The user commits; until then nobody else sees anything."""
    on = {"scheduler": "sync"} if executor == "dask" else {}
    session = repo.writable_session("main")
    root = zarr.create_group(session.store)
    call = ("s.zarr", LONG, "600kB", root)
    made = rechunk(*call, array_name="in/t", executor=executor)
    assert made.describe()["arrays"][0]["method"] == "staged"
    assert_only(folder, "s.zarr", "g.zarr")
    assert_same_elements(made.execute(**on)[...], NUMBERS)
    with pytest.raises(RechunkError, match="exists"):
        rechunk(*call, array_name="in/t")
    assert_same_elements(made.execute(**on)[...], NUMBERS)
    into = zarr.create_group(session.store, path="all")
    group = rechunk(
        zarr.open_group("g.zarr", mode="r"),
        {"air/v": LONG},
        "4MB",
        into,
        shards=False,
        executor=executor,
        verify=executor != "python",
    )
    assert group.execute(**on).attrs["by"] == "me"
    with pytest.raises(FileNotFoundError):
        committed(repo)
    session.commit("all")
    assert_same_elements(committed(repo, "in/t")[...], NUMBERS)
    found = committed(repo, "all")
    assert_same_elements(found["air/v"][...], NUMBERS)
    assert found["air/v"].chunks == LONG
    assert found["one"][()] == 5
    assert (found["none"][...] == 3).all()
    opened = xr.open_zarr(
        repo.readonly_session("main").store, group="all/air", consolidated=False
    )
    assert opened["v"].dims == ("t", "y", "x")
    assert_only(folder, "s.zarr", "g.zarr")


@pytest.mark.parametrize("executor", ["threads", "python"])
def test_arrays_of_a_session_grow_and_are_replaced(
    folder: Path, repo: Any, executor: str
) -> None:
    """In part or as a whole; who reads the branch sees the old until then."""
    session = repo.writable_session("main")
    rechunk("s.zarr", LONG, "2MB", session.store).execute()
    session.commit("first")
    session = repo.writable_session("main")
    twice = np.concatenate([NUMBERS, NUMBERS])
    options = {"executor": executor}
    grown = rechunk("s.zarr", None, "2MB", session.store, append="t", **options)
    assert_same_elements(grown.execute()[...], twice)
    other = RNG.random(NUMBERS.shape)
    part = {"region": {"t": (0, 101)}, **options}
    rechunk(other, None, "2MB", session.store, **part).execute()
    assert_same_elements(committed(repo)[...], NUMBERS)
    session.commit("second")
    assert_same_elements(committed(repo)[...], np.concatenate([other, NUMBERS]))
    session = repo.writable_session("main")
    new = ("s.zarr", (10, 31, 29), "2MB", session.store)
    rechunk(*new, overwrite=True, **options).execute()
    session.commit("third")
    assert_same_elements(committed(repo)[...], NUMBERS)
    assert committed(repo).chunks == (10, 31, 29)
    assert_only(folder, "s.zarr", "g.zarr")


class Broken(WrapperStore):
    """A store of which some objects cannot be read while there is a file."""

    def __init__(self, store: Any, key: str, flag: Path) -> None:
        super().__init__(store)
        self.key = key
        self.flag = flag

    async def get(self, key: str, *rest: Any, **options: Any) -> Any:
        """Fail, or not."""
        if key.endswith(self.key) and self.flag.exists():
            raise OSError("the disk is wet")
        return await self._store.get(key, *rest, **options)


@pytest.fixture
def flag(folder: Path) -> Path:
    """Return the name of that file."""
    return folder / "flag"


def broken(folder: Path, name: str, key: str, flag: Path) -> Any:
    """Return such an array or group."""
    store = Broken(LocalStore(folder / name, read_only=True), key, flag)
    return zarr.open(store, mode="r")


def test_a_failed_run_leaves_nothing_that_looks_complete(
    folder: Path, repo: Any, flag: Path
) -> None:
    """Not even if it is committed; and it goes on where it was."""
    source = broken(folder, "s.zarr", "c/14/1/5", flag)
    session = repo.writable_session("main")
    made = rechunk(source, (7, 31, 29), "900kB", session.store, threads=1)
    flag.touch()
    with pytest.raises(RechunkError, match="disk is wet") as caught:
        made.execute()
    assert "Do not commit it" in caught.value.__notes__[0]
    for place in (session.store, repo.readonly_session("main").store):
        with pytest.raises(Exception, match=r"rechunk.unfinished|No .* found"):
            zarr.open(place, mode="r")
    session.commit("too early")
    with pytest.raises(Exception, match=r"rechunk.unfinished"):
        committed(repo)
    # Another session that has the chunks, and another call of the same work.
    session = repo.writable_session("main")
    flag.unlink()
    again = rechunk(source, (7, 31, 29), "900kB", session.store, threads=1)
    assert_same_elements(again.execute()[...], NUMBERS)
    (array,) = again.report["arrays"]
    (stage,) = array["stages"]
    assert 0 < stage["found_tasks"] < stage["tasks"]
    session.commit("now")
    assert_same_elements(committed(repo)[...], NUMBERS)
    assert_only(folder, "s.zarr", "g.zarr")


@pytest.mark.parametrize("how", ["dropped", "discarded"])
def test_records_do_not_outlive_the_chunks_of_their_session(
    folder: Path, repo: Any, flag: Path, how: str
) -> None:
    """The old chunks have the names and sizes of those that are lost."""
    session = repo.writable_session("main")
    rechunk("s.zarr", (7, 31, 29), "2MB", session.store, codec=None).execute()
    session.commit("old")
    new = RNG.random(NUMBERS.shape)
    zarr.create_array("n.zarr", data=new, chunks=(7, 29, 5))
    source = broken(folder, "n.zarr", "c/14/1/5", flag)
    session = repo.writable_session("main")
    call = {"region": "all", "threads": 1, "temp_store": folder / "tmp"}
    made = rechunk(source, None, "900kB", session.store, **call)
    flag.touch()
    with pytest.raises(RechunkError, match="disk is wet"):
        made.execute()
    if how == "dropped":
        session = repo.writable_session("main")
    else:
        session.discard_changes()
    assert_same_elements(zarr.open_array(session.store)[...], NUMBERS)
    flag.unlink()
    made = rechunk(source, None, "900kB", session.store, **call)
    assert_same_elements(made.execute()[...], new)
    session.commit("new")
    assert_same_elements(committed(repo)[...], new)


def test_what_a_session_cannot_take_is_named(folder: Path, repo: Any) -> None:
    """Before anything is written."""
    session = repo.writable_session("main")
    zarr.create_group(session.store)
    session.commit("a group")
    call = ("s.zarr", LONG, "2MB")
    with pytest.raises(RechunkError, match=r"reading only.*writable_session"):
        rechunk(*call, repo.readonly_session("main").store)
    session = repo.writable_session("main")
    with pytest.raises(RechunkError, match="Zarr 3 alone"):
        rechunk(*call, session.store, zarr_format=2, overwrite=True)
    with pytest.raises(RechunkError, match="nor needs consolidated"):
        rechunk(*call, session.store, consolidate=True, overwrite=True)
    with pytest.raises(RechunkError, match=r"temp_store.*nothing but Zarr"):
        rechunk(*call, session.store, temp_store=session.store)
    zarr.create_array(
        "dots.zarr",
        data=NUMBERS,
        chunk_key_encoding={"name": "v2", "separator": "."},
    )
    with pytest.raises(RechunkError, match=r"encoding.*only the default"):
        rechunk("dots.zarr", LONG, "2MB", session.store, overwrite=True)
    made = rechunk(*call, session.store, executor="beam", overwrite=True)
    with pytest.raises(Exception, match="another process"):
        made.execute()
    assert not session.has_uncommitted_changes
    assert_only(folder, "s.zarr", "g.zarr", "dots.zarr")


def test_shards_that_are_missing_are_fill_values(
    folder: Path, repo: Any
) -> None:
    """Icechunk says that they have no bytes, not that they are not there."""
    session = repo.writable_session("main")
    array = zarr.create_array(
        session.store,
        shape=NUMBERS.shape,
        chunks=(7, 31, 29),
        shards=(14, 31, 29),
        dtype="f8",
        fill_value=0,
    )
    array[28:] = NUMBERS[28:]
    session.commit("the first shards are missing")
    made = rechunk(committed(repo), LONG, "2MB", "t.zarr", shards=False)
    assert_same_elements(made.execute()[28:], NUMBERS[28:])
    assert not zarr.open_array("t.zarr", mode="r")[:28].any()


def test_virtual_chunks_are_a_source(folder: Path) -> None:
    """As those that Icechunk has itself."""
    raw = folder / "raw"
    raw.write_bytes(NUMBERS.tobytes())
    config = icechunk.RepositoryConfig.default()
    url = f"file://{folder}/"
    config.set_virtual_chunk_container(
        icechunk.VirtualChunkContainer(
            url, icechunk.local_filesystem_store(str(folder))
        )
    )
    repo = icechunk.Repository.create(
        icechunk.in_memory_storage(),
        config,
        authorize_virtual_chunk_access={url: None},
    )
    session = repo.writable_session("main")
    zarr.create_array(
        session.store,
        shape=NUMBERS.shape,
        chunks=(1, 31, 29),
        dtype="f8",
        compressors=None,
    )
    size = NUMBERS[0].nbytes
    for number in range(len(NUMBERS)):
        session.store.set_virtual_ref(
            f"c/{number}/0/0", f"{url}raw", offset=number * size, length=size
        )
    session.commit("references")
    made = rechunk(committed(repo), LONG, "600kB", "t.zarr", verify=True)
    assert_same_elements(made.execute()[...], NUMBERS)


def test_tasks_write_to_forks_that_are_merged(
    folder: Path, flag: Path, cluster: Any
) -> None:
    """On workers; a session gets all or nothing, and what is done is kept."""
    on = {"scheduler": cluster}
    repo = icechunk.Repository.create(
        icechunk.local_filesystem_storage(str(folder / "repo"))
    )
    session = repo.writable_session("main")
    group = broken(folder, "g.zarr", "c/7/0/2", flag)
    call = (group, {"air/v": LONG}, "1.2MB", session.store)
    options: dict[str, Any] = {"executor": "dask", "shards": False}
    made = rechunk(*call, **options)
    flag.touch()
    with pytest.raises(RechunkError, match=r"air/v") as caught:
        made.execute(**on)
    assert "as it was before" in caught.value.__notes__[0]
    assert not session.has_uncommitted_changes
    flag.unlink()
    before = made.status()["tasks_done"]
    assert before > 0
    assert_same_elements(made.execute(**on)["air/v"][...], NUMBERS)
    session.commit("one")
    assert_same_elements(committed(repo, "air/v")[...], NUMBERS)
    session = repo.writable_session("main")
    grow = rechunk(
        "s.zarr",
        None,
        "2MB",
        zarr.open_group(session.store)["air/v"],
        append="t",
        executor="dask",
    )
    grow.execute(**on)
    session.commit("two")
    assert_same_elements(
        committed(repo, "air/v")[...], np.concatenate([NUMBERS, NUMBERS])
    )
    assert_only(folder, "s.zarr", "g.zarr", "repo")


def test_processes_write_to_forks_without_a_cluster(folder: Path) -> None:
    """Their results come all at once."""
    repo = icechunk.Repository.create(
        icechunk.local_filesystem_storage(str(folder / "repo"))
    )
    session = repo.writable_session("main")
    made = rechunk("s.zarr", LONG, "2MB", session.store, executor="dask")
    made.execute(scheduler="processes", num_workers=1)
    session.commit("one")
    assert_same_elements(committed(repo)[...], NUMBERS)


def test_a_session_with_changes_is_forked_or_refused(
    folder: Path, repo: Any, cluster: Any
) -> None:
    """Icechunk 1 refuses; nothing happens then."""
    session = repo.writable_session("main")
    group = zarr.create_group(session.store)
    made = rechunk(
        "s.zarr", LONG, "2MB", group, array_name="t", executor="dask"
    )
    try:
        assert_same_elements(made.execute(scheduler=cluster)[...], NUMBERS)
    except RechunkError as error:
        assert "commit what it has" in str(error)
    assert_only(folder, "s.zarr", "g.zarr")
