"""rechunk's own executors in Python: run_executor.py NAME JOB.

The memory is shared out among the processes that run tasks.
"""

from __future__ import annotations

import sys
from typing import Any

from copy_job import Job, from_command_line

from engines import measure
from rechunk import rechunk


def main() -> None:
    name = sys.argv.pop(1)
    asked = from_command_line("rechunk")
    if not asked:
        return

    def copy(job: Job, keywords: dict[str, Any]) -> int:
        processes = job.threads if name == "dask" else 1
        planned = rechunk(
            job.source,
            job.chunks,
            job.memory_bytes // processes,
            job.target,
            executor=name,
            shards=job.shards,
            threads=job.threads // processes,
        )
        planned.execute(**keywords)
        return len(planned.describe()["arrays"][0]["stages"])

    measure(name, asked, copy)


if __name__ == "__main__":
    main()
