"""What the oldest zarr-python cannot read of what is written is said."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import ROOT, Rechunk
from compare import little_endian
from elements import ZARR_VERSION

RNG = np.random.default_rng(316)
FIELDS = [["a", "<i4"], ["b", "|V3"]]
SHARDS = ("--chunks", "1", "--shards", "2")


def configured(name: str, **configuration: object) -> dict[str, object]:
    """Return an extension of v3."""
    return {"name": name, "configuration": configuration}


def write_v2(path: Path, dtype: object, fill: object) -> None:
    """Write four elements of random bytes, none of them large."""
    document = {
        "zarr_format": 2, "shape": [4], "chunks": [4], "dtype": dtype,
        "fill_value": fill, "order": "C", "compressor": None, "filters": None,
    }  # fmt: skip
    path.mkdir()
    (path / ".zarray").write_text(json.dumps(document))
    (path / "0").write_bytes(RNG.integers(1, 60, 4 * 64, "u1").tobytes())


def write_v3(path: Path, data_type: object, fill: object, endian: str) -> None:
    """The same in v3."""
    document = {
        "zarr_format": 3, "node_type": "array", "shape": [4],
        "data_type": data_type, "fill_value": fill,
        "chunk_grid": configured("regular", chunk_shape=[4]),
        "chunk_key_encoding": {"name": "default"},
        "codecs": [configured("bytes", endian=endian)],
    }  # fmt: skip
    (path / "c").mkdir(parents=True)
    (path / "zarr.json").write_text(json.dumps(document))
    (path / "c" / "0").write_bytes(RNG.integers(1, 60, 256, "u1").tobytes())


def named(*names: str) -> dict[str, object]:
    """Return structs as zarr-python 3.1 writes them."""
    fields = [[f"f{number}", name] for number, name in enumerate(names)]
    return configured("structured", fields=fields)


DATE, TIME = (
    configured(f"numpy.{kind}", unit="generic", scale_factor=1)
    for kind in ("datetime64", "timedelta64")
)
RAW = configured("raw_bytes", length_bytes=3)
# The source's type, its size, its fill value and byte order (of v3); what is
# done; what is said.
CASES = {
    "raw bytes": ("|V3", 3, None, "", ("--zarr-format", "3"), ""),
    "raw bytes, v3": (RAW, 3, "AAAA", "little", ("--chunks", "3"), ""),
    "raw bytes in shards": (
        *("|V3", 3, None, "", ("--zarr-format", "3", *SHARDS)),
        "before 3.3 cannot read raw bytes in shards",
    ),
    "raw bytes in shards, v3": (
        *(RAW, 3, "AAAA", "little", SHARDS),
        "before 3.3 cannot read raw bytes in shards",
    ),
    "bits": ("r24", 3, [0, 0, 0], "little", (), "the data type r24"),
    "struct": (
        *(FIELDS, 7, None, "", ("--zarr-format", "3")),
        "before 3.2 cannot read structs",
    ),
    "struct of v2": (FIELDS, 7, None, "", ("--chunks", "3"), ""),
    "big struct of v2": ([["a", ">i4"]], 4, None, "", ("--chunks", "3"), ""),
    "big struct": (
        *([["a", ">i4"]], 4, None, "", ("--zarr-format", "3")),
        "before 3.3 reads no structs of Zarr v3 in big-endian",
    ),
    "struct of old": (named("int8"), 1, "AA==", "little", (), ""),
    "big struct of old": (
        *(named("int8", "int16"), 3, "AAAA", "big", ()),
        "before 3.3 reads no structs of Zarr v3 in big-endian",
    ),
    "struct of old in shards": (
        *(named("int8"), 1, "AA==", "little", SHARDS),
        "before 3.3 cannot read structs in shards",
    ),
    "struct in struct": (
        *([["a", [["b", "<i4"]]]], 4, None, "", ("--chunks", "3")),
        "3.1 cannot read structs within structs",
    ),
    "sub-array": (
        *([["a", "<i4", [2]]], 8, None, "", ("--chunks", "3")),
        "cannot read structs with sub-arrays",
    ),
    "long double": ("<f16", 16, None, "", (), "the data type <f16"),
    "bfloat16": ("bfloat16", 2, 0, "little", SHARDS, "type bfloat16"),
    "float8": ("float8_e5m2", 1, 0, "little", (), "type float8_e5m2"),
    "int4": ("int4", 1, 0, "little", ("--chunks", "3"), "data type int4"),
    "complex": (
        *("complex_float32", 8, [0, 0], "little", ()),
        "data type complex_float32",
    ),
    "dates": ("<M8", 8, None, "", ("--zarr-format", "3"), ""),
    "dates with fill": (DATE, 8, 5, "little", (), "fill value of dates"),
    "dates with NaT": (DATE, 8, -(2**63), "little", (), ""),
    "big dates": (DATE, 8, "NaT", "big", (), "in the wrong byte order"),
    "times": (TIME, 8, 5, "little", (), ""),
    "times in shards": (TIME, 8, 5, "little", SHARDS, "a unit in shards"),
    "big numbers": ("int16", 2, 5, "big", SHARDS, ""),
    "text": (
        *(configured("fixed_length_utf32", length_bytes=8), 8, "", "big"),
        *(SHARDS, ""),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_zarr_python_cannot_read_is_said(
    rechunk: Rechunk, tmp_path: Path, case: str
) -> None:
    """And where nothing is said the oldest one reads the same as before."""
    dtype, size, fill, endian, flags, said = CASES[case]
    source, target = tmp_path / "a", tmp_path / "b"
    if endian:
        write_v3(source, dtype, fill, endian)
    else:
        write_v2(source, dtype, fill)
    chunk = next(p for p in source.rglob("*") if p.name == "0")
    chunk.write_bytes(chunk.read_bytes()[: 4 * size])
    result = rechunk.ok("run", source, target, *flags)
    notes = [line for line in result.stderr.splitlines() if "zarr-py" in line]
    assert [said in line for line in notes] == [True] * bool(said), notes
    if said and ZARR_VERSION >= (3, 2):
        return
    assert is_read(target, source) == (not said)
    if said:
        strict = ("--strict", "--overwrite")
        refused = rechunk.fails("run", source, target, *flags, *strict)
        assert said in refused.stderr


def is_read(target: Path, source: Path) -> bool:
    """True if zarr-python finds in the target what the chunk of the source is.

    Numbers that were big-endian are compared as such.
    """
    try:
        array = zarr.open_array(target, mode="r")
        found = np.asarray(array[...])
    except (TypeError, ValueError):
        return False
    chunk = next(p for p in source.rglob("*") if p.name == "0").read_bytes()
    is_big = '"big"' in "".join(p.read_text() for p in source.glob("zarr.json"))
    dtype = found.dtype.newbyteorder(">") if is_big else found.dtype
    expected = np.frombuffer(chunk, dtype)
    return little_endian(found).tobytes() == little_endian(expected).tobytes()


def test_the_oldest_zarr_python_is_the_one_that_is_tested() -> None:
    """What the package asks for is what some Python's pins are."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = re.findall(
        r"^zarr==([\d.]+)", (ROOT / "tests/constraints.txt").read_text(), re.M
    )
    oldest = min(pins, key=lambda pin: [int(part) for part in pin.split(".")])
    assert project["optional-dependencies"]["zarr"] == [f"zarr>={oldest}"]
