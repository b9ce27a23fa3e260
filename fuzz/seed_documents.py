"""Documents of the seeds: metadata of arrays and groups, right and odd."""

from __future__ import annotations

import json

from seed_texts import HUGE, Objects

def v2(**members: object) -> bytes:
    """Return a .zarray."""
    document = {
        "zarr_format": 2,
        "shape": [6, 10],
        "chunks": [4, 3],
        "dtype": "<i4",
        "compressor": None,
        "filters": None,
        "fill_value": 0,
        "order": "C",
    }
    return json.dumps({**document, **members}).encode()


def v3(**members: object) -> bytes:
    """Return the zarr.json of an array."""
    document = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [6, 10],
        "data_type": "int32",
        "chunk_grid": grid([4, 3]),
        "chunk_key_encoding": {"name": "default"},
        "codecs": [little("bytes")],
        "fill_value": 0,
    }
    return json.dumps({**document, **members}).encode()


def named(name: str, **configuration: object) -> dict:
    """Return an extension object."""
    return {"name": name, "configuration": configuration}


def grid(chunks: list[int]) -> dict:
    """Return a regular grid."""
    return named("regular", chunk_shape=chunks)


def little(name: str) -> dict:
    """Return a codec with a byte order."""
    return named(name, endian="little")


def sharding(chunks: list[int], *codecs: dict, **members: object) -> dict:
    """Return a sharding codec."""
    codecs = codecs or (little("bytes"),)
    index = [little("bytes"), {"name": "crc32c"}]
    return named(
        "sharding_indexed",
        chunk_shape=chunks,
        codecs=list(codecs),
        index_codecs=index,
        **members,
    )


STRUCT = [["a", ">f4", [2, 3]], ["b", [["c", "|S3"], ["d", "<U2"]]]]
V2_DOCUMENTS = {
    "plain": v2(),
    "blosc": v2(
        dtype=">f8",
        order="F",
        fill_value="NaN",
        compressor={"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": -1},
    ),
    "filters": v2(
        dtype="<M8[10s]",
        fill_value="NaT",
        filters=[{"id": "delta", "dtype": "<i8"}, {"id": "zlib", "level": 1}],
    ),
    "struct": v2(dtype=STRUCT, fill_value="AAAA"),
    "text": v2(dtype="<U3", fill_value="a\ud83d\ude00", compressor={"id": "x"}),
    "object": v2(dtype="|O", filters=[{"id": "vlen-utf8"}], fill_value=""),
    "huge-element": v2(dtype="|V67108864", fill_value=None),
    "many-scalars": v2(dtype=[["a", "<f4", [1 << 20]]], fill_value=None),
    "zero": v2(shape=[0, HUGE], chunks=[0, HUGE], dimension_separator="/"),
    "negative": v2(shape=[-1, 1 << 63]),
    "rank-0": v2(shape=[], chunks=[]),
    "rank-70": v2(shape=[1] * 70, chunks=[1] * 70),
    "unknown": v2(more={"a": [1]}, dtype="<f3"),
}
V3_DOCUMENTS = {
    "plain": v3(),
    "big": v3(codecs=[named("bytes", endian="big"), {"name": "crc32c"}]),
    "transpose": v3(
        codecs=[named("transpose", order=[1, 0]), little("bytes")],
        dimension_names=["x", None],
    ),
    "shards": v3(codecs=[sharding([2, 1])]),
    "start": v3(
        codecs=[sharding([2, 3], little("bytes"), index_location="start")]
    ),
    "nested": v3(codecs=[sharding([4, 1], sharding([1, 1]))]),
    "not-divided": v3(codecs=[sharding([3, 2])]),
    "many-inner": v3(
        shape=[1 << 40], chunk_grid=grid([1 << 40]), codecs=[sharding([1])]
    ),
    "overflow": v3(chunk_grid=grid([HUGE, HUGE])),
    "struct": v3(
        data_type=named(
            "struct",
            fields=[
                {"name": "a", "data_type": "complex64"},
                {"name": "b", "data_type": "r24"},
            ],
        ),
        fill_value={"a": [1.5, "0x7fc00001"], "b": [1, 2, 3]},
    ),
    "float8": v3(data_type="float8_e4m3fnuz", fill_value="0x80"),
    "time": v3(
        data_type=named("numpy.datetime64", unit="ns", scale_factor=10),
        fill_value="NaT",
    ),
    "raw": v3(data_type=named("raw_bytes", length_bytes=5), fill_value="AAEC"),
    "v2-keys": v3(chunk_key_encoding=named("v2", separator="/")),
    "optional": v3(extra={"must_understand": False}, storage_transformers=[]),
    "unknown-codec": v3(codecs=[little("bytes"), named("numcodecs.what", a=1)]),
    "attributes": v3(attributes={"_FillValue": "AAAAAAAA+H8=", "n": [1, {}]}),
}
GROUP = b'{"zarr_format": 3, "node_type": "group", "attributes": {"a": 1}}'
CONSOLIDATED = json.dumps(
    {
        "zarr_format": 3,
        "node_type": "group",
        "consolidated_metadata": {
            "kind": "inline",
            "must_understand": False,
            "metadata": {"a": json.loads(v3()), "../b": {}},
        },
    }
).encode()
HIERARCHIES: dict[str, Objects] = {
    "v3": {"zarr.json": GROUP, "g/zarr.json": GROUP, "g/a/zarr.json": v3()},
    "consolidated": {"zarr.json": CONSOLIDATED, "a/zarr.json": v3()},
    "v2": {
        ".zgroup": b'{"zarr_format": 2}',
        ".zattrs": b"{}",
        ".zmetadata": b'{"metadata": {}, "zarr_consolidated_format": 1}',
        "a/.zarray": v2(),
        "a/.zattrs": b'{"_ARRAY_DIMENSIONS": ["x", "y"]}',
        "g/h/.zarray": v2(shape=[0], chunks=[0]),
    },
    "both": {"zarr.json": GROUP, ".zgroup": b"{}", "a/.zarray": v2()},
    "inside": {
        "zarr.json": GROUP,
        "a/zarr.json": v3(),
        "a/b/zarr.json": v3(),
        "c/../zarr.json": v3(),
    },
}
