"""rechunker on Dask's threads, with the memory given as its `max_mem`."""

from __future__ import annotations

import dask
import rechunker
import zarr
from copy_job import Job, from_command_line


def copy(job: Job) -> None:
    source = zarr.open_array(job.source, mode="r")
    rechunked = rechunker.rechunk(
        source,
        target_chunks=job.chunks,
        max_mem=job.memory_bytes,
        target_store=job.target,
        target_options={"compressor": source.compressor, "order": source.order},
        temp_store=job.temporary,
        executor="dask",
    )
    with dask.config.set(scheduler="threads", num_workers=job.threads):
        rechunked.execute()


if __name__ == "__main__":
    asked = from_command_line("rechunker")
    if asked:
        copy(asked)
