"""The native jobs that this process has opened, and the memory they keep."""

from __future__ import annotations

import atexit
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rechunk import _core

_JOBS_KEPT = 8
_IDLE_SECONDS = 3.0


class OpenJobs:
    """Jobs by plan: tasks of one plan share a budget.

    Jobs keep memory between tasks, because new memory is slow. They give it
    back when tasks of another plan come, or none for some seconds: workers
    live longer than runs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, _core.Job] = OrderedDict()
        self._uses = 0
        self._at_work = 0
        self._watcher: threading.Thread | None = None
        self._ended = threading.Event()
        atexit.register(self._end)

    def get(self, key: str, load: Callable[[], _core.Job]) -> _core.Job:
        """The job of a plan, loaded if need be."""
        with self._lock:
            is_latest = next(reversed(self._jobs), key) == key
            job = self._jobs.pop(key, None) or load()
            if not is_latest:
                self._trim()
            self._jobs[key] = job
            while len(self._jobs) > _JOBS_KEPT:
                self._jobs.popitem(last=False)
            self._uses += 1
            self._be_watched()
            return job

    @contextmanager
    def work(self) -> Iterator[None]:
        """While tasks run, however long they take."""
        with self._lock:
            self._at_work += 1
            self._be_watched()
        try:
            yield
        finally:
            with self._lock:
                self._at_work -= 1
                self._uses += 1

    def _be_watched(self) -> None:
        if self._watcher is not None and self._watcher.is_alive():
            return
        _core.keep_heap(True)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def _trim(self) -> None:
        for job in self._jobs.values():
            job.trim_memory()

    def _watch(self) -> None:
        uses = -1
        while not self._ended.is_set():
            with self._lock:
                if uses == self._uses and not self._at_work:
                    self._trim()
                    _core.keep_heap(False)
                    self._watcher = None
                    return
                uses = self._uses
            self._ended.wait(_IDLE_SECONDS)

    def _end(self) -> None:
        """Wait for the watcher: threads must not be in the core at exit."""
        self._ended.set()
        watcher = self._watcher
        if watcher is not None:
            watcher.join()
