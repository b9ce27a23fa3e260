"""What `rechunk verify` says of arrays that differ, and of samples."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk

pytestmark = pytest.mark.any_place

RNG = np.random.default_rng(77)
SHAPE = (40, 30, 20)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Make an array twice, in layouts that have nothing in common."""
    elements = RNG.random(SHAPE, dtype="f4")
    zarr.create_array(tmp_path / "a", data=elements, chunks=(10, 7, 20))
    zarr.create_array(
        tmp_path / "b", data=elements, chunks=(40, 3, 3), zarr_format=2
    )
    return tmp_path / "a", tmp_path / "b"


def compared(rechunk: Rechunk, *words: object) -> dict:
    """Return what `verify --json` says of the one array."""
    result = rechunk("verify", *words, "--json")
    assert result.exit_code in (0, 1), str(result)
    (array,) = result.json()["arrays"]
    assert array["equal"] == (result.exit_code == 0)
    return array


def test_differences_are_told_by_region_and_first_element(
    rechunk: Rechunk, pair: tuple[Path, Path]
) -> None:
    """Boxes of the first array's chunks, each with what differs in it."""
    a, b = pair
    assert compared(rechunk, a, b)["differences"] == []
    changed = zarr.open_array(b, mode="r+")
    places = [(3, 8, 0), (3, 8, 19), (9, 13, 5), (39, 29, 19), (12, 0, 0)]
    for place in places:
        changed[place] = -changed[place] - 1
    found = compared(rechunk, a, b)
    assert found["digest_a"] != found["digest_b"]
    assert found["different_regions"] == 3 == len(found["differences"])
    assert found["different_elements"] == 5
    assert found["compared_elements"] == np.prod(SHAPE)
    elements = zarr.open_array(a, mode="r")[...]
    boxes = [
        ([0, 7, 0], [10, 14, 20], 3, (3, 8, 0)),
        ([10, 0, 0], [20, 7, 20], 1, (12, 0, 0)),
        ([30, 28, 0], [40, 30, 20], 1, (39, 29, 19)),
    ]
    for told, (start, stop, count, first) in zip(found["differences"], boxes):
        assert (told["start"], told["stop"]) == (start, stop)
        assert told["elements"] == count
        assert tuple(told["first"]) == first
        assert np.float32(told["value_a"]) == elements[first]
        assert np.float32(told["value_b"]) == changed[first]
    text = rechunk("verify", a, b).stdout
    assert "element (3, 8, 0) is" in text
    assert "5 of 24000 differ, in 3 of 20 regions" in text
    assert "10:20, 0:7, 0:20" in text


def test_no_more_than_sixteen_regions_are_listed(
    rechunk: Rechunk, pair: tuple[Path, Path]
) -> None:
    """The others are counted."""
    a, b = pair
    zarr.open_array(b, mode="r+")[...] = -1
    found = compared(rechunk, a, b)
    assert found["different_regions"] == 20
    assert len(found["differences"]) == 16
    assert found["different_elements"] == sum(
        told["elements"] for told in found["differences"]
    )
    assert "at least" in found["difference"]


@pytest.mark.parametrize(
    ("dtype", "one", "other", "texts"),
    [
        ("i2", -7, 300, ("-7", "300")),
        (">u8", 2**64 - 1, 0, ("18446744073709551615", "0")),
        ("?", True, False, ("true", "false")),
        ("f8", 0.1, -0.0, ("0.1", "-0.0")),
        (">f4", np.nan, np.inf, ('"NaN"', '"Infinity"')),
        ("c16", 1 - 2j, 0, ("[1.0, -2.0]", "[0.0, 0.0]")),
        ("S4", b"ab", b"a\x01", ('"ab"', "0x61010000")),
        (">U3", "abc", "ä", ('"abc"', '"\\u00e4"')),
        ("V2", b"\x01\x02", b"\xff\x00", ("0x0102", "0xff00")),
        (
            [("x", ">i2"), ("y", "<f4")],
            (1, 2.5),
            (1, 3),
            ('{"x": 1, "y": 2.5}', '{"x": 1, "y": 3.0}'),
        ),
    ],
)
def test_values_are_written_as_the_type_is(
    rechunk: Rechunk,
    tmp_path: Path,
    dtype: object,
    one: object,
    other: object,
    texts: tuple[str, str],
) -> None:
    """Numbers, text, JSON of structures; bytes in hex."""
    kind = np.dtype(dtype)
    for name, value in (("a", one), ("b", other)):
        elements = np.zeros((3, 5), kind)
        elements[1, 2] = np.array(value, kind)
        # The second one in the other byte order.
        if name == "b" and kind.kind in "iufcU":
            elements = elements.astype(kind.newbyteorder())
        zarr.create_array(tmp_path / name, data=elements, zarr_format=2)
    found = compared(rechunk, tmp_path / "a", tmp_path / "b")
    (told,) = found["differences"]
    assert told["first"] == [1, 2]
    assert (told["value_a"], told["value_b"]) == texts


def test_a_sample_says_how_much_it_looked_at(
    rechunk: Rechunk, pair: tuple[Path, Path]
) -> None:
    """The same seed looks at the same regions; without one, at others."""
    a, b = pair
    words = ("verify", a, b, "--sample", 3, "--json")
    seeds = {rechunk.ok(*words).json()["sample"]["seed"] for _ in range(4)}
    assert len(seeds) > 1
    zarr.open_array(b, mode="r+")[...] = -1
    results = [rechunk(*words, "--seed", seed) for seed in (1, 1, 2, 3, 4)]
    regions = []
    for result in results:
        assert result.exit_code == 1
        (found,) = result.json()["arrays"]
        assert (found["compared_regions"], found["regions"]) == (3, 20)
        assert found["digest_a"] == ""
        regions.append(json.dumps(found["differences"]))
        boxes = [told["start"] for told in found["differences"]]
        assert len(boxes) == 3 and boxes == sorted(boxes)
        assert found["different_elements"] == found["compared_elements"]
    assert regions[0] == regions[1]
    assert len(set(regions)) > 2


def test_a_sample_of_everything_finds_everything(
    rechunk: Rechunk, pair: tuple[Path, Path]
) -> None:
    """However many regions are asked for."""
    a, b = pair
    quick = rechunk.ok("verify", a, b, "--sample", 10**6, "--seed", 5)
    assert "24000 elements compared, 20 of 20 regions" in quick.stdout
    assert "--seed 5" in quick.stderr
    changed = zarr.open_array(b, mode="r+")
    changed[17, 3, 4] += 1
    found = compared(rechunk, a, b, "--sample", 20)
    assert found["different_elements"] == 1
    assert found["differences"][0]["first"] == [17, 3, 4]


def test_a_sample_is_read_alone(
    rechunk: Rechunk, pair: tuple[Path, Path]
) -> None:
    """Damage elsewhere is not noticed: it is a quick look."""
    a, b = pair
    chunks = [path for path in (a / "c").rglob("0") if path.is_file()]
    for chunk in chunks[::2]:
        chunk.write_bytes(b"damaged")
    assert rechunk("verify", a, b).exit_code == 1
    codes = {
        rechunk("verify", a, b, "--sample", 1, "--seed", n).exit_code
        for n in range(12)
    }
    assert codes == {0, 1}


def test_a_sample_of_a_group_looks_at_every_array(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Also at those that cannot be decoded."""
    for name in ("a", "b"):
        root = zarr.create_group(tmp_path / name)
        root.create_array("x", data=np.arange(500), chunks=(10,))
        text = root.create_array("t", shape=60, chunks=6, dtype="str")
        text[...] = np.array([f"{i}" for i in range(60)], dtype=object)
    words = ("verify", tmp_path / "a", tmp_path / "b", "--sample", 2)
    found = rechunk.ok(*words, "--json").json()
    assert [array["equal"] for array in found["arrays"]] == [True, True]
    for chunk in (tmp_path / "b/t/c").iterdir():
        chunk.write_bytes(chunk.read_bytes() + b"x")
    assert rechunk(*words).exit_code == 1


@pytest.mark.parametrize(
    "words",
    [("--sample", "0"), ("--sample", "x"), ("--seed", "1"), ("--sample",)],
)
def test_samples_that_make_no_sense_are_refused(
    rechunk: Rechunk, pair: tuple[Path, Path], words: tuple[str, ...]
) -> None:
    """As wrong usage."""
    assert rechunk("verify", *pair, *words).exit_code == 2
