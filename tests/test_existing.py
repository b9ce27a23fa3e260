"""Writing into arrays that exist, and behind their ends."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk, Result
from compare import assert_same_elements, read
from existing_cases import (
    aligned_box,
    common_steps,
    make,
    outside,
    random_layouts,
    random_memory,
    random_pair,
    region_text,
)
from layouts import random_layout
from trees import assert_only, tree_hash

pytestmark = pytest.mark.any_place

SEED = int(os.environ.get("RECHUNK_SEED", "2027"))
CASES = int(os.environ.get("RECHUNK_EXISTING", "60"))
RNG = np.random.default_rng(SEED)


def run_within(rechunk: Rechunk, memory: list[str], *words: object) -> Result:
    """Run with little memory, or with the least that will do."""
    result = rechunk("run", *words, *memory)
    if result.exit_code == 1 and "needs at least" in result.stderr:
        bytes_needed = result.smallest_budget_bytes()
        result = rechunk("run", *words, "--max-memory", bytes_needed)
    assert result.exit_code == 0, str(result)
    return result


@pytest.mark.parametrize("number", range(CASES))
def test_a_region_is_written_and_nothing_else(
    rechunk: Rechunk, tmp_path: Path, number: int
) -> None:
    """From a source of its shape, or from the same region of a whole one."""
    rng = np.random.default_rng([SEED, number])
    shape, kind, formats = random_pair(rng)
    layout = random_layout(rng, shape, kind, formats[0])
    if whole := bool(rng.random() < 0.4):
        layout, source_layout = random_layouts(
            rng, [shape, shape], kind, formats
        )
        box = aligned_box(rng, shape, common_steps(layout, source_layout))
    else:
        box = aligned_box(rng, shape, layout.object_shape)
        extent = tuple(part.stop - part.start for part in box)
        source_layout = random_layout(rng, extent, kind, formats[1])
    names = [f"d{axis}" for axis in range(len(shape))]
    named = names if formats[0] == 3 and rng.random() < 0.7 else None
    target = make(rng, tmp_path / "b", shape, kind, layout, named)
    source = make(
        rng,
        tmp_path / "a",
        shape if whole else tuple(part.stop - part.start for part in box),
        kind,
        source_layout,
    )
    before = outside(target, box)
    words = [source.path, target.path, "--region", region_text(box, named, rng)]
    if rng.random() < 0.3:
        words.append("--write-empty-chunks")
    if rng.random() < 0.3:
        words.append("--verify")
    run_within(rechunk, random_memory(rng), *words)
    expected = target.elements.copy()
    expected[box] = source.elements[box] if whole else source.elements
    assert_same_elements(read(target.path), expected)
    assert outside(target, box) == before
    assert_only(tmp_path, "a", "b")


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A target of five by two chunks, and a source for two rows of it."""
    rng = np.random.default_rng(SEED)
    for name, shape in (("a", (20, 30)), ("b", (50, 30))):
        zarr.create_array(
            tmp_path / name,
            data=rng.random(shape, dtype="f4"),
            chunks=(10, 15),
            dimension_names=("time", "x"),
            attributes={"units": "K"},
        )
    return tmp_path / "a", tmp_path / "b"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--region", "time=5:25"), "--region time=0:30 would do"),
        (("--region", "time=40:50,x=3:20"), "neither that of the region"),
        (("--region", "time=30:50,x=0:30"), None),
        (("--region", "time=30:51"), "not within the 50 elements"),
        (("--region", "time=30:30"), "not within"),
        (("--region", "y=30:50"), 'no dimension "y"'),
        (("--region", "all"), "nor that of the target"),
        (("--region", "time=30"), "no range"),
        (("--region", "time=a:b"), "no index"),
        (("--region", "time=0:10,time=10:20"), "two ranges"),
        (("--append", "x"), "all other dimensions must be equal"),
        (("--append", "y"), "no dimension"),
    ],
)
def test_what_cannot_be_is_refused(
    rechunk: Rechunk, pair: tuple[Path, Path], words: tuple, message: str | None
) -> None:
    """Before anything is written; what would do is named."""
    before = tree_hash(pair[1].parent)
    if message is None:
        rechunk.ok("run", *pair, *words)
        return
    for command in ("plan", "run"):
        assert message in rechunk.fails(command, *pair, *words).stderr
    assert tree_hash(pair[1].parent) == before


@pytest.mark.parametrize(
    "words",
    [
        ("--chunks", "5,5"),
        ("--shards", "20,30"),
        ("--codec", "zstd"),
        ("--zarr-format", "2"),
        ("--consolidate",),
        ("--overwrite",),
        ("--append", "time"),
    ],
)
def test_options_of_layout_are_refused(
    rechunk: Rechunk, pair: tuple[Path, Path], words: tuple[str, ...]
) -> None:
    """As wrong usage: the target keeps its own."""
    before = tree_hash(pair[1].parent)
    command = ("run", *pair, "--region", "time=0:20", *words)
    assert "exclude each other" in rechunk.fails(*command, code=2).stderr
    assert tree_hash(pair[1].parent) == before


def test_arrays_that_do_not_fit_are_refused(
    rechunk: Rechunk, tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    """Other types, ranks and units; targets that do not exist."""
    source, target = pair
    others = {
        "type": {"data": np.zeros((20, 30), "f8")},
        "dimensions": {"data": np.zeros((20, 30, 1), "f4")},
        "units": {
            "data": np.zeros((20, 30), "f4"),
            "attributes": {"units": "degC"},
        },
    }
    for word, what in others.items():
        zarr.create_array(tmp_path / word, **what)
        for words in (("--region", "0=0:20"), ("--append", "time")):
            result = rechunk.fails("run", tmp_path / word, target, *words)
            assert word in result.stderr
    result = rechunk.fails("run", source, tmp_path / "c", "--append", "time")
    assert "does not exist" in result.stderr
    zarr.create_group(tmp_path / "g")
    rechunk.fails("run", source, tmp_path / "g", "--append", "time")


def test_a_region_may_end_with_the_array(
    rechunk: Rechunk, pair: tuple[Path, Path]
) -> None:
    """Inside of an object, whose rest nobody sees."""
    source, target = pair
    zarr.open_array(target, mode="r+").resize((45, 30))
    zarr.open_array(source, mode="r+").resize((15, 30))
    rechunk.ok("run", source, target, "--region", "time=30:45")
    assert_same_elements(read(target)[30:], read(source))


def test_empty_chunks_replace_what_was_there(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Encoded, moved as they are, and out of and into shards."""
    layouts = [
        {"chunks": (5, 5)},
        {"chunks": (5, 5), "shards": (10, 10)},
        {"chunks": (5, 5), "shards": (10, 20)},
        {"chunks": (4, 10)},
    ]
    for number, target in enumerate(layouts):
        for other, source in enumerate(layouts):
            path = tmp_path / f"{number}{other}"
            kind = {"shape": (20, 20), "dtype": "i4", "fill_value": 7}
            zarr.create_array(path / "b", **kind, **target)[...] = 1
            empty = zarr.create_array(path / "a", **kind, **source)
            empty[:10, :5] = 3
            rechunk.ok("run", path / "a", path / "b", "--region", "all")
            assert_same_elements(read(path / "b"), read(path / "a"))


def test_another_fill_value_is_written_as_it_is(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Missing chunks of the source are not the target's; staged, too."""
    source = zarr.create_array(
        tmp_path / "a", shape=(60, 40, 50), chunks=(1, 40, 50), dtype="f4",
        fill_value=-1,
    )  # fmt: skip
    source[7:30] = RNG.random((23, 40, 50), dtype="f4")
    zarr.create_array(
        tmp_path / "b", data=np.zeros((60, 40, 50), "f4"), chunks=(60, 4, 4),
        fill_value=0,
    )  # fmt: skip
    words = (tmp_path / "a", tmp_path / "b", "--region", "all")
    report = rechunk.ok(
        "run", *words, "--max-memory", "300kB", "--threads", 1, "--json"
    ).json()
    assert report["arrays"][0]["method"] == "staged"
    assert_same_elements(read(tmp_path / "b"), source[...])


def test_text_is_moved_as_it_is(rechunk: Rechunk, tmp_path: Path) -> None:
    """Arrays that cannot be decoded, where chunks are the same."""
    words = np.array([f"word {i}" for i in range(60)], dtype=object)
    for name, part in (("a", words[30:]), ("b", words[:30])):
        array = zarr.create_array(
            tmp_path / name, shape=30, chunks=(10,), dtype="str"
        )
        array[...] = part
    rechunk.ok("run", tmp_path / "a", tmp_path / "b", "--append", 0)
    assert list(read(tmp_path / "b")) == list(words)
    rechunk.ok("run", tmp_path / "a", tmp_path / "b", "--region", "0=0:30")
    assert list(read(tmp_path / "b")) == [*words[30:], *words[30:]]


def test_a_group_grows_with_its_coordinate(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """As xarray reads it, by consolidated metadata; the rest stays."""
    xarray = pytest.importorskip("xarray")
    for zarr_format in (2, 3):
        root = tmp_path / str(zarr_format)
        whole = xarray.Dataset(
            {
                "t": (("time", "x"), RNG.random((30, 7))),
                "mask": (("x",), RNG.random(7)),
            },
            coords={"time": np.arange(30), "x": np.arange(7) * 2.0},
        )
        encoding = {"t": {"chunks": (5, 4)}, "time": {"chunks": (10,)}}
        for name, part in (("a", slice(20, 30)), ("b", slice(0, 20))):
            whole.isel(time=part).to_zarr(
                root / name, encoding=encoding, zarr_format=zarr_format
            )
        kept = {
            name: content
            for name, content in tree_hash(root / "b").items()
            if name.startswith(("mask", "x"))
        }
        words = (root / "a", root / "b", "--append", "time", "--verify")
        result = rechunk.ok("run", *words)
        assert "nothing of mask, x" in result.stderr
        with xarray.open_zarr(root / "b") as found:
            xarray.testing.assert_identical(found.load(), whole)
        assert kept.items() <= tree_hash(root / "b").items()
        # The same place by its name, from a source of the whole shape.
        changed = whole.copy(deep=True)
        changed["t"][...] = RNG.random((30, 7))
        changed.to_zarr(root / "c", encoding=encoding, zarr_format=zarr_format)
        rechunk.ok("run", root / "c", root / "b", "--region", "time=10:20")
        expected = whole.copy(deep=True)
        expected["t"][10:20] = changed["t"][10:20]
        with xarray.open_zarr(root / "b") as found:
            xarray.testing.assert_identical(found.load(), expected)
        assert_only(root, "a", "b", "c")


def test_groups_above_know_of_an_array_that_grew(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Their consolidated metadata is rebuilt, where they have some."""
    for zarr_format in (2, 3):
        path = tmp_path / str(zarr_format)
        root = zarr.create_group(path / "s", zarr_format=zarr_format)
        array = root.create_array("deep/t", shape=20, chunks=10, dtype="i4")
        array[...] = np.arange(20)
        zarr.consolidate_metadata(path / "s")
        zarr.create_array(path / "a", data=np.arange(20, 27, dtype="i4"))
        rechunk.ok("run", path / "a", path / "s/deep/t", "--append", 0)
        group = zarr.open_consolidated(path / "s", zarr_format=zarr_format)
        assert list(group["deep/t"][...]) == list(range(27))
        shutil.rmtree(path)


def test_groups_that_would_not_fit_are_refused(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """An array that would be left behind; one that is not there."""
    names = {"t": ("time", "x"), "time": ("time",), "x": ("x",)}
    for name, kept in (("a", ("t", "x")), ("b", tuple(names))):
        root = zarr.create_group(tmp_path / name)
        for array in kept:
            root.create_array(
                array, shape=(10,) * len(names[array]),
                chunks=(5,) * len(names[array]), dtype="f4",
                dimension_names=names[array],
            )  # fmt: skip
    words = ("run", tmp_path / "a", tmp_path / "b", "--append", "time")
    assert "no array time" in rechunk.fails(*words).stderr
    rechunk.ok(*words[:3], "--region", "time=0:10")
    swapped = ("run", tmp_path / "b", tmp_path / "a", "--append", "time")
    assert "no array time" in rechunk.fails(*swapped).stderr
    zarr.open_group(tmp_path / "a")["x"].resize((9,))
    result = rechunk.fails(*words[:3], "--region", "time=0:10")
    assert "array x" in result.stderr


def test_tasks_of_a_saved_plan_write_into_a_target(
    rechunk: Rechunk, pair: tuple[Path, Path]
) -> None:
    """In processes of their own; those that come late do nothing more."""
    source, target = pair
    plan = target.with_name("plan.json")
    for words, start in (
        (("--append", "time"), 50),
        (("--region", "time=10:30"), 10),
    ):
        rechunk.ok("plan", source, target, *words, "--save", plan)
        stages = json.loads(plan.read_text())["arrays"][0]["stages"]
        for stage, spec in enumerate(stages):
            for task in range(spec["tasks"]):
                rechunk.ok("task", plan, 0, stage, f"{task}..{task + 1}")
        assert_same_elements(read(target)[start : start + 20], read(source))
        before = tree_hash(target.parent)
        late = rechunk.ok("task", plan, 0, 0, "all", "--json").json()
        assert late["counted"]["tasks"] == 0
        rechunk.ok("commit", plan)
        assert tree_hash(target.parent) == before
        # The same again is another run, where that makes sense.
        zarr.open_array(source, mode="r+")[...] = RNG.random((20, 30))
    rechunk.ok("plan", source, target, *words, "--save", plan)
    rechunk.ok("task", plan, 0, 0, "all")
    assert_same_elements(read(target)[10:30], read(source))
    rechunk.ok("resume", target)
    assert_only(target.parent, "a", "b", "plan.json")
