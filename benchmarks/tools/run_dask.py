"""dask.array: from_zarr, rechunk, to_zarr, on threads.

run_dask.py tasks|p2p JOB. Dask has no memory limit on threads; it is given
none. P2P needs the distributed scheduler, which runs in this process.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager

import dask
import dask.array
import zarr
from copy_job import Job, from_command_line
from zarr_target import create_target


@contextmanager
def scheduler(method: str, job: Job):
    """The threads that a method wants, as Dask's default."""
    if method == "tasks":
        with dask.config.set(scheduler="threads", num_workers=job.threads):
            yield
        return
    from distributed import Client

    folders = {"temporary-directory": job.temporary}
    with (
        dask.config.set(folders),
        Client(
            processes=False,
            n_workers=1,
            threads_per_worker=job.threads,
            memory_limit=0,
            dashboard_address=None,
        ),
    ):
        yield


def copy(method: str, job: Job) -> None:
    source = zarr.open_array(job.source, mode="r")
    target = create_target(job, source)
    with scheduler(method, job):
        array = dask.array.from_zarr(source)
        array = array.rechunk(job.objects, method=method)
        dask.array.to_zarr(array, target)


if __name__ == "__main__":
    chosen = sys.argv.pop(1)
    if chosen == "p2p":
        import distributed  # noqa: F401  counted as part of starting
    asked = from_command_line("dask")
    if asked:
        copy(chosen, asked)
