"""Plans: frozen values that any process can load and take part in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from itertools import pairwise
from typing import Any

from rechunk import _core
from rechunk._runs import OpenRuns
from rechunk.arrays import ZarrArray, parse_dtype
from rechunk.existing import Appended, Window, window_of
from rechunk.pickling import try_pickling
from rechunk.sessions import SessionAdapter
from rechunk.specs import CopySpec, StagedCopySpec
from rechunk.steps import Step, packed
from rechunk.urls import as_zarr_place

# A batch should be worth an engine's overhead. But there should be enough
# batches for all workers.
_BATCH_BYTES = 64 << 20
_MIN_BATCHES = 32
_MAX_BATCHES = 4096
_RELEASE_BATCHES = 8
_MAX_CHAINS = 256


_open_runs = OpenRuns()


class Plan:
    """The work of a run, with everything that a process needs to take part.

    Iterating gives a `StagedCopySpec` per array. The process that planned keeps
    the native job. A pickle is small: the plan file, and the stores and
    array-likes that it cannot name by URL. Other processes load these once.
    """

    _planned: _core.Job | None = None

    def __init__(self, job: _core.Job, stores: Mapping[str, Any]) -> None:
        self._planned = job
        self.stores = stores

    @classmethod
    def restored(cls, text: str, stores: Mapping[str, Any]) -> Plan:
        """Of a plan file."""
        plan = cls.__new__(cls)
        plan.__dict__.update(text=text, stores=stores)
        return plan

    @cached_property
    def text(self) -> str:
        """The plan file; written only if somebody asks for it."""
        assert self._planned is not None
        return self._planned.save()

    def describe(self) -> dict[str, Any]:
        """The plan file, parsed; its keys are documented with the command."""
        return dict(self._parsed)

    @cached_property
    def _parsed(self) -> dict[str, Any]:
        return _spelled(json.loads(self.text))

    @property
    def notes(self) -> dict[str, Any]:
        """What users should know before the run."""
        job = self._planned or self._run().job
        return job.notes()

    @property
    def zarr_format(self) -> int:
        """Of the target."""
        return 3 if "zarr.json" in self.documents else 2

    @property
    def documents(self) -> dict[str, str]:
        """Of the target, by key."""
        return dict(self._parsed["target"]["documents"])

    def __getstate__(self) -> dict[str, Any]:
        # Without the native job, which other processes load from the text.
        return {"text": self.text, "stores": self.stores}

    @property
    def needs_cluster(self) -> bool:
        """True if the source lies in the memory of a cluster of Dask."""
        likes = self.stores.get("array_sources", {}).values()
        return any(like.futures for like in likes)

    @property
    def session(self) -> SessionAdapter | None:
        """Of Icechunk, if the target lies in one."""
        place = self.stores.get("target")
        return place if isinstance(place, SessionAdapter) else None

    def check_can_be_sent(self) -> None:
        """Raises InvalidArgumentError if other processes cannot have it."""
        try_pickling(self)

    def _run(self) -> _core.Run:
        """This process's part in a run of the plan, in a session of its own."""
        place = id(self.session) if self.session else 0
        return _open_runs.get(f"{place} {self.text}", self._begin)

    def _begin(self) -> _core.Run:
        return _core.Run(
            self._planned or _core.Job.load(self.text, self.stores)
        )

    @property
    def replaces(self) -> bool:
        """True if the old target stays until the new one is complete and
        takes its place.
        """
        return "replacement" in self._parsed["target"]

    # What executors that move elements by slicing use.

    def __iter__(self) -> Iterator[StagedCopySpec]:
        return (self._spec(array) for array in self._parsed["arrays"])

    def _spec(self, array: dict[str, Any]) -> StagedCopySpec:
        target = self._target(array)
        source, part = self._source(array), self._part(array)
        if part and part["kept"]:
            source = Appended(target, source, part["axis"], part["kept"])
        arrays = [source]
        for number, stage in enumerate(array["stages"]):
            last = number + 1 == len(array["stages"])
            arrays.append(
                target
                if last
                else self._intermediate(array, number, stage["chunks"])
            )
        return StagedCopySpec(
            tuple(
                CopySpec(
                    arrays[number], arrays[number + 1], _clipped(stage, array)
                )
                for number, stage in enumerate(array["stages"])
            ),
            name=array["name"],
        )

    def _source(self, array: dict[str, Any]) -> Any:
        sources = self.stores.get("array_sources", {})
        part = self._part(array)
        same_region = part is not None and part["same_region_of_source"]
        if array["name"] in sources:
            whole = sources[array["name"]]
            if not (part and same_region):
                return whole
            return Window(
                whole,
                tuple(part["start"]),
                tuple(array["shape"]),
                tuple(array["source_chunks"]),
            )
        stored = self._stored("source", array)
        return window_of(stored, part) if part and same_region else stored

    def _target(self, array: dict[str, Any]) -> ZarrArray | Window:
        options = self._parsed["options"]
        index = self._parsed["arrays"].index(array)
        stored = replace(
            self._stored("target", array),
            write_empty_chunks=options["write_empty_chunks"],
            publish=partial(self.publish, index) if options["append"] else None,
        )
        part = self._part(array)
        return window_of(stored, part) if part else stored

    def _part(self, array: dict[str, Any]) -> dict[str, Any] | None:
        """Where the array lies in one that exists; None if it does not."""
        return self._parts.get(array["name"])

    @property
    def _parts(self) -> dict[str, dict[str, Any]]:
        return dict(self._parsed.get("existing", {}).get("arrays", {}))

    @property
    def grown_shapes(self) -> dict[str, list[int]]:
        """Of arrays that exist, when the run has ended."""
        return {name: part["shape"] for name, part in self._parts.items()}

    def _stored(self, side: str, array: dict[str, Any]) -> ZarrArray:
        place = self._parsed[side].get("replacement", self._parsed[side]["url"])
        return ZarrArray.from_documents(
            self.stores.get(side) or as_zarr_place(place, self._storage(side)),
            array["name"],
            self._parsed[side]["documents"],
            parse_dtype(array["dtype"]),
            chunks=tuple(array[f"{side}_chunks"]),
            shards=tuple(array.get(f"{side}_shards", ())) or None,
        )

    def _storage(self, side: str) -> dict[str, str]:
        """How to reach a place: of the plan, and what it may not keep."""
        told: dict[str, dict[str, str]] = self.stores.get("storage", {})
        return {
            **self._parsed[side].get("storage", {}),
            **told.get("all", {}),
            **told.get(side, {}),
        }

    def _intermediate(
        self, array: dict[str, Any], number: int, chunks: list[int]
    ) -> ZarrArray:
        """A plain array on the grid of the tasks that write it."""
        index = self._parsed["arrays"].index(array)
        return ZarrArray.plain(
            self.stores.get("temp")
            or as_zarr_place(
                self._parsed["temp"]["url"], self._storage("temp")
            ),
            f"plain/{index}/{number + 1}",
            tuple(array["shape"]),
            self._target(array).stored_dtype,
            tuple(chunks),
        )

    # What executors that run tasks use.

    def steps(self) -> list[Step]:
        """The steps, in an order in which they can run one by one."""
        steps = [
            Step(kind, array, stage, first, stop, tuple(after))
            for kind, array, stage, first, stop, after in self._run().job.steps(
                self._max_chains
            )
        ]
        return packed(steps, self._bytes_of)

    @property
    def _max_chains(self) -> int:
        """Of each array, so that all together are not too many."""
        tasks = [
            int(array["stages"][0]["tasks"]) for array in self._parsed["arrays"]
        ]
        chains = _MAX_CHAINS
        while chains > 1 and sum(min(chains, n) for n in tasks) > _MAX_BATCHES:
            chains //= 2
        return chains

    def _bytes_of(self, step: Step) -> int:
        stage = self._parsed["arrays"][step.array]["stages"][step.stage]
        size = int(stage["bytes_decoded"]) * (step.stop - step.first)
        return size // max(1, int(stage["tasks"]))

    def levels(self) -> list[list[Step]]:
        """The steps in groups; each group needs only groups before it."""
        depths: list[int] = []
        levels: list[list[Step]] = []
        for step in self.steps():
            depth = 1 + max((depths[index] for index in step.after), default=-1)
            depths.append(depth)
            levels += [[] for _ in range(depth + 1 - len(levels))]
            levels[depth].append(step)
        return levels

    def batches(self, step: Step, most: int = _MAX_BATCHES) -> list[Step]:
        """The step cut into parts of some tasks each, for workers.

        `most`: about how many parts all steps together may have.
        """
        tasks = step.stop - step.first
        if tasks <= 1 or step.others:
            return [step]
        share = tasks / max(1, self._task_count)
        count = min(
            tasks, self._wanted_batches(step), max(1, int(share * most))
        )
        cuts = [step.first + tasks * part // count for part in range(count + 1)]
        return [step.part(first, stop) for first, stop in pairwise(cuts)]

    def _wanted_batches(self, step: Step) -> int:
        if step.kind == "release":
            return _RELEASE_BATCHES
        return max(_MIN_BATCHES, self._bytes_of(step) // _BATCH_BYTES)

    @cached_property
    def _task_count(self) -> int:
        return sum(
            int(stage["tasks"])
            for array in self._parsed["arrays"]
            for stage in array["stages"]
        )

    def run(self, step: Step) -> dict[str, Any] | None:
        """Runs a step or a part of one. May be repeated without harm.

        The commit returns the report of the run, other steps return nothing.
        Raises RechunkError, which names array, object and cause.
        """
        if step.kind == "commit":
            return self.commit()
        if step.kind == "prepare":
            self.prepare()
        else:
            run = self._run()
            with _open_runs.work():
                if step.kind == "release":
                    run.release(*step.tasks)
                else:
                    run.run_together([step.tasks, *step.others])
        return None

    def prepare(self) -> None:
        """Makes room at the target, or joins a run that has begun."""
        self._run().prepare()
        if self.session is not None:
            self.session.begin()

    def publish(self, array: int, key: str, content: bytes | None) -> None:
        """Writes an object of an array that grows; None: removes it.

        The run's journal knows the last ones before they change. Raises
        InvalidArgumentError if somebody else changed one, or the run has ended.
        """
        self._run().publish(array, key, content)

    def commit(self, *, by_journal: bool = True) -> dict[str, Any]:
        """Makes the target visible and returns the report of the run.

        With `by_journal=False` the caller guarantees that all elements were
        moved by slicing.
        """
        return self._ended(self._run().commit(by_journal))

    def run_native(self, progress: Any = None) -> dict[str, Any]:
        """Runs everything on native threads of this process.

        `progress(tasks_done, tasks_total, bytes_done, bytes_total, seconds)` is
        called some times a second.
        """
        job = self._run().job
        with _open_runs.work():
            return self._ended(job.run(progress))

    def _ended(self, text: str) -> dict[str, Any]:
        if self.session is not None:
            self.session.end()
        report: dict[str, Any] = json.loads(text)
        return report

    @contextmanager
    def leading(self) -> Iterator[list[dict[str, Any]]]:
        """Keeps other runs away from the target while workers of any process
        run the plan. Begins the run, or resumes an unfinished one.

        At the end the list has the report, if the run was committed.

        Raises InvalidArgumentError if a process is at work there, the target
        exists, or the source has changed since an earlier process read it.
        """
        run = self._run()
        run.lead()
        reports: list[dict[str, Any]] = []
        try:
            yield reports
        finally:
            if text := run.step_down():
                reports.append(_spelled(json.loads(text)))

    def status(self) -> dict[str, Any]:
        """Progress of the run, as `rechunk status --json` prints it."""
        status: dict[str, Any] = json.loads(self._run().job.status())
        return status

    def discard(self) -> None:
        """Removes what a run of this plan has written."""
        self._run().job.discard()


def _spelled(told: dict[str, Any]) -> dict[str, Any]:
    """The same, with options in notes as keywords."""
    for note in told.get("notes", ()):
        note["text"] = _core.spelled(note["text"])
    return told


def _clipped(stage: dict[str, Any], array: dict[str, Any]) -> tuple[int, ...]:
    return tuple(
        min(chunk, max(1, length))
        for chunk, length in zip(stage["chunks"], array["shape"])
    )


def run_step(plan: Plan, step: Step, *_: Any) -> None:
    """`plan.run(step)` as a plain function, for engines that need one.

    Further arguments are ignored: they may be results of earlier steps.
    """
    plan.run(step)
