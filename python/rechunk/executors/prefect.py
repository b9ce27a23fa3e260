"""Prefect 3: a flow of mapped tasks, visible in its UI."""

from __future__ import annotations

from typing import Any

from prefect import Flow, flow, task, unmapped
from prefect.cache_policies import NO_CACHE

from rechunk.executor import Executor
from rechunk.plan import Plan
from rechunk.steps import Step

# Prefect reports each task to its server, so tasks are few and large.
_MAX_TASKS_PER_STEP = 64

Report = dict[str, Any] | None


@task(name="rechunk-tasks", retries=3, cache_policy=NO_CACHE)
def run_tasks(batch: Step, plan: Plan) -> Report:
    """Some tasks of one step."""
    return plan.run(batch)


class PrefectExecutor(Executor[Flow[[], Report]]):
    """A flow, to be called as it is or within a flow of the user's."""

    def prepare_plan(self, specs: Plan) -> Flow[[], Report]:
        """A flow without parameters that runs everything."""

        @flow(name="rechunk")
        def rechunk() -> Report:
            results: list[Report] = []
            for level in specs.levels():
                batches = [
                    batch
                    for step in level
                    for batch in specs.batches(step, _MAX_TASKS_PER_STEP)
                ]
                results = run_tasks.map(batches, unmapped(specs)).result()
            return results[-1]  # Of the commit.

        return rechunk

    def execute_plan(self, plan: Flow[[], Report], **kwargs: Any) -> Report:
        """Calls the flow; keywords of `Flow.with_options`."""
        report: Report = (plan.with_options(**kwargs) if kwargs else plan)()
        return report
