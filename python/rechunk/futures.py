"""Collections of dask, computed where what they need lies."""

from __future__ import annotations

from typing import Any

from rechunk.lazy import is_future


def compute(part: Any, futures: list[Any]) -> Any:
    """The elements of a lazy part, computed in this thread.

    `futures`: results on a cluster that the whole collection needs. Those of
    the part are fetched, not computed there: every thread of the cluster may
    be busy with the run that waits for this part.
    """
    if not futures:
        # A scheduler runs us already.
        return part.compute(scheduler="synchronous")
    import dask

    keys = part.__dask_keys__()
    # Not optimized, because that loses the futures in the graph.
    graph = dict(part.__dask_graph__().cull(set(dask.core.flatten(keys))))
    held = {key: value for key, value in graph.items() if is_future(value)}
    if held:
        client = next(iter(held.values())).client or _client_of_task
        # All at once, because each call asks the cluster.
        results = client.gather(
            [_bound(each, client) for each in held.values()]
        )
        graph.update(zip(held, results))
    elements = dask.get(graph, keys)
    finalize, arguments = part.__dask_postcompute__()
    return finalize(elements, *arguments)


def _bound(future: Any, client: Any) -> Any:
    """The future; one that came with a plan knows neither client nor state."""
    if future.client is not None:
        return future
    # `wait_for` has waited for it, so its state is known.
    return type(future)(future.key, client=client, state="memory")


_client_of_task: Any = None


def remember_client() -> None:
    """Called by a task of Dask: threads that it starts have no way to ask."""
    from distributed import get_client

    global _client_of_task
    _client_of_task = get_client()


def wait_for(futures: list[Any]) -> None:
    """Until all are there: a run keeps threads that they may need."""
    if futures:
        from distributed import wait

        with futures[0].client.as_current():
            wait(futures)
