"""Apache Beam: `pipeline | plan`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import apache_beam as beam

from rechunk.errors import InvalidArgumentError
from rechunk.executor import Executor
from rechunk.plan import Plan
from rechunk.steps import Step


def _batches(_: Any, batches: list[Step]) -> Iterable[Step]:
    return batches


def _run(batch: Step, plan: Plan) -> None:
    plan.run(batch)


def _start(before: Any) -> Any:
    """A collection of one element, there once `before` is complete."""
    if isinstance(before, beam.pvalue.PBegin):
        return before | "Start" >> beam.Create([0])
    if isinstance(before, beam.PCollection):
        return before | "Start" >> beam.combiners.Count.Globally()
    raise InvalidArgumentError(
        f"plan: it cannot be applied to a {type(before).__qualname__}",
        "apply it to a pipeline, or to a collection that must end first",
    )


class RechunkTransform(beam.PTransform):  # type: ignore[misc]
    """The whole run, commit included; its output is one element at the end.

    Each level of steps waits for a global count of the one before, and is
    reshuffled, so that runners neither fuse nor reorder them.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.rechunk_plan = plan

    def expand(self, pipeline: Any) -> Any:
        """Applied to a pipeline, or to a collection that it waits for."""
        plan = self.rechunk_plan
        done = _start(pipeline)
        for number, level in enumerate(plan.levels()):
            batches = [part for step in level for part in plan.batches(step)]
            kinds = "+".join(sorted({step.kind for step in level}))
            name = f"{number} {kinds}"
            done = (
                done
                | f"Tasks {name}" >> beam.FlatMap(_batches, batches)
                | f"Spread {name}" >> beam.Reshuffle()
                | f"Run {name}" >> beam.Map(_run, plan)
                | f"Wait {name}" >> beam.combiners.Count.Globally()
            )
        return done


class BeamExecutor(Executor[RechunkTransform]):
    """A PTransform for pipelines of the user's, or one of its own."""

    def prepare_plan(self, specs: Plan) -> RechunkTransform:
        """`pipeline | plan` runs everything."""
        specs.check_can_be_sent()  # Beam would do so when the run has begun.
        return RechunkTransform(specs)

    def execute_plan(self, plan: RechunkTransform, **kwargs: Any) -> None:
        """Runs a pipeline of nothing else; keywords of `beam.Pipeline`."""
        with beam.Pipeline(**kwargs) as pipeline:
            # A copy: a PTransform belongs to the first pipeline it is used in.
            pipeline | RechunkTransform(plan.rechunk_plan)
