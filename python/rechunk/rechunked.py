"""A rechunk that is planned, and its run."""

from __future__ import annotations

import time
from typing import Any, Generic, TypeVar

from rechunk.errors import UnsupportedError
from rechunk.executor import Executor
from rechunk.notes import notes_since, warn_of
from rechunk.plan import Plan
from rechunk.report import html, text
from rechunk.targets import Target

T = TypeVar("T")


class Rechunked(Generic[T]):
    """A rechunk that is planned, and can be executed."""

    def __init__(
        self, executor: Executor[T], plan: Plan, source: Any, target: Target
    ) -> None:
        self._executor = executor
        self._plan = plan
        self._source = source
        self._target = target
        self._prepared: T | None = None
        self._finished = False
        self._report: dict[str, Any] | None = None
        warn_of(plan.notes, stacklevel=4)

    @property
    def plan(self) -> T:
        """The executor's own plan: a Delayed, a PTransform, a flow, ..."""
        if self._prepared is None:
            self._prepared = self._executor.prepare_plan(self._plan)
        return self._prepared

    def execute(self, **kwargs: Any) -> Any:
        """Runs the plan; keywords go to the executor.

        Returns the target, opened with zarr-python, or its path if
        zarr-python is not installed. May be called again. After a failure, a
        kill or Ctrl-C it does what is missing, also in another process that
        has made the same call. After a success it does everything again;
        after an append that is an error, and nothing is appended twice.
        """
        if self._finished:
            if not self._plan.replaces:
                self._plan.discard()
            self._finished = False
        if self._target.parent is not None:
            _make_parents(self._target, self._plan.zarr_format)
        try:
            report = self._carry_out(**kwargs)
        except BaseException as error:
            if self._plan.session is not None:
                self._plan.session.fail(error, self.status()["state"])
            raise
        self._finished = True
        self._report = report or dict(self._plan.notes)
        warn_of(notes_since(self._report, self._plan.notes), stacklevel=3)
        return self._open_target()

    def _carry_out(self, **kwargs: Any) -> dict[str, Any] | None:
        """Runs the plan, led by this process, and returns the report."""
        if self._executor.leads:
            return self._executor.execute_plan(self.plan, **kwargs)
        begin = time.monotonic()
        plan = self.plan  # Made before anything is written: it may be refused.
        self._executor.check_plan(plan, **kwargs)
        with self._plan.leading() as reports:
            report = self._executor.execute_plan(plan, **kwargs)
        report = report or next(iter(reports), None)
        if report:  # Whoever committed does not know when the run began.
            report["seconds"] = time.monotonic() - begin
        return report

    @property
    def report(self) -> dict[str, Any] | None:
        """What `execute()` did, as `rechunk run --json` prints it.

        None before `execute()`.
        """
        return self._report

    def status(self) -> dict[str, Any]:
        """Progress of the run, and who runs it, as `rechunk status --json`.

        `state` is "absent", "running", "stopped" (`execute()` resumes it) or
        "complete". `tasks_done` counts finished tasks of all `tasks`. `owner`
        is the process.
        """
        return self._plan.status()

    def describe(self) -> dict[str, Any]:
        """The plan with the keys of `rechunk plan --json`, and more."""
        return self._plan.describe()

    def _open_target(self) -> Any:
        try:
            import zarr  # noqa: F401
        except ImportError:
            return self._target.place
        try:
            opened = self._target.open()
        except UnsupportedError:
            return self._target.place
        except (KeyError, NotImplementedError, TypeError, ValueError) as error:
            # Data types and codecs that rechunk knows, and zarr-python not.
            note = {
                "kind": "unreadable",
                "arrays": [],
                "text": f"{self._target.place} is complete; zarr-python cannot "
                f"open it: {error}",
            }
            if self._report is not None:
                self._report["notes"] = [*self._report["notes"], note]
            warn_of({"notes": [note]}, stacklevel=3)
            return self._target.place
        return opened

    def __repr__(self) -> str:
        return text(self._plan.describe(), self._target.place)

    def _repr_html_(self) -> str:
        return html(self._plan.describe(), self._target.place)


def _make_parents(target: Target, zarr_format: Any) -> None:
    """Groups above an array that is written under a name, before it is."""
    try:
        import zarr
    except ImportError:
        return
    from rechunk.stores import store_at

    store, root = store_at(target.parent)
    inner = target.array_name.split("/")[:-1]
    for depth in range(len(inner) + 1):
        path = "/".join([part for part in (root, *inner[:depth]) if part])
        try:
            zarr.open_group(store, path=path, mode="r")
        except FileNotFoundError:
            zarr.create_group(store, path=path, zarr_format=zarr_format)
