"""rechunk's own executors in Python: run_executor.py NAME JOB."""

from __future__ import annotations

import sys
from contextlib import contextmanager

from copy_job import from_command_line

from rechunk import rechunk


@contextmanager
def engine(name: str, workers: int):
    """Keywords for `execute`; for Dask, local workers of one thread each."""
    if name != "dask":
        yield {}
        return
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        client.run(lambda: __import__("rechunk").__version__)
        yield {"scheduler": client}


def main() -> None:
    name = sys.argv.pop(1)
    asked = from_command_line("rechunk")
    if not asked:
        with engine(name, 2):
            return
    with engine(name, asked.threads) as keywords:
        rechunk(
            asked.source,
            asked.chunks,
            asked.memory_bytes,
            asked.target,
            executor=name,
            shards=asked.shards,
            threads=asked.threads if name == "threads" else 1,
        ).execute(**keywords)


if __name__ == "__main__":
    main()
