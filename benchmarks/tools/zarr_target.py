"""The target of a copy, made with zarr-python 3."""

from __future__ import annotations

import zarr
from compressors import compressors_of
from copy_job import Job


def create_target(job: Job, source: zarr.Array) -> zarr.Array:
    """An empty array of the layout that the job asks for."""
    return zarr.create_array(
        store=job.target,
        shape=source.shape,
        chunks=job.chunks,
        shards=job.shards,
        dtype=source.dtype,
        compressors=compressors_of(job.codec, job.zarr_format),
        filters=None if job.zarr_format == 2 else "auto",
        fill_value=source.fill_value,
        zarr_format=job.zarr_format,
        attributes=dict(source.attrs),
    )
