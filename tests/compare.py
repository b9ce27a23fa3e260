"""Compares arrays bit for bit and metadata token for token."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import zarr

from cases import CODEC_TEXTS, Case
from documents import load_members, load_tokens
from elements import has_nan_payload


def little_endian(elements: np.ndarray) -> np.ndarray:
    """Return the same elements, little-endian and contiguous in C order."""
    elements = np.asarray(elements)
    wanted = elements.dtype.newbyteorder("<")
    return np.ascontiguousarray(elements.astype(wanted, copy=False))


def assert_same_elements(actual: np.ndarray, expected: np.ndarray) -> None:
    """Require equal bits: payloads of NaN and the sign of zero count."""
    assert actual.shape == expected.shape
    actual, expected = little_endian(actual), little_endian(expected)
    assert actual.dtype == expected.dtype
    if actual.tobytes() == expected.tobytes():
        return
    width = actual.dtype.itemsize
    bits = [
        np.frombuffer(part.tobytes(), np.uint8).reshape(-1, width)
        for part in (actual, expected)
    ]
    wrong = np.flatnonzero((bits[0] != bits[1]).any(axis=1))
    first = tuple(int(x) for x in np.unravel_index(wrong[0], actual.shape))
    raise AssertionError(
        f"{len(wrong)} of {actual.size} elements differ, first at {first}: "
        f"{actual[first]!r} ({bits[0][wrong[0]].tobytes().hex()}), expected "
        f"{expected[first]!r} ({bits[1][wrong[0]].tobytes().hex()})"
    )


def read(path: Path) -> np.ndarray:
    """Read a whole array through zarr-python."""
    return np.asarray(zarr.open_array(path, mode="r")[...])


def read_with_tensorstore(path: Path, zarr_format: int) -> np.ndarray:
    """Read a whole array through TensorStore, an independent reader."""
    import tensorstore

    driver = "zarr" if zarr_format == 2 else "zarr3"
    kvstore = {"driver": "file", "path": f"{path}/"}
    spec = {"driver": driver, "kvstore": kvstore}
    return np.asarray(
        tensorstore.open(spec, read=True).result().read().result()
    )


def _without_half_payload(case: Case, elements: np.ndarray) -> np.ndarray:
    """Undo what zarr-python 3 does where a chunk is missing.

    The payload of a NaN in `fill_value` is lost if the array is of float16.
    """
    if elements.dtype.kind != "f" or elements.dtype.itemsize != 2:
        return elements
    if not has_nan_payload(case.fill):
        return elements
    bits = little_endian(elements).view("<u2").copy()
    bits[bits == int(case.fill.strip('"'), 16)] = 0x7E00
    return bits.view("<f2")


def assert_target(case: Case, source: Path, target: Path) -> None:
    """Require that the target is the source with the layout asked for."""
    found, expected = (
        _without_half_payload(case, read(path)) for path in (target, source)
    )
    assert_same_elements(found, expected)
    _assert_layout(case, source, target)
    _assert_attributes(case, source, target)
    _assert_fill_value(case, source, target)
    if case.target_format == case.layout.zarr_format:
        _assert_same_document(case, source, target)
    _assert_codecs(case, source, target)


def _assert_layout(case: Case, source: Path, target: Path) -> None:
    array = zarr.open_array(target, mode="r")
    before = zarr.open_array(source, mode="r")
    wanted = case.target
    assert array.metadata.zarr_format == case.target_format
    assert array.dtype.newbyteorder("<") == before.dtype.newbyteorder("<")
    chunks = array.chunks if case.target_format == 2 else inner_chunks(target)
    for axis, length in enumerate(wanted.chunks):
        if length is not None:
            assert chunks[axis] == length, (chunks, wanted.chunks)
    outer = tuple(_grid(target))
    if wanted.shards is not None:
        for shard, asked, chunk, length in zip(
            outer, wanted.shards, chunks, case.shape
        ):
            clipped = min(asked, max(1, length))
            assert shard in (asked, -(-clipped // chunk) * chunk)
    elif case.target_format == 3 and not wanted.no_shards:
        assert is_sharded(target) == bool(case.layout.shards)
    else:
        assert not is_sharded(target)


def _grid(path: Path) -> list[int]:
    """Return the shape of what one key of an array holds."""
    metadata = zarr.open_array(path, mode="r").metadata.to_dict()
    if "chunks" in metadata:
        return list(metadata["chunks"])
    return list(metadata["chunk_grid"]["configuration"]["chunk_shape"])


def codec_chain(path: Path) -> list[dict]:
    """Return the codecs of a v3 array as in its document."""
    return zarr.open_array(path, mode="r").metadata.to_dict()["codecs"]


def is_sharded(path: Path) -> bool:
    """True if one of the outermost codecs of a v3 array is sharding."""
    if not (path / "zarr.json").exists():
        return False
    return any(c["name"] == "sharding_indexed" for c in codec_chain(path))


def _innermost(path: Path) -> tuple[list[dict], tuple[int, ...]]:
    """Return the codecs of the innermost chunks and their shape."""
    chain = codec_chain(path)
    chunks = list(zarr.open_array(path, mode="r").metadata.chunks)
    axes = list(range(len(chunks)))  # Of the array, as this level sees them.
    while True:
        shards = [c for c in chain if c["name"] == "sharding_indexed"]
        if not shards:
            return chain, tuple(chunks)
        for codec in chain[: chain.index(shards[0])]:
            axes = [axes[axis] for axis in codec["configuration"]["order"]]
        for axis, length in zip(
            axes, shards[0]["configuration"]["chunk_shape"]
        ):
            chunks[axis] = length
        chain = list(shards[0]["configuration"]["codecs"])


def inner_chunks(path: Path) -> tuple[int, ...]:
    """Chunk shape inside all shards of a v3 array."""
    return _innermost(path)[1]


def _attributes(path: Path) -> list | None:
    if (path / "zarr.json").exists():
        return load_members(path / "zarr.json").get("attributes")
    attributes = path / ".zattrs"
    return load_tokens(attributes.read_text()) if attributes.exists() else None


def _assert_attributes(case: Case, source: Path, target: Path) -> None:
    """Same members in the same order, dimension names in their place."""
    before, after = _attributes(source) or [], _attributes(target) or []
    moved = case.layout.zarr_format != case.target_format
    if moved:
        free = {"_ARRAY_DIMENSIONS"}
        if case.names is not None or not case.shape:
            free.add("_FillValue")  # test_meaning.py looks at it.
        before = [m for m in before if m[0] not in free]
        after = [m for m in after if m[0] not in free]
    assert after == before
    if case.target_format == 3:
        names = load_members(target / "zarr.json").get("dimension_names")
    else:
        names = dict(_attributes(target) or []).get("_ARRAY_DIMENSIONS")
    assert names == case.names or (not case.shape and not names)


def _fill(path: Path) -> object:
    name = "zarr.json" if (path / "zarr.json").exists() else ".zarray"
    return load_members(path / name)["fill_value"]


def _assert_fill_value(case: Case, source: Path, target: Path) -> None:
    if case.target_format == case.layout.zarr_format:
        assert _fill(target) == _fill(source)
        return
    if case.fill == "null":
        return  # Missing chunks were compared.
    fills = [zarr.open_array(p, mode="r").fill_value for p in (target, source)]
    opened = case.names is not None or not case.shape
    if case.target_format == 2 and opened:
        # xarray masks what v2 names: nothing, what it masked before, or NaN.
        missing = dict(_attributes(source) or []).get("_FillValue")
        assert fills[0] is None or missing or np.isnan(fills[0]).any()
        return
    dtype = case.kind.dtype.newbyteorder("<")
    assert_same_elements(*(np.asarray(fill, dtype) for fill in fills))


def _assert_same_document(case: Case, source: Path, target: Path) -> None:
    """All that is not about chunks and codecs stands as it stood."""
    if case.target_format == 2:
        name, free = ".zarray", {"chunks", "compressor", "filters"}
    else:
        name, free = "zarr.json", {"chunk_grid", "codecs", "attributes"}
        free |= {"storage_transformers"}
    before, after = (load_members(p / name) for p in (source, target))
    for member in before.keys() | after.keys():
        if member not in free:
            default = "." if member == "dimension_separator" else None
            assert (after.get(member) or default) == (
                before.get(member) or default
            ), member


def _v2_codecs(path: Path) -> list[tuple[str, dict]]:
    """Names of v3 and configurations, in the order of encoding."""
    array = load_members(path / ".zarray")
    codecs = [*(array["filters"] or []), array["compressor"]]
    plain = ("zstd", "gzip", "blosc")
    named = []
    for codec in codecs:
        if codec is not None:
            members = dict(codec)
            name = members.pop("id")
            name = name if name in plain else f"numcodecs.{name}"
            named.append((name, members))
    return named


def _v3_codecs(path: Path) -> list[tuple[str, dict]]:
    layout = {"bytes", "transpose", "sharding_indexed"}
    return [
        (codec["name"], dict(codec.get("configuration", {})))
        for codec in _innermost(path)[0]
        if codec["name"] not in layout
    ]


def byte_codecs(path: Path) -> list[tuple[str, dict]]:
    """Return (v3 name, configuration) of the bytes -> bytes codecs."""
    is_v3 = (path / "zarr.json").exists()
    return _v3_codecs(path) if is_v3 else _v2_codecs(path)


def _assert_codecs(case: Case, source: Path, target: Path) -> None:
    actual = byte_codecs(target)
    asked = case.target.codec
    if asked is None:
        expected = byte_codecs(source)
        assert [name for name, _ in actual] == [name for name, _ in expected]
        if case.target_format == case.layout.zarr_format:
            assert actual == expected
        return
    expected = CODEC_TEXTS[asked]
    assert [name for name, _ in actual] == [name for name, _ in expected]
    for (_, got), (_, wanted) in zip(actual, expected):
        for key, value in wanted.items():
            assert _plain(got[key]) in _plain_forms(value), (key, got)


def _plain(value: object) -> str:
    """Return a value as text, whatever parsed it."""
    return str(value[1] if isinstance(value, tuple) else value)


def _plain_forms(value: object) -> set[str]:
    """Return the spellings of a value: v2 counts the shuffles of blosc."""
    shuffles = {"noshuffle": "0", "shuffle": "1", "bitshuffle": "2"}
    return {str(value), shuffles.get(str(value), str(value))}
