"""Where a rechunk writes, in the core's terms."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from rechunk.checks import ZIP_NAMES, local_path
from rechunk.errors import InvalidArgumentError, UnsupportedError
from rechunk.sessions import SessionAdapter, is_session
from rechunk.stores import StoreAdapter, place_in, place_of, store_at
from rechunk.urls import as_zarr_place, is_url


@dataclass
class Target:
    """A place to write to."""

    place: str | StoreAdapter
    may_replace: bool = False  # An empty group that the caller made for it.
    parent: Any = None  # The place whose group gets `array_name`.
    array_name: str = ""
    stores: dict[str, Any] = field(default_factory=dict)
    storage: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        """ "" for places that are no paths."""
        return self.place if isinstance(self.place, str) else ""

    def open(self) -> Any:
        """The zarr Array or Group there. One in an archive is read only."""
        import zarr

        if is_url(self.place) and str(self.place).endswith(ZIP_NAMES):
            raise UnsupportedError(
                f"opening {self.place}: zarr-python reads archives on disks",
                "rechunk reads it by its URL",
            )
        store, path = store_at(as_zarr_place(self.place, self.storage))
        mode: Any = "r" if store.read_only else "r+"
        return zarr.open(store, path=path, mode=mode)


def as_place(store: Any, what: str) -> str | StoreAdapter:
    """A path, or a place in a zarr store. Raises InvalidArgumentError."""
    if isinstance(store, (str, os.PathLike)):
        return local_path(os.fspath(store), what)
    kind = type(store).__name__
    if hasattr(store, "store_path"):
        _check_writable(store.store_path.store, store, what)
        if is_session(store.store_path.store):
            return SessionAdapter(store.store_path.store, store.path)
        return place_of(store)
    if hasattr(store, "fs") and hasattr(store, "root"):
        return _of_mapper(store, what)
    if isinstance(store, dict):
        from zarr.storage import MemoryStore

        return StoreAdapter(MemoryStore(store))
    if hasattr(store, "list_prefix") and hasattr(store, "set_if_not_exists"):
        _check_writable(store, store, what)
        return SessionAdapter(store) if is_session(store) else place_in(store)
    raise InvalidArgumentError(
        f"{what}: an object of type {kind} is no store",
        "give a path, a zarr store or a zarr group",
    )


# Stores that zarr-python writes, and a run cannot, with what works.
_NOT_WRITTEN = {
    "ZipStore": "give the path of the archive, which is made whole",
}


def _check_writable(store: Any, given: Any, what: str) -> None:
    if getattr(given, "read_only", False) or store.read_only:
        raise InvalidArgumentError(
            f"{what}: {given!r} was opened for reading only",
            "open a session with repo.writable_session(branch)"
            if is_session(store)
            else 'open it for writing, with mode="r+" or read_only=False',
        )
    kind = type(store).__name__
    if kind in _NOT_WRITTEN:
        raise UnsupportedError(
            f"{what}: rechunk cannot write to a {kind}", _NOT_WRITTEN[kind]
        )


def _of_mapper(mapper: Any, what: str) -> str | StoreAdapter:
    """The place of a mapper of fsspec: a path where it is local."""
    if type(mapper.fs).__name__ == "LocalFileSystem":
        return as_place(mapper.root, what)
    from zarr.storage import FsspecStore

    return StoreAdapter(FsspecStore.from_mapper(mapper))


def as_target(store: Any, array_name: str | None, is_array: bool) -> Target:
    """The place of the target, an array of it where a name is given."""
    if array_name is not None and not isinstance(array_name, str):
        raise InvalidArgumentError(f"array_name: {array_name!r} is no text")
    place = as_place(store, "target_store")
    is_group = type(store).__name__ == "Group" and hasattr(store, "store_path")
    if array_name is not None and not is_array:
        raise InvalidArgumentError(
            f"array_name: {array_name!r} is given, and the source is a group",
            "its arrays keep their names",
        )
    if array_name is None and is_array and is_group:
        raise InvalidArgumentError(
            "array_name: the target is a group, and the source an array",
            "give the array's name in the group",
        )
    if array_name is None:
        empty = is_group and next(iter(store), None) is None
        return _with_stores(Target(place, may_replace=empty))
    parts = array_name.split("/")
    # Documents and reserved names of Zarr, and hidden folders of rechunk.
    if not all(parts) or any(
        part.startswith((".", "__")) or part == "zarr.json" for part in parts
    ):
        raise InvalidArgumentError(
            f"array_name: {array_name!r} is no name of an array",
            'names are like "sst" or "surface/sst"',
        )
    below = (
        os.path.join(place, array_name)
        if isinstance(place, str)
        else place.at(array_name)
    )
    return _with_stores(Target(below, parent=place, array_name=array_name))


def _with_stores(target: Target) -> Target:
    """Temporary data and journal of a place in a zarr store lie beside it."""
    place = target.place
    if isinstance(place, SessionAdapter):
        target.stores = {"target": place}  # The rest lies elsewhere.
    elif isinstance(place, StoreAdapter):
        target.stores = {
            "target": place,
            "temp": place.sibling(".", ".rechunk-temp")
            if place.path
            else place.at(".rechunk-temp"),
            "journal": place.sibling("", ".rechunk")
            if place.path
            else place.at(".rechunk"),
        }
    return target
