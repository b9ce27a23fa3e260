"""rechunkit: a generator of target chunks, between two zarr-python arrays."""

from __future__ import annotations

import zarr
from copy_job import Job, from_command_line
from rechunkit import rechunker
from zarr_target import create_target


def copy(job: Job) -> None:
    zarr.config.set({"threading.max_workers": job.threads})
    source = zarr.open_array(job.source, mode="r")
    target = create_target(job, source)
    chunks = tuple(map(min, job.objects, source.shape))
    pieces = rechunker(
        source.__getitem__,
        source.shape,
        source.dtype,
        source.chunks,
        chunks,
        max_mem=job.memory_bytes,
    )
    for region, values in pieces:
        target[region] = values


if __name__ == "__main__":
    asked = from_command_line("rechunkit")
    if asked:
        copy(asked)
