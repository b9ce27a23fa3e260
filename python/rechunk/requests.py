"""Requests to a store of zarr-python: several at a time, on zarr's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from functools import partial
from queue import SimpleQueue
from typing import Any

#: The number of a request, and what answers it.
Numbered = tuple[int, Coroutine[Any, Any, Any]]


class Requests:
    """The requests of one call of the native part that are in flight.

    They run as tasks on zarr's own loop, which has a thread of its own, so
    this works below a loop that runs already (Jupyter), too. That thread never
    calls native code, which may hold a lock: it puts results into a queue, and
    the thread that made this object takes them, waiting without the GIL. A
    store whose methods do not wait answers one request after the other there,
    so it need not be safe for threads.

    at_once: the store is a dict in memory; its methods never wait, and are run
    by the calling thread.
    """

    def __init__(self, at_once: bool) -> None:
        self._done: SimpleQueue[tuple[int, Any, BaseException | None]]
        self._done = SimpleQueue()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._flying = 0
        self._answer: tuple[Any, BaseException | None] = (None, None)
        self._loop = None if at_once else _loop()

    def start(self, requests: Iterable[Numbered]) -> None:
        """Begins requests."""
        begun = list(requests)
        self._flying += len(begun)
        if self._loop is None:
            for number, request in begun:
                self._run(number, request)
        else:
            self._loop.call_soon_threadsafe(self._launch, begun)

    def take(self) -> int:
        """Waits for the next result; the number of its request."""
        number, *answer = self._done.get()
        self._flying -= 1
        self._answer = (answer[0], answer[1])
        return number

    def result(self) -> Any:
        """What `take` has brought; raises what the request raised."""
        (value, error), self._answer = self._answer, (None, None)
        if error is not None:
            raise error
        return value

    def cancel(self) -> None:
        """Ends what is in flight, and returns when nothing is."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._cancel)
        self.wait()

    def wait(self) -> None:
        """Returns when nothing is in flight."""
        while self._flying > 0:
            try:
                self.take()
            except KeyboardInterrupt:
                # Buffers of the caller may be in use until all have ended.
                continue
        self._answer = (None, None)

    def _run(self, number: int, request: Coroutine[Any, Any, Any]) -> None:
        try:
            request.send(None)
        except StopIteration as ended:
            self._done.put((number, ended.value, None))
        except Exception as error:
            self._done.put((number, None, error))
        else:
            request.close()
            waits = RuntimeError("a store in memory waits for something")
            self._done.put((number, None, waits))

    def _launch(self, requests: list[Numbered]) -> None:
        for number, request in requests:
            task = asyncio.ensure_future(request)
            self._tasks.add(task)
            task.add_done_callback(partial(self._land, number))

    def _land(self, number: int, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            error: BaseException | None = asyncio.CancelledError()
        else:
            error = task.exception()
        value = task.result() if error is None else None
        self._done.put((number, value, error))

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()


def _loop() -> asyncio.AbstractEventLoop:
    """zarr's loop. Raises RuntimeError on its own thread, which would wait for
    itself.
    """
    from zarr.core.sync import _get_loop

    loop = _get_loop()
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        return loop
    if running is loop:
        raise RuntimeError("a store was called from zarr's own loop")
    return loop
