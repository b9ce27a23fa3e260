"""Places: URLs, handles for reading only, stores that a run cannot write."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.storage import FsspecStore, LocalStore, MemoryStore, ZipStore

from binary import Rechunk, binary_path
from compare import assert_same_elements
from rechunk import RechunkError, rechunk
from trees import assert_only, tree_hash

NUMBERS = np.random.default_rng(5).random((12, 20))
CHUNKS = (12, 5)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a source."""
    zarr.create_array(tmp_path / "s.zarr", data=NUMBERS, chunks=(4, 20))
    monkeypatch.chdir(tmp_path)
    return tmp_path


URLS: dict[str, Callable[[Path], str]] = {
    "as_uri": lambda path: path.absolute().as_uri(),
    "localhost": lambda path: f"file://localhost{path.absolute()}",
    "as zarr prints it": lambda path: f"file://{path}",
    "one slash": lambda path: f"file:{path.absolute()}",
}


@pytest.mark.parametrize("name", ["t.zarr", "with space%.zarr", "ä#?.zarr"])
@pytest.mark.parametrize("kind", URLS)
def test_urls_of_files_are_paths(folder: Path, kind: str, name: str) -> None:
    """As source, as target, for temporary data; through the command, too."""
    url = URLS[kind]
    if kind != "as_uri" and "%" in name:
        return  # These two are not encoded.
    (folder / "s.zarr").rename(folder / f"s-{name}")
    source, target, temp = (
        url(Path(f"{letter}-{name}")) for letter in ("s", "t", "temp")
    )
    made = rechunk(source, CHUNKS, "1MB", target, temp_store=temp).execute()
    assert made.chunks == CHUNKS
    assert_same_elements(made[...], NUMBERS)
    array = zarr.open_array(folder / f"s-{name}")
    into = url(Path("g.zarr"))
    rechunk(array, CHUNKS, "1MB", into, array_name="a/b").execute()
    assert_same_elements(zarr.open_group("g.zarr")["a/b"][...], NUMBERS)
    kept = [f"s-{name}", f"t-{name}", "g.zarr", f"temp-{name}"]
    if kind != "one slash":
        command = Rechunk(binary_path())
        done = command("run", source, url(Path("c.zarr")), "--chunks", "12,5")
        assert done.exit_code == 0, done
        assert_same_elements(zarr.open_array("c.zarr")[...], NUMBERS)
        kept.append("c.zarr")
    assert_only(folder, *kept)


@pytest.mark.parametrize("scheme", ["az", "zip", "memory"])
def test_urls_of_other_kinds_are_refused(folder: Path, scheme: str) -> None:
    """By name, before anything is written, with the way that works."""
    before = tree_hash(folder)
    url = f"{scheme}://bucket/t.zarr"
    for given in (
        {"target_store": url},
        {"temp_store": url},
        {"source": url},
        {"target_store": url, "array_name": "a"},
    ):
        call = {"source": "s.zarr", "target_store": "t.zarr", **given}
        with pytest.raises(
            RechunkError, match=rf"no store for {scheme}://.*zar"
        ):
            rechunk(target_chunks=CHUNKS, max_mem="1MB", **call)
    for arguments in (["s.zarr", url], ["s.zarr", "t.zarr", "--temp", url]):
        command = Rechunk(binary_path())
        done = command("run", *arguments, "--chunks", "12,5")
        assert done.exit_code == 1
        assert f"no store for {scheme}://" in done.stderr
    assert tree_hash(folder) == before


def read_only_group() -> Any:
    """Return a group in a folder, opened for reading."""
    group = zarr.open_group("g.zarr", mode="a")
    group.create_array("v", data=NUMBERS, overwrite=True)
    return zarr.open_group("g.zarr", mode="r")


def read_only_memory() -> Any:
    """Return a store that says so."""
    return MemoryStore().with_read_only(True)


def read_only_fsspec() -> Any:
    """Return one of another file system."""
    return FsspecStore.from_url("memory://places/t", read_only=True)


READ_ONLY: dict[str, Callable[[], Any]] = {
    "group": read_only_group,
    "array": lambda: read_only_group()["v"],
    "local store": lambda: LocalStore("t.zarr", read_only=True),
    "memory store": read_only_memory,
    "fsspec store": read_only_fsspec,
}


@pytest.mark.parametrize("kind", READ_ONLY)
def test_what_was_opened_for_reading_is_not_written(
    folder: Path, kind: str
) -> None:
    """Not replaced, not written in part, not used for temporary data."""
    target = READ_ONLY[kind]()
    before = tree_hash(folder)
    name = "v" if kind == "group" else None
    source = zarr.open_array("s.zarr")
    for options in ({"overwrite": True}, {"region": "all"}, {"append": 0}):
        chunks = None if "overwrite" not in options else CHUNKS
        with pytest.raises(RechunkError, match=r"for reading only.*mode="):
            rechunk(
                *(source, chunks, "1MB", target), array_name=name, **options
            )
    with pytest.raises(RechunkError, match=r"temp_store.*for reading only"):
        rechunk("s.zarr", CHUNKS, "1MB", "t.zarr", temp_store=target)
    assert tree_hash(folder) == before
    assert_same_elements(  # As source it is welcome.
        rechunk(READ_ONLY["array"](), CHUNKS, "1MB", MemoryStore()).execute()[
            ...
        ],
        NUMBERS,
    )


def test_zip_files_are_named(folder: Path) -> None:
    """As a target; as a source they do, and by their path."""
    with ZipStore("s.zip", mode="w") as store:
        zarr.create_array(store, data=NUMBERS, chunks=(4, 20))
    made = rechunk("s.zip", CHUNKS, "1MB", "p.zarr").execute()
    assert_same_elements(made[...], NUMBERS)
    with pytest.raises(RechunkError, match="cannot write to a ZipStore"):
        rechunk("s.zarr", CHUNKS, "1MB", ZipStore("t.zip", mode="w"))
    array = zarr.open_array(ZipStore("s.zip", mode="r"), mode="r")
    made = rechunk(array, CHUNKS, "1MB", "t.zarr").execute()
    assert_same_elements(made[...], NUMBERS)


@pytest.mark.parametrize("executor", ["threads", "dask"])
def test_references_are_a_source(folder: Path, executor: str) -> None:
    """Also in other processes; what they name elsewhere must be allowed."""
    array = zarr.create_array(
        "a.zarr", data=NUMBERS, chunks=(4, 20), zarr_format=2
    )
    refs: dict[str, object] = {".zarray": Path("a.zarr/.zarray").read_text()}
    for key in Path("a.zarr").iterdir():
        if not key.name.startswith("."):
            refs[key.name] = [f"{folder}/a.zarr/{key.name}"]
    Path("refs").mkdir()
    Path("refs/x.json").write_text(json.dumps(refs))
    call = ("refs/x.json", CHUNKS, "1MB", "t.zarr")
    with pytest.raises(RechunkError, match=r'references_below=".*a.zarr/"'):
        rechunk(*call)
    made = rechunk(*call, executor=executor, references_below="a.zarr")
    assert_same_elements(made.execute()[...], array[...])
    with ZipStore("s.zip", mode="w") as store:
        zarr.create_group(store).create_array("a", data=NUMBERS)
    again = rechunk("s.zip/a", CHUNKS, "1MB", "u.zarr", executor=executor)
    assert_same_elements(again.execute()[...], NUMBERS)


@pytest.mark.parametrize("executor", ["threads", "dask", "python"])
def test_icechunk_is_a_source(folder: Path, executor: str) -> None:
    """Nothing is written to its storage."""
    icechunk = pytest.importorskip("icechunk")
    storage = icechunk.local_filesystem_storage(str(folder / "repo"))
    repo = icechunk.Repository.create(storage)
    session = repo.writable_session("main")
    group = zarr.open_group(session.store, mode="w", attributes={"by": "me"})
    group.create_array("a", data=NUMBERS, chunks=(4, 20))
    group.create_array("sub/b", data=np.arange(10), chunks=(2,))
    session.commit("one")
    before = tree_hash(folder / "repo")
    stored = zarr.open_group(repo.readonly_session("main").store, mode="r")
    made = rechunk(
        stored, {"a": CHUNKS}, "4MB", "t.zarr", executor=executor, verify=True
    ).execute()
    assert_same_elements(made["a"][...], NUMBERS)
    assert_same_elements(made["sub/b"][...], np.arange(10))
    assert made.attrs["by"] == "me"
    assert tree_hash(folder / "repo") == before
