"""Writes metadata documents as text, so that every token can be chosen."""

from __future__ import annotations

import json
from pathlib import Path

from elements import Rng, Type
from layouts import Layout

# Tokens that a parser which goes through doubles would change.
ATTRIBUTES = [
    ("_FillValue", "NaN"),
    ("valid_range", "[-Infinity, Infinity]"),
    ("huge", "123456789012345678901234567890"),
    ("precise", "0.1000000000000000055511151231257827"),
    ("one", "1.0"),
    ("exponent", "1E+2"),
    ("units", '"K"'),
    ("unicode", '"Grüße, 世界 😀"'),
    ("escaped", '"tab\\t \\u00e9 \\ud83d\\ude00 \\/"'),
    ("nested", '{"a": [1, {"b": [null, true, {}]}, []], "": "empty key"}'),
    ("negative zero", "-0.0"),
    ("scale_factor", "1e-05"),
]
STRICT_ONLY = {"_FillValue", "valid_range"}


def random_attributes(
    rng: Rng, names: list[str | None] | None, zarr_format: int
) -> list[tuple[str, str]]:
    """Some of the tricky members; v2 keeps its dimension names there too."""
    count = int(rng.integers(0, len(ATTRIBUTES) + 1))
    chosen = rng.choice(len(ATTRIBUTES), count, replace=False)
    members = [ATTRIBUTES[i] for i in chosen]
    if rng.random() < 0.5:
        members = [member for member in members if is_strict_json([member])]
    if zarr_format == 2 and names is not None:
        place = int(rng.integers(0, len(members) + 1))
        dimensions = ("_ARRAY_DIMENSIONS", json.dumps(names))
        members.insert(place, dimensions)
    return members


def is_strict_json(members: list[tuple[str, str]]) -> bool:
    """True if no attribute has a bare NaN or Infinity."""
    return not any(name in STRICT_ONLY for name, _ in members)


def object_text(members: list[tuple[str, str]], indent: bool = True) -> str:
    """Return JSON object text of (name, JSON text) members."""
    separator = ",\n  " if indent else ","
    texts = [f"{json.dumps(name)}: {text}" for name, text in members]
    if not texts:
        return "{}"
    body = separator.join(texts)
    return f"{{\n  {body}\n}}" if indent else f"{{{body}}}"


def write_array(
    path: Path,
    shape: tuple[int, ...],
    kind: Type,
    layout: Layout,
    fill: str,
    attributes: list[tuple[str, str]] | None,
    names: list[str | None] | None,
) -> None:
    """Write the documents of an array without data."""
    path.mkdir(parents=True)
    text = object_text(attributes or [])
    if layout.zarr_format == 2:
        members = _v2_members(shape, kind, layout, fill)
        (path / ".zarray").write_text(object_text(members))
        if attributes is not None:
            (path / ".zattrs").write_text(text)
        return
    members = _v3_members(shape, kind, layout, fill)
    members.append(("attributes", text))
    if names is not None:
        members.append(("dimension_names", json.dumps(names)))
    (path / "zarr.json").write_text(object_text(members))


def _v2_members(
    shape: tuple[int, ...], kind: Type, layout: Layout, fill: str
) -> list[tuple[str, str]]:
    values = {
        "zarr_format": 2,
        "shape": shape,
        "chunks": layout.chunks,
        "dtype": kind.v2,
        "compressor": layout.compressor,
        "filters": layout.filters,
        "order": "F" if layout.transpose is not None else "C",
    }
    members = [(name, json.dumps(value)) for name, value in values.items()]
    if layout.separator == "/":
        members.append(("dimension_separator", '"/"'))
    return [*members, ("fill_value", fill)]


def _v3_members(
    shape: tuple[int, ...], kind: Type, layout: Layout, fill: str
) -> list[tuple[str, str]]:
    encoding = {
        "name": "v2" if layout.v2_keys else "default",
        "configuration": {"separator": layout.separator},
    }
    grid = {"chunk_shape": layout.object_shape}
    values = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": shape,
        "data_type": kind.v3,
        "chunk_grid": {"name": "regular", "configuration": grid},
        "chunk_key_encoding": encoding,
        "codecs": v3_codecs(kind, layout),
        "storage_transformers": [],
    }
    members = [(name, json.dumps(value)) for name, value in values.items()]
    return [*members, ("fill_value", fill)]


def v3_codecs(kind: Type, layout: Layout) -> list[dict]:
    """Return the whole codec chain, shards included."""
    endian = {"configuration": {"endian": kind.endian}} if kind.endian else {}
    chain = [{"name": "bytes", **endian}, *layout.codecs]
    if layout.transpose is not None:
        chain.insert(0, _transpose(layout.transpose))
    inner = layout.chunks
    order = layout.outer_transpose or range(len(inner))
    for shard in reversed(layout.shards):
        configuration = {
            "chunk_shape": [inner[axis] for axis in order],
            "codecs": chain,
            "index_codecs": [
                {"name": "bytes", "configuration": {"endian": "little"}},
                {"name": "crc32c"},
            ],
            "index_location": layout.index_location,
        }
        chain = [{"name": "sharding_indexed", "configuration": configuration}]
        inner = shard
    if layout.outer_transpose is not None:
        chain.insert(0, _transpose(layout.outer_transpose))
    return chain


def _transpose(order: tuple[int, ...]) -> dict:
    return {"name": "transpose", "configuration": {"order": order}}


def _token(text: str) -> tuple[str, str]:
    """Keep a number or constant as it was written, distinct from a string."""
    return ("token", text)


def load_tokens(text: str) -> object:
    """Parse JSON; numbers stay text, objects become lists of pairs."""
    return json.loads(
        text,
        parse_float=_token,
        parse_int=_token,
        parse_constant=_token,
        object_pairs_hook=list,
    )


def load_members(path: Path) -> dict[str, object]:
    """Parse the members of a document with `load_tokens`."""
    return dict(load_tokens(path.read_text()))
