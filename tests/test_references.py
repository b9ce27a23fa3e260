"""Kerchunk's references as sources: chunks that lie in files of HDF5."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr

from binary import Rechunk

RNG = np.random.default_rng(5)
FIELD = RNG.integers(0, 50, (30, 24), "i4")
LEVELS = np.linspace(0, 1, 7)


def write_file(path: Path, part: np.ndarray) -> None:
    """One NetCDF-4 file of a series, packed with zlib."""
    with h5py.File(path, "w") as file:
        file.create_dataset("field", data=part, chunks=(5, 12), compression=4)
        file.create_dataset("levels", data=LEVELS)


def v2_array(array: h5py.Dataset, shape: tuple[int, ...], codec: Any) -> str:
    """The `.zarray` of chunks as they lie in the file."""
    return json.dumps(
        {
            "zarr_format": 2,
            "shape": shape,
            "chunks": array.chunks or array.shape,
            "dtype": array.dtype.str,
            "compressor": codec,
            "fill_value": 0,
            "filters": None,
            "order": "C",
        }
    )


def references_to(files: list[Path], url: str) -> dict[str, Any]:
    """Of several files along the first axis; `url` has {} for a name."""
    refs: dict[str, Any] = {".zgroup": '{"zarr_format": 2}'}
    for number, path in enumerate(files):
        name = url.format(path.name)
        with h5py.File(path) as file:
            field, levels = file["field"], file["levels"]
            shape = (len(files) * field.shape[0], field.shape[1])
            zlib = {"id": "zlib", "level": 4}
            refs["field/.zarray"] = v2_array(field, shape, zlib)
            refs["field/.zattrs"] = {"units": "K"}
            refs["levels/.zarray"] = v2_array(levels, levels.shape, None)
            offset, size = levels.id.get_offset(), levels.id.get_storage_size()
            refs["levels/0"] = [name, offset, size]
            for index in range(field.id.get_num_chunks()):
                chunk = field.id.get_chunk_info(index)
                row = chunk.chunk_offset[0] + number * field.shape[0]
                key = f"field/{row // 5}.{chunk.chunk_offset[1] // 12}"
                refs[key] = [name, chunk.byte_offset, chunk.size]
    return refs


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Write three files of ten rows each."""
    (tmp_path / "data").mkdir()
    paths = [tmp_path / "data" / f"{number}.nc" for number in range(3)]
    for number, path in enumerate(paths):
        write_file(path, FIELD[10 * number : 10 * number + 10])
    return paths


def assert_made(target: Path) -> None:
    """Require all elements, in the chunks of `arguments`."""
    made = zarr.open_group(target, mode="r")
    np.testing.assert_array_equal(made["field"][...], FIELD)
    np.testing.assert_array_equal(made["levels"][...], LEVELS)
    assert made["field"].attrs["units"] == "K"
    assert made["field"].chunks == (30, 4)


ARGUMENTS = ("--array", "field:30,4", "--verify", "--max-memory", "2MB")


@pytest.mark.parametrize("version", [0, 1])
def test_chunks_in_files_of_hdf5_are_read(
    rechunk: Rechunk, tmp_path: Path, files: list[Path], version: int
) -> None:
    """fsspec and zarr-python read the same of these references."""
    source, target = tmp_path / "refs.json", tmp_path / "t.zarr"
    url = "{{{{u}}}}/{}" if version else f"{files[0].parent}/{{}}"
    refs = references_to(files, url)
    refs["levels/0"] = "base64:" + base64.b64encode(LEVELS).decode()
    document = {
        "templates": {"u": f"file://{files[0].parent}"},
        "version": 1,
        "refs": refs,
    }
    source.write_text(json.dumps(document if version else refs))
    rechunk.ok("run", source, target, *ARGUMENTS)
    assert_made(target)
    rechunk.ok("verify", source, target)
    listed = rechunk.ok("info", source, "--json").json()["arrays"]
    assert [array["objects"] for array in listed] == [12, 1]
    assert listed[0]["stored_bytes"] == sum(
        ref[2]
        for key, ref in refs.items()
        if key.startswith("field/")
        and "." not in key[6:7]
        and isinstance(ref, list)
    )
    independent = zarr.open_group(
        "reference://",
        storage_options={"fo": str(source), "asynchronous": True},
        mode="r",
        zarr_format=2,
    )
    np.testing.assert_array_equal(independent["field"][...], FIELD)


def test_files_elsewhere_must_be_allowed(
    rechunk: Rechunk, tmp_path: Path, files: list[Path]
) -> None:
    """References may come from anybody, and a run copies what they name."""
    (tmp_path / "refs").mkdir()
    source, target = tmp_path / "refs/x.json", tmp_path / "t.zarr"
    folder = files[0].parent
    source.write_text(json.dumps(references_to(files, f"{folder}/{{}}")))
    run = ("run", source, target, *ARGUMENTS)
    failed = rechunk.fails(*run)
    assert f"--references-below {folder}/ " in failed.stderr + " "
    assert not target.exists()
    rechunk.fails(*run, "--references-below", tmp_path / "refs")
    allowed = ("--references-below", folder)
    rechunk.ok(*run, *allowed)
    assert_made(target)
    rechunk.ok("verify", source, target, *allowed)
    rechunk.ok("info", source, *allowed)
    rechunk.fails("verify", source, target)
    # The plan names them, so other processes find them.
    plan, other = tmp_path / "plan.json", tmp_path / "u.zarr"
    rechunk.ok(
        *("plan", source, other, *ARGUMENTS, *allowed, "--save", plan),
    )
    arrays = json.loads(plan.read_text())["arrays"]
    for index, array in enumerate(arrays):
        for stage in range(len(array["stages"])):
            rechunk.ok("task", plan, index, stage, "all")
    assert_made(other)


def test_the_files_are_not_overwritten(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """References may also lead to the chunks of a Zarr array."""
    data = tmp_path / "data.zarr"
    zarr.create_array(
        data, data=FIELD, chunks=(30, 24), zarr_format=2, compressors=None
    )
    refs = {
        ".zarray": (data / ".zarray").read_text(),
        "0.0": [str(data / "0.0")],
    }
    source = tmp_path / "x.json"
    source.write_text(json.dumps(refs))
    for flags in (("--overwrite",), ("--overwrite-in-place",)):
        failed = rechunk.fails("run", source, data, "--chunks", "7,7", *flags)
        assert "the source reads files that lie there" in failed.stderr
    for target in (source, tmp_path):
        rechunk.fails("run", source, target, "--chunks", "7,7", "--overwrite")
    rechunk.ok("run", source, tmp_path / "t", "--chunks", "7,7", "--verify")
    (data / "0.0").unlink()
    failed = rechunk.fails("verify", source, tmp_path / "t")
    assert f"{data}/0.0: it is not there" in failed.stderr


def test_damage_ends_with_an_error_that_names_the_file(
    rechunk: Rechunk, tmp_path: Path, files: list[Path]
) -> None:
    """Or goes unnoticed: numbers in references have no checksum."""
    source, target = tmp_path / "x.json", tmp_path / "t.zarr"
    text = json.dumps(references_to(files, "data/{}")).encode()
    for round_ in range(30):
        content = bytearray(text)
        if round_ % 3 == 0:
            del content[RNG.integers(len(content)) :]
        else:
            content[RNG.integers(len(content))] ^= 1 << RNG.integers(8)
        source.write_bytes(content)
        result = rechunk("run", source, target, "--overwrite")
        assert result.exit_code in (0, 1), str(result)
        if result.exit_code == 1:
            assert str(source) in result.stderr, str(result)
