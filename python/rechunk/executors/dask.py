"""Dask: a small graph of batches, for any of its schedulers."""

from __future__ import annotations

import inspect
import sys
import uuid
from collections.abc import Mapping
from typing import Any

import dask
import dask.local
import dask.multiprocessing
import dask.threaded
from dask.base import get_scheduler
from dask.delayed import Delayed

from rechunk.executor import Executor
from rechunk.futures import remember_client
from rechunk.plan import Plan
from rechunk.steps import Step


def _constant(value: Any) -> Any:
    return value


def _run(plan: Plan, step: Step, before: Any) -> dict[str, Any] | None:
    """A task: the plan, some integers, and what had to come before."""
    if plan.needs_cluster:
        remember_client()
    return plan.run(step)


def _barrier(before: list[Any]) -> None:
    """Is there for its arguments only."""


def _report(before: list[Any]) -> dict[str, Any] | None:
    """What the commit returned, which had to come before."""
    report: dict[str, Any] | None = before[-1]
    return report


class _Graph:
    """The tasks of a plan.

    Tasks whose keys have the same name are a group. If a group is large and
    needs little, the scheduler gives its tasks to any free worker. It gives
    other tasks to the workers that have what they need, and moves tasks only
    once a second. So all first stages are one group. Every other step is a
    group, and so is each barrier.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._run = uuid.uuid4().hex
        self._plan_key = (f"rechunk-plan-{self._run}", 0)
        self.tasks: dict[Any, Any] = {self._plan_key: (_constant, plan)}
        #: What a step is done with, by its number.
        self._done: list[Any] = []
        for number, step in enumerate(plan.steps()):
            self._done.append(self._add(number, step))
        self.last = f"rechunk-{self._run}"
        self.tasks[self.last] = (_report, self._done[-1:])

    def _add(self, number: int, step: Step) -> Any:
        before = [self._done[index] for index in step.after]
        first_stage = step.kind == "copy" and step.stage == 0
        group = "first" if first_stage else number
        keys = []
        for part, batch in enumerate(self._plan.batches(step)):
            keys.append(
                (f"rechunk-{step.kind}-{self._run}-{group}", number, part)
            )
            self.tasks[keys[-1]] = (_run, self._plan_key, batch, before)
        if len(keys) == 1:
            return keys[0]
        barrier = (f"rechunk-wait-{self._run}-{number}", 0)
        self.tasks[barrier] = (_barrier, keys)
        return barrier


class DaskExecutor(Executor[Delayed]):
    """A Delayed whose graph ends with the commit.

    Steps of a chain of components wait for each other, chains do not.
    """

    def __init__(self) -> None:
        self._plans: dict[Any, Plan] = {}

    def prepare_plan(self, specs: Plan) -> Delayed:
        """The whole run as one Delayed; `.persist()` starts it."""
        graph = _Graph(specs)
        self._plans[graph.last] = specs
        return Delayed(graph.last, graph.tasks)

    def execute_plan(
        self, plan: Delayed, **kwargs: Any
    ) -> dict[str, Any] | None:
        """`plan.compute(**kwargs)`: scheduler, retries, ..."""
        scheduler = get_scheduler(
            scheduler=kwargs.get("scheduler"), collections=[plan]
        )
        _check_keywords(kwargs)
        if scheduler not in (dask.threaded.get, dask.local.get_sync):
            # Dask would bury the cause in an error of its own.
            self._plans[plan.key].check_can_be_sent()
        report: dict[str, Any] | None = plan.compute(**kwargs)
        return report


def _check_keywords(kwargs: Mapping[str, Any]) -> None:
    """Schedulers ignore what they do not know."""
    if callable(kwargs.get("scheduler")):
        return
    takers = [
        *(dask.base.compute, dask.local.get_async),
        *(dask.threaded.get, dask.multiprocessing.get),
    ]
    if "Client" in type(kwargs.get("scheduler")).__name__ or _has_client():
        from distributed import Client

        takers.append(Client.get)
    known = {name for taker in takers for name in _keywords_of(taker)}
    if unknown := set(kwargs) - known:
        raise TypeError(
            f"executor 'dask' takes keywords of compute(), not "
            f"{sorted(unknown)}; there are {sorted(known)}"
        )


# Dask sets these itself, or the call would return before the run has ended.
_NOT_THE_CALLERS = {"self", "dsk", "keys", "result", "submit", "get", "sync"}


def _keywords_of(function: Any) -> set[str]:
    parameters = inspect.signature(function).parameters.values()
    return {
        parameter.name
        for parameter in parameters
        if parameter.kind is not parameter.VAR_KEYWORD
        and parameter.kind is not parameter.VAR_POSITIONAL
    } - {*_NOT_THE_CALLERS, "asynchronous"}


def _has_client() -> bool:
    if "distributed" not in sys.modules:
        return False
    from distributed import get_client

    try:
        get_client()
    except ValueError:
        return False
    return True
