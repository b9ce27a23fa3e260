"""The executors under test, each in the ways in which it can be run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rechunk import Executor, Plan, Rechunked

BEAM_PROCESSES = [
    "--runner=DirectRunner",
    "--direct_running_mode=multi_processing",
    "--direct_num_workers=2",
]


def _execute(rechunked: Rechunked, _: Any, keywords: dict[str, Any]) -> None:
    rechunked.execute(**keywords)


def _dask(scheduler: str) -> Callable[..., None]:
    def run(rechunked: Rechunked, _: Any, keywords: dict[str, Any]) -> None:
        rechunked.execute(scheduler=scheduler, **keywords)

    return run


def _on_cluster(
    rechunked: Rechunked, client: Any, keywords: dict[str, Any]
) -> None:
    rechunked.execute(scheduler=client, **keywords)


def _persisted(
    rechunked: Rechunked, client: Any, keywords: dict[str, Any]
) -> None:
    """Start the plan without waiting, as one of a user's own graph."""
    started = rechunked.plan.persist(scheduler=client, **keywords)
    client.compute(started, sync=True)


def _beam_processes(
    rechunked: Rechunked, _: Any, keywords: dict[str, Any]
) -> None:
    from apache_beam.options.pipeline_options import PipelineOptions

    rechunked.execute(options=PipelineOptions(BEAM_PROCESSES), **keywords)


def _in_pipeline(
    rechunked: Rechunked, _: Any, keywords: dict[str, Any]
) -> None:
    """Apply the plan to a pipeline that does something else as well."""
    import apache_beam as beam

    with beam.Pipeline(**keywords) as pipeline:
        pipeline | "Other" >> beam.Create([1]) | beam.Map(str)
        pipeline | "Rechunk" >> rechunked.plan


def _in_flow(rechunked: Rechunked, _: Any, keywords: dict[str, Any]) -> None:
    """Call the plan within a flow of the user's."""
    from prefect import flow

    @flow(name="of-the-user", **keywords)
    def of_the_user() -> None:
        rechunked.plan()

    of_the_user()


@dataclass(frozen=True)
class Engine:
    """One way to run a plan.

    `workers`: what runs its tasks at the same time: "threads", "processes" or
    "" for none. `needs`: the fixture that must be there.
    """

    executor: str
    run: Callable[..., None] = _execute
    workers: str = ""
    needs: str = ""
    slow: bool = False


ENGINES = {
    "threads": Engine("threads", workers="threads"),
    "dask-synchronous": Engine("dask", _dask("synchronous")),
    "dask-threads": Engine("dask", _dask("threads"), "threads"),
    "dask-processes": Engine("dask", _dask("processes"), "processes"),
    "dask-cluster": Engine("dask", _on_cluster, "processes", "cluster"),
    "dask-persisted": Engine("dask", _persisted, "processes", "cluster", True),
    "beam": Engine("beam"),
    "beam-pipeline": Engine("beam", _in_pipeline, slow=True),
    "beam-processes": Engine("beam", _beam_processes, "processes", slow=True),
    "prefect": Engine(
        "prefect", workers="threads", needs="prefect_server", slow=True
    ),
    "prefect-subflow": Engine(
        "prefect", _in_flow, "threads", "prefect_server", True
    ),
}


class Held(Executor[Plan]):
    """Does nothing, and hands its plan on."""

    def prepare_plan(self, specs: Plan) -> Plan:
        """The plan itself."""
        return specs

    def execute_plan(self, plan: Plan, **kwargs: Any) -> None:
        """Left to the test."""
