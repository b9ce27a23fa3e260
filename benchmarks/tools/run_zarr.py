"""zarr-python 3: a plain loop over blocks that fit the memory.

As a person would write it: a block is whole target objects in half of the
memory, since it is held decoded and on its way out. zarr-python itself uses
threads for the chunks of a block.
"""

from __future__ import annotations

import zarr
from copy_job import Job, best_box, boxes, from_command_line
from zarr_target import create_target


def copy(job: Job) -> None:
    zarr.config.set({"threading.max_workers": job.threads})
    source = zarr.open_array(job.source, mode="r")
    target = create_target(job, source)
    limit = job.memory_bytes // 2 // source.dtype.itemsize
    box = best_box(source.shape, job.objects, source.chunks, limit)
    for region in boxes(source.shape, box):
        target[region] = source[region]


if __name__ == "__main__":
    asked = from_command_line("zarr")
    if asked:
        copy(asked)
