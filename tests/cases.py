"""Random jobs: a source array, the command line, and what must come out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import zarr

from documents import is_strict_json, random_attributes, write_array
from elements import (
    Rng,
    Type,
    fill_token,
    has_nan_payload,
    random_elements,
    random_type,
)
from layouts import Layout, random_chunks, random_layout, random_shape

NAMES = ["time", "lat", "lon", "level", "x y", "größe"]
# A short form of --codec, and (name, configuration) in v3 that it means.
CODEC_TEXTS = {
    "none": [],
    "zstd": [("zstd", {})],
    "zstd:7": [("zstd", {"level": 7})],
    "gzip:6": [("gzip", {"level": 6})],
    "zlib:1": [("numcodecs.zlib", {"level": 1})],
    "lz4": [("numcodecs.lz4", {})],
    "blosc:lz4:5": [("blosc", {"cname": "lz4", "clevel": 5})],
    "blosc:zstd:3:bitshuffle": [
        ("blosc", {"cname": "zstd", "clevel": 3, "shuffle": "bitshuffle"})
    ],
    '{"id": "zstd", "level": 2}': [("zstd", {"level": 2})],
    '{"name": "gzip", "configuration": {"level": 3}}': [("gzip", {"level": 3})],
    "blosc:lz4:5+crc32c": [("blosc", {"cname": "lz4"}), ("crc32c", {})],
}
BUDGETS = ["smallest", "smallest", "tight", "plenty", "plenty"]


@dataclass
class Target:
    """What the command line asks for; None: as in the source."""

    chunks_text: str
    chunks: list[int | None] = field(default_factory=list)  # None: any.
    shards: tuple[int, ...] | None = None
    no_shards: bool = False
    codec: str | None = None
    zarr_format: int | None = None
    flags: list[str] = field(default_factory=list)

    def arguments(self) -> list[str]:
        """Command line arguments after SOURCE and TARGET."""
        texts = ["--chunks", self.chunks_text]
        if self.shards is not None:
            texts += ["--shards", ",".join(map(str, self.shards))]
        if self.no_shards:
            texts += ["--shards", "none"]
        if self.codec is not None:
            texts += ["--codec", self.codec]
        if self.zarr_format is not None:
            texts += ["--zarr-format", str(self.zarr_format)]
        return texts + self.flags


@dataclass
class Case:
    """One random job."""

    seed: tuple[int, int]
    shape: tuple[int, ...]
    kind: Type
    layout: Layout
    fill: str
    attributes: list[tuple[str, str]] | None
    names: list[str | None] | None
    target: Target
    budget: str
    threads: int
    expected_error: str | None = None  # A word of the message.

    @property
    def target_format(self) -> int:
        """Zarr format of the target."""
        return self.target.zarr_format or self.layout.zarr_format

    def tensorstore_reads(self) -> bool:
        """Whether TensorStore knows all that the source and target use."""
        codecs = [codec["name"] for codec in self.layout.codecs]
        if self.layout.compressor:
            codecs.append(self.layout.compressor["id"])
        if self.target.codec is not None:
            codecs += [name for name, _ in CODEC_TEXTS[self.target.codec]]
        return (
            self.kind.is_number
            and self.layout.filters is None
            # It makes one NaN of all that a float16 can be.
            and not (self.kind.dtype.itemsize == 2 and "0x" in self.fill)
            and is_strict_json(self.attributes or [])
            and {*codecs} <= {"blosc", "zstd", "gzip", "zlib", "crc32c"}
            and not ("zlib" in codecs and self.target_format == 3)
            and 0 not in self.shape
        )


def random_case(seed: tuple[int, int]) -> Case:
    """Draw a job; the same for the same seed."""
    rng = np.random.default_rng(seed)
    kind = random_type(rng)
    zarr_format = int(rng.integers(2, 4))
    shape = random_shape(rng, kind.dtype.itemsize)
    layout = random_layout(rng, shape, kind, zarr_format)
    names = _random_names(rng, len(shape))
    attributes = random_attributes(rng, names, zarr_format)
    case = Case(
        seed=seed,
        shape=shape,
        kind=kind,
        layout=layout,
        fill=fill_token(rng, kind, zarr_format),
        attributes=attributes or ([] if rng.random() < 0.5 else None),
        names=names,
        target=_random_target(rng, shape, layout, names),
        budget=str(rng.choice(BUDGETS)),
        threads=int(rng.integers(1, 5)),
    )
    case.expected_error = _expected_error(case)
    return case


def _random_names(rng: Rng, rank: int) -> list[str | None] | None:
    if rng.random() < 0.35:
        return None
    names = [str(name) for name in rng.choice(NAMES, rank, replace=False)]
    return [*names]


def _random_target(
    rng: Rng,
    shape: tuple[int, ...],
    layout: Layout,
    names: list[str | None] | None,
) -> Target:
    target = _random_chunks_text(rng, shape, layout, names)
    if rng.random() < 0.2:
        target.zarr_format = 5 - layout.zarr_format
    target_format = target.zarr_format or layout.zarr_format
    if rng.random() < (0.3 if target_format == 3 else 0.02):
        known = target.chunks and None not in target.chunks
        if known:
            target.shards = tuple(
                int(c * rng.integers(1, 4)) for c in target.chunks
            )
    elif layout.shards and rng.random() < 0.4:
        target.no_shards = True
    if rng.random() < 0.3 and not _converts_badly(layout, target_format):
        texts = list(CODEC_TEXTS)
        if target_format == 2:
            texts.remove("blosc:lz4:5+crc32c")
        if not layout.filters:
            target.codec = str(rng.choice(texts))
    for flag, share in (("--verify", 0.2), ("--write-empty-chunks", 0.1)):
        if rng.random() < share:
            target.flags.append(flag)
    return target


def _random_chunks_text(
    rng: Rng,
    shape: tuple[int, ...],
    layout: Layout,
    names: list[str | None] | None,
) -> Target:
    style = rng.choice(["list", "list", "names", "all", "auto"])
    lengths = random_chunks(rng, shape)
    if rng.random() < 0.1:
        lengths = layout.chunks
    if not shape or style == "all":
        return Target("all", [max(1, n) for n in shape])
    if style == "auto":
        return Target(f"auto:{rng.integers(1, 9)}kB", [None] * len(shape))
    texts = [str(length) for length in lengths]
    for axis, length in enumerate(shape):
        if lengths[axis] >= max(1, length) and rng.random() < 0.5:
            texts[axis] = str(rng.choice(["all", "-1"]))
    # Lengths beyond the array's are kept: it may grow.
    asked = [
        max(1, n) if text in ("all", "-1") else int(text)
        for text, n in zip(texts, shape)
    ]
    if style == "list":
        return Target(",".join(texts), asked)
    kept = [bool(rng.random() < 0.3) for _ in shape]
    kept[rng.integers(0, len(shape))] = False
    keys = names if names and rng.random() < 0.8 else range(len(shape))
    parts = [
        f"{key}={text}"
        for key, text, keep in zip(keys, texts, kept)
        if not keep
    ]
    chunks = [None if keep else c for keep, c in zip(kept, asked)]
    return Target(",".join(parts), chunks)


def _converts_badly(layout: Layout, target_format: int) -> bool:
    """True where only v3 can express the source's codecs."""
    if target_format == layout.zarr_format or layout.zarr_format == 2:
        return False
    return any(codec["name"] == "crc32c" for codec in layout.codecs)


def _expected_error(case: Case) -> str | None:
    """Return a word of the message where the job cannot be done."""
    layout, target = case.layout, case.target
    if case.target_format == 2 and target.shards is not None:
        return "shard"
    if layout.zarr_format == 2 or case.target_format == 3:
        return None
    reversal = tuple(reversed(range(len(case.shape))))
    if layout.shards and not target.no_shards:
        return "shard"
    orders = {layout.transpose, layout.outer_transpose} - {None}
    identity = tuple(range(len(case.shape)))
    if orders - {reversal, identity}:
        return "transpose"
    if _converts_badly(layout, 2):
        return "crc32c"
    if case.kind.kind in "fc" and has_nan_payload(case.fill):
        return "fill"
    return None


def needs_luck(case: Case) -> bool:
    """Jobs that this suite leaves out, since right is not defined for them."""
    layout = case.layout
    to_v2 = layout.zarr_format == 3 and case.target_format == 2
    converts = layout.zarr_format != case.target_format
    reasons = [
        to_v2 and len(layout.codecs) > 1 and not _converts_badly(layout, 2),
        to_v2 and layout.outer_transpose is not None,
        converts and layout.filters,
        # Two causes: either may be the one that is told.
        to_v2 and layout.shards and not case.target.no_shards
        and (layout.transpose or layout.codecs or "0x" in case.fill),
        to_v2 and layout.transpose and has_nan_payload(case.fill),
        # zarr-python fills what is missing with another NaN.
        case.kind.dtype == "f2" and has_nan_payload(case.fill),
    ]  # fmt: skip
    return any(reasons)


def needs_newest_zarr(case: Case) -> bool:
    """What zarr-python 3.1 refuses to read, or reads without swapping bytes."""
    if case.kind.kind != "V":
        return False
    if case.kind.dtype.fields is not None:
        formats = (case.layout.zarr_format, case.target_format)
        if formats == (2, 3) or (3 in formats and case.kind.endian == "big"):
            return True
    return case.target.shards is not None


def make_source(case: Case, path: Path) -> None:
    """Write the source array: dense, or with some of its chunks missing."""
    rng = np.random.default_rng((*case.seed, 1))
    write_array(
        path,
        case.shape,
        case.kind,
        case.layout,
        case.fill,
        case.attributes,
        case.names,
    )
    with zarr.config.set(
        {"array.write_empty_chunks": bool(rng.random() < 0.7)}
    ):
        array = zarr.open_array(path, mode="r+")
        if rng.random() < 0.5:
            array[...] = random_elements(rng, case.kind, case.shape)
            return
        for _ in range(int(rng.integers(0, 4))):
            box = tuple(_random_slice(rng, length) for length in case.shape)
            extent = tuple(part.stop - part.start for part in box)
            elements = random_elements(rng, case.kind, extent)
            if rng.random() < 0.2 and case.fill != "null":
                elements[...] = array.fill_value
            array[box] = elements


def _random_slice(rng: Rng, length: int) -> slice:
    start, stop = sorted(int(x) for x in rng.integers(0, length + 1, 2))
    return slice(start, stop)
