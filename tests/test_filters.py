"""Arrays behind filters of numcodecs, as zarr-python writes and reads them."""

from __future__ import annotations

import itertools
from pathlib import Path

import numcodecs
import numpy as np
import pytest
import zarr
from zarr.codecs import numcodecs as v3

from binary import Rechunk

RNG = np.random.default_rng(7)
SHAPE = (37, 41)
CHUNKS = (37, 6)


def counts(dtype: str) -> np.ndarray:
    """Numbers whose differences are small."""
    return RNG.integers(-100, 100, SHAPE).cumsum(0).astype(dtype)


def tenths(dtype: str) -> np.ndarray:
    """Numbers with one digit behind the point."""
    return (RNG.integers(-2000, 2000, SHAPE) / 10).astype(dtype)


def scaled(dtype: str, astype: str, **options: float) -> numcodecs.abc.Codec:
    """Tenths as integers."""
    options = {"offset": 10, "scale": 10, **options}
    return numcodecs.FixedScaleOffset(dtype=dtype, astype=astype, **options)


# What is written, the filters, and the fill value.
CASES = {
    "shuffle": (counts("i4"), [numcodecs.Shuffle(4)], 3),
    "shuffle of 7": (counts("i4").astype("S7"), [numcodecs.Shuffle(7)], b""),
    "shuffle and checksum": (
        counts("<i2"),
        [numcodecs.Shuffle(2), numcodecs.Zlib(1), numcodecs.Fletcher32()],
        0,
    ),
    "crc32": (counts("u8"), [numcodecs.CRC32()], 0),
    "crc32c at the start": (counts("u8"), [numcodecs.CRC32C("start")], 0),
    "adler32": (counts("u8"), [numcodecs.Adler32(location="end")], 0),
    "jenkins": (counts("u1"), [numcodecs.JenkinsLookup3(initval=3)], 0),
    "lzma": (counts("u4"), [numcodecs.LZMA(format=2, preset=1)], 0),
    "bz2": (counts("u4"), [numcodecs.BZ2(9)], 0),
    "delta": (counts("i4"), [numcodecs.Delta("<i4")], 5),
    "delta that wraps": (counts("u2"), [numcodecs.Delta("<u2")], 0),
    "delta in less": (counts("i8"), [numcodecs.Delta("<i8", "<i2")], 0),
    "delta big-endian": (counts(">i4"), [numcodecs.Delta(">i4")], 0),
    "scale": (tenths("f8"), [scaled("<f8", "<i2")], 0),
    "scale of f4": (tenths("f4"), [scaled("<f4", "<i4", offset=0)], 0),
    "scale in a byte": (
        RNG.random(SHAPE) + 1000,
        [scaled("<f8", "|u1", offset=1000, scale=100)],
        1000.5,
    ),
    "offset": (counts("i4"), [scaled("<i4", "<i2", scale=1)], 0),
    "astype": (tenths("f8"), [numcodecs.AsType("<f4", "<f8")], 0),
    "astype of integers": (counts("i8"), [numcodecs.AsType("<i2", "<i8")], 0),
    "quantize": (RNG.random(SHAPE), [numcodecs.Quantize(2, "<f8")], np.nan),
    "quantize in less": (
        RNG.random(SHAPE),
        [numcodecs.Quantize(2, "<f8", "<f4")],
        0,
    ),
    "bitround": (tenths("f4"), [numcodecs.BitRound(6)], np.nan),
    "packbits": (RNG.random(SHAPE) > 0.5, [numcodecs.PackBits()], True),
    "three": (
        tenths("f8"),
        [scaled("<f8", "<i4"), numcodecs.Delta("<i4"), numcodecs.Shuffle(4)],
        0,
    ),
}
# zarr-python gives filters of v3 numbers of this machine's byte order, and does
# not read what this quantize writes.
ONLY_V2 = {"delta big-endian", "quantize in less"}
COMPRESSORS = (None, numcodecs.Zlib(1), numcodecs.Blosc("zstd", 3))


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal in type and in all bits."""
    return a.dtype == b.dtype and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore")
def test_filters_of_v2_are_read_and_written(
    rechunk: Rechunk, tmp_path: Path, name: str
) -> None:
    """In both orders, alone and below compressors, and moved to v3."""
    data, filters, fill = CASES[name]
    for order, compressor in itertools.product("CF", COMPRESSORS):
        source = tmp_path / f"{order}{compressor and compressor.codec_id}"
        array = zarr.create_array(
            source,
            shape=data.shape,
            dtype=data.dtype,
            chunks=(5, data.shape[1]),
            compressors=compressor,
            filters=filters,
            zarr_format=2,
            order=order,
            fill_value=fill,
        )
        array[:30] = data[:30]
        expected = zarr.open_array(source, mode="r")[...]
        for zarr_format in (2, 3):
            target = source.with_suffix(f".{zarr_format}")
            words = ("run", source, target, "--verify", "--chunks", "37,6")
            words = (*words, "--zarr-format", zarr_format)
            if zarr_format == 3 and name in ONLY_V2:
                assert "cannot decode" in rechunk.fails(*words).stderr
                continue
            rechunk.ok(*words)
            made = zarr.open_array(target, mode="r")
            assert made.chunks == CHUNKS
            assert same(made[...], expected)


@pytest.mark.parametrize(
    ("data", "filters"),
    [
        (counts("i4"), [v3.Delta(dtype="<i4")]),
        (
            tenths("f8"),
            [
                v3.FixedScaleOffset(
                    offset=1, scale=10, dtype="<f8", astype="<i2"
                )
            ],
        ),
        (RNG.random(SHAPE) > 0.5, [v3.PackBits()]),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_filters_of_v3_are_read_and_written(
    rechunk: Rechunk, tmp_path: Path, data: np.ndarray, filters: list
) -> None:
    """In shards, too; and back to v2."""
    zarr.create_array(
        tmp_path / "a",
        data=data,
        chunks=(5, 41),
        filters=filters,
        compressors=[v3.Shuffle(elementsize=2)] if data.dtype == "f8" else None,
    )
    expected = zarr.open_array(tmp_path / "a")[...]
    for name, options in {
        "shards": ("--chunks", "6,7", "--shards", "12,14"),
        "v2": ("--chunks", "37,6", "--zarr-format", "2"),
        "again": ("--chunks", "3,41"),
    }.items():
        source = tmp_path / ("shards" if name == "again" else "a")
        rechunk.ok("run", source, tmp_path / name, *options, "--verify")
        assert same(zarr.open_array(tmp_path / name)[...], expected)


@pytest.mark.filterwarnings("ignore")
def test_what_a_filter_cannot_hold_is_refused(
    rechunk: Rechunk, tmp_path: Path
) -> None:
    """Before anything is lost: sums of floats, a fill value, appended data."""
    for name, filters, fill in (
        ("sums", [numcodecs.Delta("<f8")], 0),
        ("fill", [scaled("<f8", "<i2")], np.nan),
    ):
        group = zarr.create_group(tmp_path / name, zarr_format=2)
        options = {"filters": filters, "fill_value": fill}
        group.create_array("v", data=tenths("f8"), chunks=(5, 41), **options)
        group.create_array("w", data=tenths("f8"), chunks=(5, 41))
        words = (tmp_path / name, tmp_path / f"{name}.t", "--chunks", "9,9")
        made = rechunk.ok("run", *words)
        assert "not rechunked: v" in made.stderr, str(made)
        target = zarr.open_group(tmp_path / f"{name}.t")["v"]
        assert same(target[...], group["v"][...])
    for name, number in (("a", 1.5), ("b", 1.55)):
        zarr.create_array(
            tmp_path / name,
            data=np.full((10, 4), number),
            chunks=(5, 4),
            filters=[scaled("<f8", "<i2")] if name == "a" else None,
            compressors=None,
            zarr_format=2,
            fill_value=0,
        )
    rechunk.ok("run", tmp_path / "a", tmp_path / "t", "--chunks", "10,2")
    failed = rechunk.fails("run", tmp_path / "b", tmp_path / "t", "--append", 0)
    assert "would change element 0" in failed.stderr, str(failed)
    assert (zarr.open_array(tmp_path / "t")[...] == 1.5).all()
