"""dask.array: from_zarr, rechunk (tasks), to_zarr, on threads.

Dask has no memory limit on threads; it is given none.
"""

from __future__ import annotations

import dask
import dask.array
import zarr
from copy_job import Job, from_command_line


def create_target(job: Job, source: zarr.Array) -> zarr.Array:
    return zarr.create_array(
        store=job.target,
        shape=source.shape,
        chunks=job.chunks,
        shards=job.shards,
        dtype=source.dtype,
        compressors=source.compressors or None,
        filters=source.filters or None,
        fill_value=source.fill_value,
        zarr_format=source.metadata.zarr_format,
        attributes=dict(source.attrs),
    )


def copy(job: Job) -> None:
    source = zarr.open_array(job.source, mode="r")
    target = create_target(job, source)
    array = dask.array.from_zarr(source)
    array = array.rechunk(job.objects, method="tasks")
    with dask.config.set(scheduler="threads", num_workers=job.threads):
        dask.array.to_zarr(array, target)


if __name__ == "__main__":
    asked = from_command_line("dask")
    if asked:
        copy(asked)
