"""Native threads of this process: the fastest way on one machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from rechunk.errors import InvalidArgumentError
from rechunk.executor import Executor
from rechunk.plan import Plan

Progress = Callable[[int, int, int, int, float], None]


class ThreadsExecutor(Executor[Plan]):
    """Runs the plan without Python in the loop; Ctrl-C stops it."""

    leads = True

    def prepare_plan(self, specs: Plan) -> Plan:
        """The plan itself."""
        return specs

    def execute_plan(
        self,
        plan: Plan,
        *,
        progress: bool | Progress = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Runs everything.

        progress: True for a bar on stderr, or a function that is called with
        tasks done, tasks in all, bytes done, bytes in all, and seconds.
        """
        if kwargs:
            raise TypeError(
                f"executor 'threads' takes only progress, not {sorted(kwargs)}"
            )
        if not (isinstance(progress, bool) or callable(progress)):
            raise InvalidArgumentError(
                f"progress: {progress!r} is neither a bool nor a function"
            )
        if progress is True:
            progress = show_bar
        return plan.run_native(progress or None)


def show_bar(
    tasks: int, all_tasks: int, size: int, all_size: int, seconds: float
) -> None:
    """Draws a progress bar."""
    part = size / all_size if all_size else 1.0
    filled = int(30 * part)
    rate = size / seconds / 1e6 if seconds else 0.0
    print(
        f"\r[{'#' * filled}{'.' * (30 - filled)}] {part:4.0%} "
        f"{tasks}/{all_tasks} tasks, {rate:.0f} MB/s",
        end="\n" if tasks == all_tasks else "",
        file=sys.stderr,
        flush=True,
    )
