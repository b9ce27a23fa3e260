"""Metadata, names and files that lie: refused by name, at little cost."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk
from hostile import check_cost, make_array, refuse, refuse_run

V2 = {
    "zarr_format": 2,
    "shape": [20, 30],
    "chunks": [5, 30],
    "dtype": "<i4",
    "compressor": None,
    "filters": None,
    "fill_value": 0,
    "order": "C",
}
V3 = {
    "zarr_format": 3,
    "node_type": "array",
    "shape": [20, 30],
    "data_type": "int32",
    "chunk_grid": {
        "name": "regular",
        "configuration": {"chunk_shape": [5, 30]},
    },
    "chunk_key_encoding": {"name": "default"},
    "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
    "fill_value": 0,
}


def grid(*chunks: object) -> dict:
    """Return the members of a regular grid."""
    configuration = {"chunk_shape": list(chunks)}
    return {"chunk_grid": {"name": "regular", "configuration": configuration}}


def shards(levels: int) -> dict:
    """Return codecs with that many shards within each other."""
    codecs = V3["codecs"]
    for _ in range(levels):
        configuration = {"chunk_shape": [5, 30], "codecs": codecs}
        codecs = [{"name": "sharding_indexed", "configuration": configuration}]
    return {"codecs": codecs}


def write_v2(path: Path, **members: object) -> None:
    """Write a .zarray."""
    path.mkdir(parents=True)
    (path / ".zarray").write_text(json.dumps({**V2, **members}))


def write_v3(path: Path, **members: object) -> None:
    """Write the zarr.json of an array."""
    path.mkdir(parents=True)
    (path / "zarr.json").write_text(json.dumps({**V3, **members}))


FIELDS = [[f"f{i}", "<f4", [1000]] for i in range(1000)]
V2_LIES: list[tuple[dict, str]] = [
    ({"shape": [-1, 30]}, "shape"),
    ({"shape": [1 << 63, 30]}, "shape"),
    ({"shape": [1 << 70, 30]}, "shape"),
    ({"shape": [1.5, 30]}, "shape"),
    ({"shape": [1e300, 30]}, "shape"),
    ({"shape": ["20", 30]}, "shape"),
    ({"shape": {"0": 20}}, "shape"),
    ({"shape": [1] * 1_000_000, "chunks": [1] * 1_000_000}, "shape"),
    ({"shape": [1] * 65, "chunks": [1] * 65}, "64 dimensions"),
    ({"shape": [1 << 40] * 2, "chunks": [1, 1]}, "63 bits"),
    ({"chunks": [-5, 30]}, "chunks"),
    ({"chunks": [1 << 63, 30]}, "chunks"),
    ({"chunks": [1 << 62, 1 << 62]}, "63 bits"),
    ({"chunks": [5]}, "chunks"),
    ({"dtype": "|V2147483648"}, "too large"),
    ({"dtype": "<f99999999999999999999"}, "f99999"),
    ({"dtype": FIELDS, "fill_value": None}, "dtype"),
    ({"dtype": [["a", "<i4", [1 << 40]]]}, "too large"),
    ({"fill_value": "A" * 2_000_000}, "fill_value"),
    ({"fill_value": [0] * 1_000_000}, "fill_value"),
    ({"order": "X"}, "order"),
    ({"dimension_separator": "../"}, "dimension_separator"),
    ({"filters": [{"id": "zlib", "level": 1}] * 1000}, "codecs"),
    ({"compressor": {"id": "blosc", "blocksize": 1 << 40}}, "blocksize"),
    ({"compressor": {"id": "zstd", "level": -(1 << 63)}}, "level"),
]
V3_LIES: list[tuple[dict, str]] = [
    (grid(-1, 30), "chunk_shape"),
    (grid(1 << 63, 30), "chunk_shape"),
    (grid(1 << 62, 1 << 62), "63 bits"),
    (grid(), "chunk_shape"),
    (shards(20), "16 shards"),
    ({"codecs": V3["codecs"] + [{"name": "crc32c"}] * 1000}, "codecs"),
    ({"codecs": [{"name": "bytes" * 1_000_000}]}, "codecs"),
    ({"data_type": {"name": "raw_bytes", "configuration": {}}}, "length_bytes"),
    ({"data_type": "r99999999999999999999"}, "r9999"),
    ({"dimension_names": ["x"] * 1_000_000}, "dimension_names"),
    ({"storage_transformers": [{"name": "what"}]}, "storage transformers"),
    ({"what": {"must_understand": True}}, "what"),
]


@pytest.mark.parametrize(("members", "part"), V2_LIES)
def test_impossible_v2_metadata_is_refused(
    rechunk: Rechunk, tmp_path: Path, members: dict, part: str
) -> None:
    """The error names the member; nothing is written, little is spent."""
    write_v2(tmp_path / "a", **members)
    assert part in refuse_run(rechunk, tmp_path)


@pytest.mark.parametrize(("members", "part"), V3_LIES)
def test_impossible_v3_metadata_is_refused(
    rechunk: Rechunk, tmp_path: Path, members: dict, part: str
) -> None:
    """The same for v3."""
    write_v3(tmp_path / "a", **members)
    assert part in refuse_run(rechunk, tmp_path)


def test_an_inner_index_beyond_memory_is_refused(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """2^40 inner chunks: the index alone would be 16 TiB."""
    configuration = {"chunk_shape": [1], "codecs": V3["codecs"]}
    sharding = {"name": "sharding_indexed", "configuration": configuration}
    write_v3(
        tmp_path / "a",
        shape=[1 << 40],
        codecs=[sharding],
        **grid(1 << 40),
    )
    assert "memory" in refuse_run(rechunk, tmp_path)


TEXTS: list[tuple[bytes, str]] = [
    (b"[" * 10_000_000, "nested too deeply"),
    (b'{"a":' * 10_000_000, "nested too deeply"),
    (b'{"attributes": ' + b"[" * 600 + b"]" * 600 + b"}", "nested too deeply"),
    (b"\xef\xbb\xbf{}", "zarr.json"),
    ("{}".encode("utf-16"), "UTF-8"),
    (b'{"attributes": {"a": "\xe9"}}', "UTF-8"),
    (b'{"a": "\xed\xa0\x80"}', "UTF-8"),
    (b"{}\0{}", "zarr.json"),
    (b"\0" * 1_000_000, "zarr.json"),
    (b'{"shape": [1], "shape": [2]}', "stands twice"),
    (
        b"{" + b",".join(b'"%d":0' % i for i in range(1_100_000)) + b"}",
        "million",
    ),
    (b'{"a": 1' + b"0" * 10_000_000, "zarr.json"),
]


@pytest.mark.parametrize(("text", "part"), TEXTS, ids=range(len(TEXTS)))
def test_text_that_is_no_document_is_refused(
    rechunk: Rechunk, tmp_path: Path, text: bytes, part: str
) -> None:
    """Deep, huge, repeated, not UTF-8."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "zarr.json").write_bytes(text)
    arguments = ("run", tmp_path / "a", tmp_path / "out", "--chunks", "1")
    # The text itself, and an item of up to a million taken apart.
    message = refuse(rechunk, tmp_path, *arguments, memory_bytes=300_000_000)
    assert part in message


def test_large_attributes_pass_verbatim(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Two million numbers and 400 levels are odd, but the user's."""
    write_v3(tmp_path / "a")
    numbers = ",".join(map(str, range(2_000_000)))
    text = (tmp_path / "a" / "zarr.json").read_text()
    deep = "[" * 400 + "]" * 400
    attributes = f'"attributes": {{"n": [{numbers}], "d": {deep}}}}}'
    (tmp_path / "a" / "zarr.json").write_text(text[:-1] + "," + attributes)
    result = rechunk.ok(
        "run", tmp_path / "a", tmp_path / "out", "--chunks", "7,7"
    )
    check_cost(result, 300_000_000)
    written = json.loads((tmp_path / "out" / "zarr.json").read_text())
    assert len(written["attributes"]["n"]) == 2_000_000


def test_a_chunk_length_of_zero_counts_as_one(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Old writers put it where an axis has length 0."""
    write_v2(tmp_path / "a", shape=[0, 3], chunks=[0, 3])
    rechunk.ok("run", tmp_path / "a", tmp_path / "out", "--chunks", "1,1")
    assert zarr.open_array(tmp_path / "out").shape == (0, 3)


def test_many_small_files_cannot_ask_for_much_memory(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """A thousand arrays whose elements, by their types, are a mebibyte each."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".zgroup").write_text('{"zarr_format": 2}')
    for number in range(1000):
        write_v2(
            tmp_path / "a" / str(number), dtype="|V1048576", fill_value=None
        )
    message = refuse(
        rechunk,
        tmp_path,
        *("run", tmp_path / "a", tmp_path / "out", "--chunks", "1,1"),
        memory_bytes=600_000_000,
    )
    assert "metadata" in message


def test_consolidated_metadata_is_never_believed(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Names in it that lead out, and arrays that are not there."""
    zarr.create_group(tmp_path / "a")
    data = make_array(tmp_path / "a" / "x")
    inner = {"../../evil": V3, "/evil": V3, "y" * 100_000: V3, "x": None}
    document = {
        "zarr_format": 3,
        "node_type": "group",
        "consolidated_metadata": {
            "kind": "inline",
            "must_understand": False,
            "metadata": {**inner, **{str(i): V3 for i in range(20_000)}},
        },
    }
    (tmp_path / "a" / "zarr.json").write_text(json.dumps(document))
    result = rechunk.ok(
        *("run", tmp_path / "a", tmp_path / "out", "--chunks", "7,7"),
        *("--max-memory", "16MB"),
    )
    check_cost(result)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "out"]
    out = zarr.open_group(tmp_path / "out")
    assert list(out.array_keys()) == ["x"]
    assert np.array_equal(out["x"][:], data)


@pytest.mark.parametrize("name", ["zarr.json", ".zarray"])
@pytest.mark.parametrize("kind", ["fifo", "socket", "device", "link to it"])
def test_documents_must_be_files(
    rechunk: Rechunk, tmp_path: Path, name: str, kind: str
) -> None:
    """A pipe would be waited for, a device read without end."""
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / name
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        os.mknod(path, stat.S_IFSOCK)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.symlink_to(path)
    assert name in refuse_run(rechunk, tmp_path)


def test_a_document_that_is_a_folder_is_none(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """As for Zarr: there is no array."""
    (tmp_path / "a" / "zarr.json").mkdir(parents=True)
    assert "it is an empty folder" in refuse_run(rechunk, tmp_path)


def test_sparse_giants_are_not_read(rechunk: Rechunk, tmp_path: Path) -> None:
    """A terabyte that takes no space on the disk."""
    make_array(tmp_path / "a", compressors=None)
    make_array(tmp_path / "b", shards=(20, 30))
    for path in ("a/c/1/0", "b/c/0/0"):
        os.truncate(tmp_path / path, 1 << 40)
    assert "c/1/0" in refuse_run(rechunk, tmp_path)
    assert "c/0/0" in refuse_run(rechunk, tmp_path, name="b")
    os.truncate(tmp_path / "a" / "zarr.json", 1 << 40)
    assert "zarr.json" in refuse_run(rechunk, tmp_path)


def test_names_cannot_steer_the_terminal(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Control characters in names and types are spelled out."""
    name = "red\x1b[31m\x07\u009bx"
    zarr.create_group(tmp_path / "a")
    make_array(tmp_path / "a" / "plain")
    os.rename(tmp_path / "a" / "plain", tmp_path / "a" / name)
    for words in (("info",), ("plan", "--chunks", "1,1")):
        targets = [tmp_path / "out"] if words[0] == "plan" else []
        result = rechunk.ok(words[0], tmp_path / "a", *targets, *words[1:])
        for mark in "\x1b\x07\u009b":
            assert mark not in result.stdout + result.stderr
        assert "red\\x1b[31m" in result.stdout
    (tmp_path / "a" / name / "zarr.json").write_text("{")
    assert "red\\x1b[31m" in refuse_run(rechunk, tmp_path)


def test_names_that_are_not_utf8_are_refused(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """No JSON, and so no plan and no consolidated metadata, can hold them."""
    zarr.create_group(tmp_path / "a")
    make_array(tmp_path / "a" / "plain")
    os.rename(tmp_path / "a" / "plain", os.fsencode(tmp_path / "a") + b"/\xff")
    assert "UTF-8" in refuse_run(rechunk, tmp_path)
