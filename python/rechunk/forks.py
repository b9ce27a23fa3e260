"""Tasks that write to a session of Icechunk in other processes.

A session cannot be in two processes. So the leader forks it, and each task
writes to a fork of its own. The leader merges that fork into its own, then
records the task: what the journal says is done is in the leader's fork. The
session gets everything at once, when the run has ended.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from rechunk.futures import remember_client
from rechunk.plan import Plan
from rechunk.sessions import SessionAdapter, SessionRun
from rechunk.steps import Step
from rechunk.stores import StoreAdapter


@dataclass(frozen=True)
class Shipment:
    """What another process needs to run tasks."""

    text: str  # The plan file.
    stores: dict[str, Any]
    path: str
    run: SessionRun
    fork: bytes
    journal: dict[str, bytes]


@dataclass(frozen=True)
class Changes:
    """What a task has done."""

    fork: bytes  # Empty if it wrote nothing to the target.
    records: dict[str, bytes]


#: Runs tasks of a shipment elsewhere; changes come in any order.
Compute = Callable[[Shipment, list[Step]], Iterable[Changes]]


def run_on_forks(plan: Plan, compute: Compute) -> dict[str, Any]:
    """Runs a plan whose target is a session; returns its report.

    Raises UnsupportedError if the session cannot be forked.
    """
    session = plan.session
    assert session is not None
    session.fork_off()
    plan.prepare()
    shipment = _shipment(plan, session)
    journal = session.beside[0]
    for level in plan.levels():
        batches = [
            batch
            for step in level
            if step.kind == "copy"
            for batch in plan.batches(step)
        ]
        for changes in compute(shipment, batches) if batches else ():
            _merge(session, journal, changes)
        for step in level:
            if step.kind == "release":
                plan.run(step)
    report = plan.commit()
    session.join()
    return report


def _shipment(plan: Plan, session: SessionAdapter) -> Shipment:
    if not session.base:
        # Without any chunk. Those that forks have in common would be merged
        # over newer ones.
        session.base = pickle.dumps(session.fork)
    journal = session.beside[0]
    own = {"target", "journal"}
    return Shipment(
        plan.text,
        {name: store for name, store in plan.stores.items() if name not in own},
        session.path,
        session.run,
        session.base,
        {key: journal.content(key) for key, _ in list(journal.list(""))},
    )


def _merge(
    session: SessionAdapter, journal: StoreAdapter, changes: Changes
) -> None:
    from zarr.core.sync import sync

    if changes.fork:
        session.fork.merge(pickle.loads(changes.fork))
    for key, record in changes.records.items():
        sync(journal.write(key, record))


# Of the task that runs in a thread. Threads of a process share one run, and
# with it the memory that it may have, but not their forks.
_here = threading.local()


def run_forked(shipment: Shipment, batch: Step) -> Changes:
    """Runs tasks in a fork of the session."""
    fork = pickle.loads(shipment.fork)
    target = _here.target = _Fork(fork.store, shipment.path, shipment.run)
    journal = _here.journal = _HeldJournal(shipment.journal)
    _latest.update(target=target, journal=journal)
    stores = {
        **shipment.stores,
        "target": _OfThisThread("target"),
        "journal": _OfThisThread("journal"),
    }
    plan = Plan.restored(shipment.text, stores)
    if plan.needs_cluster:
        remember_client()
    plan.run(batch)
    return Changes(
        pickle.dumps(fork) if target.was_written else b"", journal.records
    )


class _Fork(SessionAdapter):
    was_written = False

    async def write(self, key: str, content: Any) -> None:
        self.was_written = True
        await super().write(key, content)


class _HeldJournal(StoreAdapter):
    """A copy of the journal that keeps records back: the leader writes them."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        from zarr.core.buffer import Buffer, cpu
        from zarr.storage import MemoryStore

        kept: dict[str, Buffer] = {
            key: cpu.Buffer.from_bytes(text) for key, text in objects.items()
        }
        super().__init__(MemoryStore(kept))
        self.records: dict[str, bytes] = {}

    async def write(self, key: str, content: Any) -> None:
        if key.startswith("done/"):
            self.records[key] = bytes(content)
        else:
            await super().write(key, content)


#: For threads that run no task, such as that of heart-beats.
_latest: dict[str, StoreAdapter] = {}


class _OfThisThread:
    """The store of the task that runs in the calling thread.

    Requests are made by the thread that runs the task, wherever they run.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        store = getattr(_here, self._name, None) or _latest[self._name]
        return getattr(store, attribute)
