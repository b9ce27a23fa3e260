"""TensorStore, copying in boxes of whole target objects, box by box.

A box takes half of the memory, because what is read and what waits to be
written are held at the same time. No chunk cache, no fsync.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import tensorstore
from copy_job import Job, best_box, from_command_line


def open_source(
    job: Job, context: tensorstore.Context
) -> tensorstore.TensorStore:
    driver = "zarr3" if Path(job.source, "zarr.json").exists() else "zarr"
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": job.source}}
    return tensorstore.open(
        spec, open=True, read=True, context=context
    ).result()


def target_metadata(job: Job) -> dict:
    """The source's metadata with the target's chunks and shards."""
    v3 = Path(job.source, "zarr.json")
    if not v3.exists():
        metadata = json.loads(Path(job.source, ".zarray").read_text())
        return metadata | {"chunks": job.chunks}
    metadata = json.loads(v3.read_text())
    metadata["chunk_grid"]["configuration"]["chunk_shape"] = job.objects
    if job.shards:
        little = {"name": "bytes", "configuration": {"endian": "little"}}
        configuration = {
            "chunk_shape": job.chunks,
            "codecs": metadata["codecs"],
            "index_codecs": [little, {"name": "crc32c"}],
        }
        sharding = {"name": "sharding_indexed", "configuration": configuration}
        metadata["codecs"] = [sharding]
    return metadata


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


def copy(job: Job) -> None:
    context = tensorstore.Context(
        {
            "cache_pool": {"total_bytes_limit": 0},
            "data_copy_concurrency": {"limit": job.threads},
            "file_io_concurrency": {"limit": 2 * job.threads},
            "file_io_sync": False,
        }
    )
    source, target = open_source(job, context), create_target(job, context)
    shape = tuple(source.shape)
    limit = job.memory_bytes // 2 // source.dtype.numpy_dtype.itemsize
    chunks = source.chunk_layout.read_chunk.shape
    box = best_box(shape, job.objects, chunks, limit)
    counts = [
        math.ceil(length / side)
        for length, side in zip(shape, box, strict=True)
    ]
    for number in range(math.prod(counts)):
        region = []
        for count, side, length in zip(
            counts[::-1], box[::-1], shape[::-1], strict=True
        ):
            number, at = divmod(number, count)
            region.insert(0, slice(at * side, min((at + 1) * side, length)))
        values = source[tuple(region)].read().result()
        with tensorstore.Transaction() as transaction:  # one write per shard
            target.with_transaction(transaction)[tuple(region)] = values


if __name__ == "__main__":
    asked = from_command_line("tensorstore")
    if asked:
        copy(asked)
