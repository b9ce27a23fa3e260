"""What is known of kinds of stores of zarr-python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Measured against buckets: more requests of one process gain little.
_REQUESTS = 32
_LATENCY_SECONDS = 0.03

# Classes of obstore that are on this machine.
_LOCAL_OBSTORES = ("LocalStore", "MemoryStore")
# Classes of zarr-python that are, too, with those that wrap another.
_LOCAL_STORES = ("LocalStore", "MemoryStore", "GpuMemoryStore", "ZipStore")
_PLAIN_WRAPPERS = ("LoggingStore", "WrapperStore")


@dataclass(frozen=True)
class StoreTraits:
    """How a store is best asked."""

    requests: int = 1  # That it serves at a time.
    latency_seconds: float = 0.0
    is_remote: bool = False
    # Its methods never wait: they need no loop.
    at_once: bool = False
    # It is done with the buffers that it gets when `set` returns.
    borrows: bool = False
    # It refuses ranges that end behind the object.
    exact: bool = False


def traits_of(store: Any) -> StoreTraits:
    """What is known of a store. One that is not known may wait for something,
    so it gets several requests at a time.
    """
    kind = type(store).__name__
    if kind in _PLAIN_WRAPPERS:
        inner = traits_of(store._store)
        return StoreTraits(
            inner.requests, inner.latency_seconds, inner.is_remote
        )
    if kind == "ObjectStore":
        if type(store.store).__name__ in _LOCAL_OBSTORES:
            return StoreTraits()
        return _remote(borrows=True)
    if kind == "FsspecStore":
        # File systems that are not asynchronous are wrapped.
        if hasattr(store.fs, "sync_fs"):
            return StoreTraits()
        return _remote(borrows=True)
    if kind == "IcechunkStore":
        return _remote(exact=True)
    if any(base.__name__ in _LOCAL_STORES for base in type(store).__mro__):
        # A class of the user's may wait in its methods.
        return StoreTraits(
            at_once=kind == "MemoryStore", borrows=kind == "LocalStore"
        )
    return _remote()


def _remote(borrows: bool = False, exact: bool = False) -> StoreTraits:
    return StoreTraits(
        requests=_REQUESTS,
        latency_seconds=_LATENCY_SECONDS,
        is_remote=True,
        borrows=borrows,
        exact=exact,
    )
