"""TensorStore, copying in boxes of whole target objects, or as a whole.

run_tensorstore.py blocks|whole JOB. A box takes half of the memory, because
what is read and what waits to be written are held at the same time. No chunk
cache, no fsync.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy
import tensorstore
from copy_job import Job, best_box, boxes, from_command_line


def open_source(
    job: Job, context: tensorstore.Context
) -> tensorstore.TensorStore:
    driver = "zarr3" if Path(job.source, "zarr.json").exists() else "zarr"
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": job.source}}
    return tensorstore.open(
        spec, open=True, read=True, context=context
    ).result()


def target_metadata(job: Job) -> dict:
    """The source's metadata with the target's format, chunks and shards."""
    v2 = Path(job.source, ".zarray")
    if job.zarr_format == 2:
        return json.loads(v2.read_text()) | {"chunks": job.chunks}
    if v2.exists():
        metadata = _as_v3(json.loads(v2.read_text()), job)
    else:
        metadata = json.loads(Path(job.source, "zarr.json").read_text())
    metadata["chunk_grid"]["configuration"]["chunk_shape"] = job.objects
    codecs = metadata["codecs"]
    if codecs[0]["name"] == "sharding_indexed":
        codecs = codecs[0]["configuration"]["codecs"]
    metadata["codecs"] = _sharded(codecs, job) if job.shards else codecs
    return metadata


def _sharded(codecs: list, job: Job) -> list:
    little = {"name": "bytes", "configuration": {"endian": "little"}}
    configuration = {
        "chunk_shape": job.chunks,
        "codecs": codecs,
        "index_codecs": [little, {"name": "crc32c"}],
    }
    return [{"name": "sharding_indexed", "configuration": configuration}]


def _as_v3(v2: dict, job: Job) -> dict:
    little = {"name": "bytes", "configuration": {"endian": "little"}}
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": v2["shape"],
        "data_type": tensorstore.dtype(numpy.dtype(v2["dtype"])).name,
        "chunk_grid": {"name": "regular", "configuration": {}},
        "chunk_key_encoding": {"name": "default"},
        "fill_value": v2["fill_value"],
        "codecs": [little, *_codec_v3(job.codec)],
    }


def _codec_v3(codec: dict | None) -> list:
    if codec is None:
        return []
    if codec["id"] == "zstd":
        configuration = {"level": codec["level"], "checksum": False}
        return [{"name": "zstd", "configuration": configuration}]
    raise SystemExit(f"no v3 form of {codec}")


def create_target(
    job: Job, context: tensorstore.Context
) -> tensorstore.TensorStore:
    metadata = target_metadata(job)
    metadata.pop("consolidated_metadata", None)
    spec = {
        "driver": "zarr3" if metadata["zarr_format"] == 3 else "zarr",
        "kvstore": {"driver": "file", "path": job.target},
        "metadata": metadata,
    }
    return tensorstore.open(spec, create=True, context=context).result()


def copy(job: Job, whole: bool) -> None:
    context = tensorstore.Context(
        {
            "cache_pool": {"total_bytes_limit": 0},
            "data_copy_concurrency": {"limit": job.threads},
            "file_io_concurrency": {"limit": 2 * job.threads},
            "file_io_sync": False,
        }
    )
    source, target = open_source(job, context), create_target(job, context)
    if whole:
        target.write(source).result()
        return
    shape = tuple(source.shape)
    limit = job.memory_bytes // 2 // source.dtype.numpy_dtype.itemsize
    chunks = source.chunk_layout.read_chunk.shape
    for region in boxes(shape, best_box(shape, job.objects, chunks, limit)):
        values = source[region].read().result()
        with tensorstore.Transaction() as transaction:  # one write per shard
            target.with_transaction(transaction)[region] = values


if __name__ == "__main__":
    as_whole = sys.argv.pop(1) == "whole"
    asked = from_command_line("tensorstore")
    if asked:
        copy(asked, as_whole)
