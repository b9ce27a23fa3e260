"""The runs that this process has a part in, and the memory they keep."""

from __future__ import annotations

import atexit
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rechunk import _core

_RUNS_KEPT = 8
_IDLE_SECONDS = 3.0


class OpenRuns:
    """Runs by plan: tasks of one plan share a budget.

    Runs keep memory between tasks, because new memory is slow. They give it
    back when tasks of another plan come, or none for some seconds: workers
    live longer than runs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: OrderedDict[str, _core.Run] = OrderedDict()
        self._uses = 0
        self._at_work = 0
        self._watcher: threading.Thread | None = None
        self._ended = threading.Event()
        atexit.register(self._end)

    def get(self, key: str, begin: Callable[[], _core.Run]) -> _core.Run:
        """The run of a plan, begun if need be."""
        with self._lock:
            # With the lock, so that two threads do not begin the same run.
            is_latest = next(reversed(self._runs), key) == key
            run = self._runs.pop(key, None) or begin()
            if not is_latest:
                self._trim()
            self._runs[key] = run
            while len(self._runs) > _RUNS_KEPT:
                self._runs.popitem(last=False)
            self._uses += 1
            self._be_watched()
            return run

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
        for run in self._runs.values():
            run.trim_memory()

    def _watch(self) -> None:
        uses = -1
        while not self._ended.is_set():
            with self._lock:
                # No task has begun or ended since the last look.
                if uses == self._uses and not self._at_work:
                    self._trim()
                    _core.keep_heap(False)
                    self._watcher = None
                    return
                uses = self._uses
            self._ended.wait(_IDLE_SECONDS)

    def _end(self) -> None:
        """Wait for the watcher, and for threads of the runs: none must be in
        the core at exit.
        """
        self._ended.set()
        watcher = self._watcher
        if watcher is not None:
            watcher.join()
        with self._lock:
            self._runs.clear()
