"""Dask: a small graph of batches, for any of its schedulers."""

from __future__ import annotations

import uuid
from typing import Any

from dask.delayed import Delayed

from rechunk.plan import Plan, Step
from rechunk.specs import Executor


def _constant(value: Any) -> Any:
    return value


def _run(plan: Plan, step: Step, before: Any) -> None:
    """A task: the plan, some integers, and what had to come before."""
    plan.run(step)


def _barrier(before: list[Any]) -> None:
    """Is there for its arguments only."""


class DaskExecutor(Executor[Delayed]):
    """A Delayed whose graph ends with the commit.

    Steps of a chain of components wait for each other, chains do not.
    """

    def prepare_plan(self, specs: Plan) -> Delayed:
        """The whole run as one Delayed; `.persist()` starts it."""
        name = f"rechunk-{uuid.uuid4().hex}"
        plan_key = f"{name}-plan"
        graph: dict[Any, Any] = {plan_key: (_constant, specs)}
        done: list[str] = []
        for number, step in enumerate(specs.steps()):
            before = [done[index] for index in step.after]
            batches = []
            for part, batch in enumerate(specs.batches(step)):
                key = (f"{name}-{step.kind}", number, part)
                graph[key] = (_run, plan_key, batch, before)
                batches.append(key)
            done.append(f"{name}-done-{number}")
            graph[done[-1]] = (_barrier, batches)
        return Delayed(done[-1], graph)

    def execute_plan(self, plan: Delayed, **kwargs: Any) -> None:
        """`plan.compute(**kwargs)`: scheduler, retries, ..."""
        plan.compute(**kwargs)
