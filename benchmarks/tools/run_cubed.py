"""cubed on threads: from_zarr, rechunk, store into a Zarr array.

The memory is `allowed_mem` of a task beyond what the interpreter holds;
intermediates are not compressed, which suits a local disk best.
"""

from __future__ import annotations

import cubed
import zarr
from copy_job import Job, from_command_line
from cubed.runtime.create import create_executor
from zarr_target import create_target


def copy(job: Job) -> None:
    source = zarr.open_array(job.source, mode="r")
    spec = cubed.Spec(
        work_dir=job.temporary,
        allowed_mem=job.memory_bytes,
        reserved_mem=0,
        zarr_compressor=None,
    )
    array = cubed.from_zarr(job.source, spec=spec).rechunk(job.objects)
    executor = create_executor("threads", {"max_workers": job.threads})
    cubed.store(array, create_target(job, source), executor=executor)


if __name__ == "__main__":
    asked = from_command_line("cubed")
    if asked:
        copy(asked)
