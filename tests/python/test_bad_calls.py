"""Calls that make no sense: a clear error, and nothing is written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.storage import MemoryStore

import rechunk as package
from rechunk import RechunkError, rechunk

NUMBERS = np.arange(600, dtype="<f4").reshape(20, 30)
CHUNKS = (20, 3)


class Thing:
    """Nothing that any parameter could mean."""

    def __repr__(self) -> str:
        return "<thing>"


THING = Thing()


def listing(folder: Path) -> set[tuple[str, int]]:
    """Return all that lies below, with its time."""
    return {
        (str(path.relative_to(folder)), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Sources of all kinds, unchanged at the end, and nothing beside them."""
    array = zarr.create_array(
        tmp_path / "a.zarr",
        shape=NUMBERS.shape,
        chunks=(5, 30),
        dtype=NUMBERS.dtype,
        compressors=None,
        dimension_names=("y", "x"),
    )
    array[...] = NUMBERS
    group = zarr.create_group(tmp_path / "g.zarr")
    for name in ("v", "w"):
        group.create_array(
            name, data=NUMBERS, chunks=(5, 30), dimension_names=("y", "x")
        )
    zarr.create_group(tmp_path / "full.zarr").create_array("v", data=NUMBERS)
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    monkeypatch.chdir(tmp_path)
    before = listing(tmp_path)
    yield tmp_path
    assert listing(tmp_path) == before


def refuse(*parts: str, **parameters: Any) -> RechunkError:
    """Call with parameters like these; the error, which names the parts."""
    given = {
        "source": "a.zarr",
        "target_chunks": CHUNKS,
        "max_mem": "1MB",
        "target_store": "t.zarr",
        **parameters,
    }
    with pytest.raises(RechunkError) as caught:
        rechunk(**given)
    text = str(caught.value)
    for part in parts:
        assert part in text, f"{part!r} is not in {text!r}"
    assert "--" not in text, f"a flag of the command: {text}"
    assert "bad_cast" not in text
    return caught.value


BAD_CHUNKS = [
    ((20,), "1 given for 2 dimensions"),
    ((20, 3, 1), "3 given for 2 dimensions"),
    ((0, 3), "less than 1"),
    ((-2, 3), "less than 1"),
    ((20.0, 3), "20.0 is no length"),
    ((20, "a"), '"a" is not a length'),
    ({"z": 3}, 'no dimension "z"; there are y, x'),
    ({5: 3}, 'no dimension "5"'),
    ({"y": 1.5}, "1.5 is no length"),
    ({"y": "x"}, "not a length"),
    ("nonsense", "not a length"),
    ("auto:xx", "does not start with a number"),
    (True, "True is no shape"),
    (3.5, "3.5 is no shape"),
    (b"20,3", "is no shape"),
    ({1, 2}, "is no shape"),
    (THING, "is no shape"),
    ([[1, 2], [3]], "the lengths [1, 2] differ"),
]


@pytest.mark.parametrize("chunks, cause", BAD_CHUNKS, ids=str)
def test_wrong_chunks_of_an_array(
    folder: Path, chunks: Any, cause: str
) -> None:
    """The cause, and the forms that there are."""
    error = refuse(cause, target_chunks=chunks)
    assert isinstance(error, ValueError)
    assert error.hint


@pytest.mark.parametrize(
    "chunks, cause",
    [
        ({"q": (2,)}, "no array 'q' (its arrays are v, w; its dimensions y, x"),
        ({"v": (1, 2, 3)}, "array v"),
        ({"v": {"z": 1}}, 'no dimension "z"'),
        ({"v": 5.5}, "5.5 is no shape"),
        ({"v": {"y": 1}, "y": 3}, "no array 'y'"),
        ({1: 2}, "no array 1"),
        ((3, 3, 3), "no array of the source has such dimensions"),
    ],
    ids=str,
)
def test_wrong_chunks_of_a_group(folder: Path, chunks: Any, cause: str) -> None:
    """The array is named."""
    refuse(cause, source="g.zarr", target_chunks=chunks)


WRONG_TYPES: dict[str, list[Any]] = {
    "source": [None, 5, b"a.zarr", THING, [1, 2], {"a": 1}, ""],
    "max_mem": [
        *("x", "-5", "0", "", "1QB", b"1MB", 0, -1, True, THING, [1]),
        *(float("nan"), float("inf")),
    ],
    "target_store": [None, 5, b"t.zarr", THING, "", "file", "file/t.zarr"],
    "target_options": [5, "x", [("compressor", None)], THING],
    "temp_store": [5, THING, "", "file"],
    "temp_options": [5, "x", THING],
    "executor": [None, 5, "nope", "", package.Executor, THING],
    "array_name": [5, "", "a//b", "../x", "/x", "x/", "zarr.json", ["x"]],
    "shards": [True, "x", 5, {"q": 4}, THING],
    "codec": [5, "bogus", "zstd:99", "{", THING],
    "zarr_format": [1, 4, "3", 2.0, True],
    "consolidate": ["yes", 5],
    "write_empty_chunks": ["no", 5],
    "threads": [-1, 0, "2", 1.5, True, 10**12],
    "overwrite": ["no", 5],
    "overwrite_in_place": ["no", 5],
    "verify": ["no", 5],
    "keep_temp": ["no", 5],
    "durable": ["no", 5],
    "strict": ["no", 5],
    "without_files": ["no", 5],
    "references_below": [5, ["a", 5], ""],
    "nan_attributes": [None, True, "TEXT", "", 5, THING],
    "calibrate": [None, True, "always", "AUTO", 5, THING],
    "region": [
        *(5, "", "x", {}, {"y": 5}, {"y": (0, 1, 2)}, {"y": (-1, 3)}, THING),
        *({True: (0, 1)}, {"": (0, 1)}, {"y": slice(0, 4, 2)}, {"a,b": (0, 1)}),
    ],
    **{
        name: [5, "region=x", [("region", "x")], {"a": None}, {5: "x"}, THING]
        for name in (
            "storage_options",
            "target_storage_options",
            "temp_storage_options",
        )
    },
    "append": [1.5, "", True, -1, THING, ["y"]],
}


@pytest.mark.parametrize(
    "name, value",
    [(name, value) for name, values in WRONG_TYPES.items() for value in values],
    ids=str,
)
def test_wrong_values_of_every_parameter(
    folder: Path, name: str, value: Any
) -> None:
    """Each is an InvalidArgumentError, and so a ValueError."""
    error = refuse(**{name: value})
    assert isinstance(error, ValueError), repr(error)


def test_every_parameter_is_tried() -> None:
    """Those of chunks have tests of their own."""
    import inspect

    names = set(inspect.signature(rechunk).parameters)
    assert names == {*WRONG_TYPES, "target_chunks"}


@pytest.mark.parametrize(
    "options, cause",
    [
        ({"fill_value": 3}, "there is no option 'fill_value'"),
        ({"compressor": 5}, "5 is no codec"),
        ({"order": "F"}, "order of the target cannot be changed"),
        ({"filters": [1]}, "filters of the target cannot be changed"),
        ({"overwrite": "yes"}, "overwrite: 'yes' is neither True nor False"),
    ],
    ids=str,
)
def test_wrong_options_of_the_target(
    folder: Path, options: Any, cause: str
) -> None:
    """Of an array, and by array of a group."""
    refuse(cause, target_options=options)
    refuse(
        cause,
        source="g.zarr",
        target_chunks=None,
        target_options={"v": options},
    )
    refuse("no array 'q'", source="g.zarr", target_options={"q": options})


@pytest.mark.parametrize(
    "source, cause",
    [
        ("missing.zarr", "missing.zarr: it does not exist"),
        ("papers", "it holds no Zarr array or group"),
        ("file", "is a file"),
        ("az://bucket/a.zarr", "no store for az://"),
    ],
)
def test_a_source_that_is_none(folder: Path, source: str, cause: str) -> None:
    """The path is named."""
    refuse(source, cause, source=source)


@pytest.mark.parametrize(
    "target, cause",
    [
        ("papers", "not empty, and is no Zarr array or group"),
        ("full.zarr", "full.zarr exists (overwrite=True replaces it)"),
        ("a.zarr", "the same place"),
        ("a.zarr/below", "within each other"),
        (".", "within each other"),
    ],
)
def test_a_target_that_holds_something_else(
    folder: Path, target: str, cause: str
) -> None:
    """Said when it is planned, with every executor."""
    for executor in ("threads", "python", "dask"):
        refuse(cause, target_store=target, executor=executor)
    if target in ("papers", "a.zarr"):
        refuse(cause, target_store=target, overwrite=True)


def test_names_and_groups_must_fit_together(folder: Path) -> None:
    """An array needs a name in a group; a group has none."""
    group = zarr.open_group("full.zarr")
    refuse("give the array's name in the group", target_store=group)
    refuse("keep their names", source="g.zarr", array_name="x")


def test_a_budget_that_is_too_small_names_one_that_does(folder: Path) -> None:
    """In the words of the call."""
    error = refuse("max_mem=", "would do", max_mem=100)
    assert isinstance(error, package.errors.BudgetExceededError)


class Locked:
    """An array-like that cannot be pickled."""

    shape = NUMBERS.shape
    dtype = NUMBERS.dtype

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __getitem__(self, region: Any) -> Any:
        return NUMBERS[region]


def in_memory() -> zarr.Array:
    """Return an array whose chunks no other process sees."""
    return zarr.create_array(MemoryStore(), data=NUMBERS, chunks=(5, 30))


@pytest.mark.parametrize(
    "parameters, cause",
    [
        (
            {"source": Locked},
            "sending the source, a Locked, to another process",
        ),
        ({"source": in_memory}, "its memory belongs to this one"),
        ({"target_store": MemoryStore}, "its memory belongs to this one"),
        ({"temp_store": MemoryStore}, "its memory belongs to this one"),
    ],
    ids=["locked source", "source", "target", "temp"],
)
def test_what_other_processes_cannot_have(
    folder: Path, parameters: dict[str, Callable[[], Any]], cause: str
) -> None:
    """Named before anything starts; threads can use it."""
    given = {name: make() for name, make in parameters.items()}
    source = given.pop("source", "a.zarr")
    target = given.pop("target_store", "t.zarr")
    planned = rechunk(source, CHUNKS, "1MB", target, executor="dask", **given)
    with pytest.raises(RechunkError, match=cause):
        planned.execute(scheduler="processes")


def test_executors_refuse_keywords_that_they_do_not_know(folder: Path) -> None:
    """As any function does."""
    for executor in ("threads", "python"):
        planned = rechunk("a.zarr", CHUNKS, "1MB", "t", executor=executor)
        with pytest.raises(TypeError, match="nonsense"):
            planned.execute(nonsense=1)
    planned = rechunk("a.zarr", CHUNKS, "1MB", "t")
    with pytest.raises(RechunkError, match="5 is neither a bool nor"):
        planned.execute(progress=5)
