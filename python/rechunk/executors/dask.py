"""Dask: a small graph of batches, for any of its schedulers."""

from __future__ import annotations

import inspect
import sys
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import dask
import dask.local
import dask.multiprocessing
import dask.threaded
from dask.base import get_scheduler
from dask.delayed import Delayed

from rechunk.executor import Executor
from rechunk.forks import Changes, Shipment, run_forked, run_on_forks
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

    def check_plan(self, plan: Delayed, **kwargs: Any) -> None:
        """Forks the session of the target, if other processes shall write."""
        session = self._plans[plan.key].session
        if session is not None and _is_elsewhere(_scheduler(plan, kwargs)):
            session.fork_off()

    def execute_plan(
        self, plan: Delayed, **kwargs: Any
    ) -> dict[str, Any] | None:
        """`plan.compute(**kwargs)`: scheduler, retries, ..."""
        scheduler = _scheduler(plan, kwargs)
        _check_keywords(kwargs)
        if _is_elsewhere(scheduler):
            specs = self._plans[plan.key]
            if specs.session is not None:
                return run_on_forks(specs, _Elsewhere(scheduler, kwargs))
            # Dask would bury the cause in an error of its own.
            specs.check_can_be_sent()
        report: dict[str, Any] | None = plan.compute(**kwargs)
        return report


def _scheduler(plan: Delayed, kwargs: Mapping[str, Any]) -> Any:
    return get_scheduler(scheduler=kwargs.get("scheduler"), collections=[plan])


def _is_elsewhere(scheduler: Any) -> bool:
    """True if tasks may run in other processes."""
    return scheduler not in (dask.threaded.get, dask.local.get_sync)


def _tried(shipment: Shipment, batch: Step) -> Changes | Exception:
    """A task whose failure does not end others: their results would be lost."""
    try:
        return run_forked(shipment, batch)
    except Exception as error:
        return error


class _Elsewhere:
    """Runs tasks of a shipment on a scheduler with other processes."""

    def __init__(self, scheduler: Any, kwargs: Mapping[str, Any]) -> None:
        # Of a cluster, whose results come one by one.
        self._client = getattr(scheduler, "__self__", None)
        self._kwargs = dict(kwargs)

    def __call__(
        self, shipment: Shipment, batches: list[Step]
    ) -> Iterator[Changes]:
        shared = dask.delayed(shipment, pure=False, traverse=False)
        run = dask.delayed(
            _tried if self._client is None else run_forked, pure=False
        )
        tasks = [run(shared, batch) for batch in batches]
        if self._client is None:
            results = dask.compute(*tasks, **self._kwargs)
            failed = [one for one in results if isinstance(one, Exception)]
            yield from (one for one in results if isinstance(one, Changes))
            if failed:
                raise failed[0]
            return
        from distributed import as_completed

        self._kwargs.pop("scheduler", None)
        futures = self._client.compute(tasks, **self._kwargs)
        try:
            for _, changes in as_completed(
                futures, with_results=True, loop=self._client.loop
            ):
                yield changes
        finally:
            self._client.cancel(futures)


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
