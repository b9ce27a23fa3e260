"""rechunker on Dask: run_rechunker.py [ENGINE] JOB.

The memory is its `max_mem`, which counts for each task; where an engine is
named, the memory is shared out among the tasks that run at a time.
"""

from __future__ import annotations

import sys
from typing import Any

import dask
import rechunker
import zarr
from copy_job import Job, from_command_line

from engines import measure


def copy(job: Job, max_mem: int, keywords: dict[str, Any]) -> int:
    source = zarr.open_array(job.source, mode="r")
    rechunked = rechunker.rechunk(
        source,
        target_chunks=job.chunks,
        max_mem=max_mem,
        target_store=job.target,
        target_options={"compressor": source.compressor, "order": source.order},
        temp_store=job.temporary,
        executor="dask",
    )
    rechunked.execute(**keywords)
    return 1 if rechunked._intermediate is None else 2


def main() -> None:
    engine = sys.argv.pop(1) if len(sys.argv) > 2 else None
    asked = from_command_line("rechunker")
    if not asked:
        return
    if engine:
        measure(
            engine,
            asked,
            lambda job, keywords: copy(
                job, job.memory_bytes // job.threads, keywords
            ),
        )
        return
    with dask.config.set(scheduler="threads", num_workers=asked.threads):
        copy(asked, asked.memory_bytes, {})


if __name__ == "__main__":
    main()
