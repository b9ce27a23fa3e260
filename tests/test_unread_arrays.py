"""Arrays whose chunks lie where rechunk cannot tell: moved as stored, and said.

Also consolidated metadata of inner groups.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk

pytestmark = pytest.mark.any_place

RNG = np.random.default_rng(33)
DRAFT = "https://purl.org/zarr/spec/protocol/core/3.0"


def change(path: Path, **members: object) -> None:
    """Change members of a document, which stays in another spelling."""
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, **members}, indent=7))


# What makes a sound document of an array one that is not understood.
KINDS = {
    "rectilinear": (
        {
            "chunk_grid": {
                "name": "rectilinear",
                "configuration": {"kind": "inline", "chunk_shapes": [[4, 5]]},
            }
        },
        'chunk grid "rectilinear"',
    ),
    "transformed": ({"storage_transformers": [{"name": "z"}]}, "transformers"),
    "extended": ({"twist": {"name": "x"}}, 'unknown member "twist"'),
    "draft grid": (
        {"chunk_grid": {"type": "regular", "chunk_shape": [3]}},
        "early draft",
    ),
    "draft": ({"zarr_format": DRAFT}, "early draft"),
}


def make_group(path: Path, members: dict) -> Path:
    """Return the folder of the array that is not understood."""
    group = zarr.create_group(path, attributes={"a": 1})
    group.create_array("ok", data=RNG.random((6, 10)), chunks=(1, 10))
    group.create_array("in/odd", data=RNG.random(9), chunks=(3,))
    zarr.consolidate_metadata(path)
    folder = path / "in" / "odd"
    change(folder / "zarr.json", **members)
    (folder / "data" / "deep").mkdir(parents=True)
    (folder / "data" / "deep" / "zarr.json").write_text("{no document")
    (folder / "data" / "deep" / "c0").write_bytes(RNG.bytes(3 << 20))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below, by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_an_array_that_is_not_understood_is_moved_as_stored(
    rechunk: Rechunk, tmp_path: Path, kind: str
) -> None:
    """Byte by byte, and named; its group is rechunked."""
    members, cause = KINDS[kind]
    source, target = tmp_path / "a.zarr", tmp_path / "b.zarr"
    odd = make_group(source, members)
    flags = ("--array", "ok:6,2", "--verify", "--without-files")
    result = rechunk.ok("run", source, target, *flags, "--json")
    (left,) = result.json()["not_rechunked"]
    assert left["name"] == "in/odd" and cause in left["cause"]
    assert result.json()["files"]["copied"] == 0
    assert "not rechunked: in/odd" in result.stderr
    assert contents(target / "in" / "odd") == contents(odd)
    group = zarr.open_group(source, use_consolidated=False)
    after = zarr.open_group(target, use_consolidated=False)["ok"]
    np.testing.assert_array_equal(after[:], group["ok"][:])
    assert after.chunks == (6, 2)
    nodes = json.loads((target / "zarr.json").read_text())
    nodes = nodes["consolidated_metadata"]["metadata"]
    assert nodes["in/odd"] == json.loads((odd / "zarr.json").read_text())
    # Again, over a target that has such an array, with chunks for all.
    flags = ("--chunks", "3,5", "--overwrite")
    rechunk.ok("run", source, target, *flags)
    assert contents(target / "in" / "odd") == contents(odd)
    assert zarr.open_array(target / "ok").chunks == (3, 5)
    check_verified(rechunk, source, target)


def check_verified(rechunk: Rechunk, source: Path, target: Path) -> None:
    """Compared as stored under one document, else named as not compared."""

    def verified() -> list[list[str]]:
        result = rechunk("verify", source, target)
        words = [line.split() for line in result.stdout.splitlines()]
        assert result.exit_code == (words[0][0] != "equal")
        assert words[1][:2] == ["equal", "ok"]
        return words[0]

    odd = target / "in" / "odd"
    assert verified()[:2] == ["equal", "in/odd"]
    chunk = odd / "data" / "deep" / "c0"
    whole = bytearray(chunk.read_bytes())
    whole[2 << 20] ^= 1
    chunk.write_bytes(whole)
    assert verified()[0] == "different"
    chunk.write_bytes(whole[:-1])
    assert verified()[0] == "different"
    chunk.unlink()
    assert "in/odd/data/deep/c0" in verified()
    chunk.write_bytes((source / "in/odd/data/deep/c0").read_bytes())
    (odd / "more").write_bytes(b"x")
    assert "in/odd/more" in verified()
    (odd / "more").unlink()
    assert verified()[0] == "equal"
    change(odd / "zarr.json", attributes={"other": 1})
    assert verified()[:2] == ["unknown", "in/odd"]


@pytest.mark.parametrize("kind", ["rectilinear", "draft"])
def test_it_is_refused_where_it_would_have_to_be_read(
    rechunk: Rechunk, tmp_path: Path, kind: str
) -> None:
    """By name, into another format, into a target that exists."""
    members, cause = KINDS[kind]
    source, target = tmp_path / "a.zarr", tmp_path / "b.zarr"
    odd = make_group(source, members)
    for flags in (
        ["--array", "in/odd:3"],
        ["--array-codec", "in/odd:gzip"],
        ["--zarr-format", 2],
        ["--chunks", "3,5", "--strict"],
    ):
        refused = rechunk.fails("run", source, target, *flags).stderr
        assert "in/odd" in refused and cause in refused
        assert not target.exists()
    for name in (odd, source):
        info = rechunk("info", name)
        assert cause in info.stdout + info.stderr
        assert info.exit_code == (1 if name == odd else 0)
    known = rechunk.ok("info", source, "--json").json()["arrays"]
    assert [(a["name"], a["shape"]) for a in known] == [
        ("ok", [6, 10]),
        ("in/odd", None),
    ]
    assert known[1]["objects"] == 4 and cause in known[1]["cause"]
    rechunk.ok("run", source, target, "--array", "ok:2,2")
    for flags in (["--append", "0"], ["--region", "all"]):
        refused = rechunk.fails("run", source, target, *flags).stderr
        assert "in/odd" in refused and cause in refused
    refused = rechunk.fails("plan", source, target, "--chunks", "q=1").stderr
    assert "no names: give a length for each" in refused and cause in refused
    # What is damaged is an error, as before.
    (odd / "zarr.json").write_text('{"zarr_format": 3, "node_type": "arr')
    refused = rechunk.fails("run", source, tmp_path / "c.zarr").stderr
    assert "in/odd/zarr.json" in refused


def test_tasks_of_a_saved_plan_move_it_too(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """The plan file keeps its document; who does not see it says so."""
    source, target = tmp_path / "a.zarr", tmp_path / "b.zarr"
    odd = make_group(source, KINDS["rectilinear"][0])
    plan = tmp_path / "plan.json"
    words = ("--array", "ok:6,2", "--save", plan)
    rechunk.ok("plan", source, target, *words)
    hidden = odd.rename(tmp_path / "hidden")
    refused = rechunk.fails("task", plan, 0, 0, "all").stderr
    assert "reading array in/odd" in refused
    hidden.rename(odd)
    rechunk.ok("commit", plan)
    assert contents(target / "in" / "odd") == contents(odd)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_inner_groups_keep_their_consolidated_metadata(
    rechunk: Rechunk, tmp_path: Path, zarr_format: int
) -> None:
    """Rebuilt where the source has it, in both formats, and nowhere else."""
    source = tmp_path / "a.zarr"
    group = zarr.create_group(source, zarr_format=zarr_format)
    for name in ("a/b/v", "a/b/c/w", "a/bb/u", "d/x"):
        group.create_array(name, data=RNG.random((6, 4)), chunks=(6, 1))
    zarr.consolidate_metadata(source, path="a/b")
    for number, consolidated in ((2, False), (3, False), (3, True)):
        if consolidated:
            zarr.consolidate_metadata(source)
        target = tmp_path / f"{number}{consolidated}.zarr"
        flags = ("--chunks", "2,4", "--zarr-format", number)
        rechunk.ok("run", source, target, *flags)
        for path in ("", "a", "a/b", "a/b/c", "a/bb", "d"):
            found = (
                (target / path / ".zmetadata").exists()
                if number == 2
                else "consolidated_metadata"
                in json.loads((target / path / "zarr.json").read_text())
            )
            assert found == (path == "a/b" or (consolidated and not path))
        inner = zarr.open_consolidated(target / "a" / "b")
        assert sorted(inner.array_keys()) == ["v"]
        assert inner["v"].chunks == inner["c/w"].chunks == (2, 4)
        np.testing.assert_array_equal(inner["c/w"][:], group["a/b/c/w"][:])
    plain = tmp_path / "plain.zarr"
    rechunk.ok("run", source, plain, "--no-consolidate")
    assert not any(
        b"consolidated" in text or key.endswith(".zmetadata")
        for key, text in contents(plain).items()
    )
