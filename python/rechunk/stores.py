"""Stores of zarr-python as the native part sees them, and back."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from rechunk.documents import DOCUMENTS, Publish
from rechunk.errors import InvalidArgumentError

# Stores that refuse ranges which end behind the object.
_EXACT = ("IcechunkStore",)


class StoreAdapter:
    """What lies below a path of a zarr-python 3 store.

    The methods are those that the native part calls (bindings/stores.cc); any
    object that has them will do. Keys are relative to the path.
    """

    def __init__(self, store: Any, path: str = "") -> None:
        self.store = store
        self.path = path.strip("/")

    def at(self, path: str) -> StoreAdapter:
        """The same store, further down."""
        return StoreAdapter(self.store, _join(self.path, path))

    def above(self) -> StoreAdapter | None:
        """The same store, one level up; None at its root."""
        if not self.path:
            return None
        return StoreAdapter(self.store, self.path.rpartition("/")[0])

    def sibling(self, prefix: str, suffix: str) -> StoreAdapter:
        """Beside this path: "a/b" becomes "a/PREFIXbSUFFIX"."""
        parent, _, name = self.path.rpartition("/")
        return StoreAdapter(
            self.store, _join(parent, f"{prefix}{name}{suffix}")
        )

    def read(
        self, key: str, offset: int, length: int
    ) -> tuple[bytes, int] | None:
        """`length` bytes from `offset` on (negative: from the end), and the
        size of the whole object; None if there is none.
        """
        from zarr.abc.store import RangeByteRequest, SuffixByteRequest

        if key.rpartition("/")[2] in DOCUMENTS:
            # Stores need not know ranges that end behind the object.
            whole = self._get(key, None)
            if whole is None:
                return None
            first = offset if offset >= 0 else max(0, len(whole) + offset)
            return whole[first : first + length], len(whole)
        size = None
        if length == 0 or type(self.store).__name__ in _EXACT:
            size = self._size(key)
            if size is None or length == 0:
                return None if size is None else (b"", size)
            offset = max(0, offset if offset >= 0 else size + offset)
            length = min(length, size - offset)
            if length <= 0:
                return b"", size
        wanted = (
            SuffixByteRequest(-offset)
            if offset < 0
            else RangeByteRequest(offset, offset + length)
        )
        found = self._get(key, wanted)
        if found is None:
            return None
        # The object ends within the range, so its size needs no other request.
        if size is None and offset == 0 and len(found) < length:
            return found, len(found)
        size = self._size(key) if size is None else size
        return None if size is None else (found[:length], size)

    def _get(self, key: str, wanted: Any) -> bytes | None:
        from zarr.core.buffer import default_buffer_prototype
        from zarr.core.sync import sync

        found = sync(
            self.store.get(self._full(key), default_buffer_prototype(), wanted)
        )
        return None if found is None else found.to_bytes()

    def _size(self, key: str) -> int | None:
        from zarr.core.sync import sync

        try:
            return int(sync(self.store.getsize(self._full(key))))
        except FileNotFoundError:
            return None

    def write(self, key: str, content: bytes) -> None:
        """Writes a whole object."""
        from zarr.core.buffer import cpu
        from zarr.core.sync import sync

        sync(self.store.set(self._full(key), cpu.Buffer.from_bytes(content)))

    def create_if_absent(self, key: str, content: bytes) -> bool:
        """Writes the object unless there is one."""
        if self._size(key) is not None:
            return False
        from zarr.core.buffer import cpu
        from zarr.core.sync import sync

        buffer = cpu.Buffer.from_bytes(content)
        # The store does not say whether it has written. A caller that must know
        # reads the object again.
        sync(self.store.set_if_not_exists(self._full(key), buffer))
        return True

    def erase(self, key: str) -> bool:
        """Removes an object; False if there was none."""
        from zarr.core.sync import sync

        found = bool(sync(self.store.exists(self._full(key))))
        if found:
            sync(self.store.delete(self._full(key)))
        return found

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Keys at and below `prefix`, with the sizes of documents."""
        whole = self._full(prefix) if prefix else self.path
        skip = len(self.path) + 1 if self.path else 0
        for full in _taken(self.store.list_prefix(whole)):
            if whole and full != whole and not full.startswith(whole + "/"):
                continue
            key = full[skip:]
            # A size costs a request, and only those of documents are needed.
            is_document = key.rpartition("/")[2] in DOCUMENTS
            yield key, (self._size(key) or 0) if is_document else 0

    def describe(self, key: str) -> str:
        """Where a key lies, for messages."""
        return _join(str(self.store).rstrip("/"), self._full(key))

    def identity(self) -> tuple[Any, str]:
        """Something that is equal for equal stores, and the path in it; of
        stores on a local disk None, and an absolute path.
        """
        store = self.store
        while hasattr(store, "_store"):  # A wrapper of zarr-python.
            store = store._store
        folder = local_path(store)
        if folder is not None:
            return None, os.path.realpath(os.path.join(folder, self.path))
        # Two stores with one dict hold the same objects.
        if hasattr(store, "_store_dict"):
            return id(store._store_dict), self.path
        if hasattr(store, "fs") and isinstance(store.path, str):
            return store.fs, _join(store.path.strip("/"), self.path)
        return store, self.path

    def _full(self, key: str) -> str:
        return _join(self.path, key)

    def __repr__(self) -> str:
        return f"StoreAdapter({self.describe('')!r})"

    def __reduce__(self) -> Any:
        if _is_in_memory(self.store):
            raise InvalidArgumentError(
                f"sending {self} to another process: its memory belongs to "
                "this one",
                'use a store on disk, or executor="threads"',
            )
        return StoreAdapter, (self.store, self.path)


def _is_in_memory(store: Any) -> bool:
    """True for stores whose copies in other processes would be empty."""
    files = getattr(store, "fs", None)
    files = getattr(files, "sync_fs", files)
    return (
        type(store).__name__ == "MemoryStore"
        or type(files).__name__ == "MemoryFileSystem"
    )


def _taken(keys: AsyncIterator[str], most: int = 1024) -> Iterator[str]:
    """The keys, some at a time: who wants only one ends it early."""
    from zarr.core.sync import sync

    async def take() -> list[str]:
        taken: list[str] = []
        async for key in keys:
            taken.append(key)
            if len(taken) == most:
                break
        return taken

    while taken := sync(take()):
        yield from taken


def _join(parent: str, child: str) -> str:
    return f"{parent}/{child}" if parent and child else parent or child


def local_path(store: Any) -> str | None:
    """The folder of a zarr store on a local disk; None for others."""
    if type(store).__name__ == "LocalStore":
        return str(store.root)
    if type(store).__name__ == "FsspecStore":
        # Those of files are wrapped, to be asynchronous.
        files = getattr(store.fs, "sync_fs", store.fs)
        if type(files).__name__ == "LocalFileSystem":
            return str(store.path)
    return None


def place_of(node: Any) -> str | StoreAdapter:
    """Where a zarr Array or Group lies: a path where it is local."""
    return place_in(node.store_path.store, node.store_path.path)


def place_in(store: Any, path: str = "") -> str | StoreAdapter:
    """A place in a zarr store: a path where it is local."""
    root = local_path(store)
    if root is None:
        return StoreAdapter(store, path)
    return os.path.join(root, path) if path else root


def store_at(place: Any) -> tuple[Any, str]:
    """The zarr store of a place and the path in it."""
    if isinstance(place, StoreAdapter):
        return place.store, place.path
    from zarr.storage import LocalStore

    return LocalStore(os.fspath(place)), ""


def with_documents(
    place: Any,
    path: str,
    documents: Mapping[str, str],
    publish: Publish | None = None,
) -> Any:
    """A zarr store, rooted at a place, that has these documents at `path`.

    publish: takes what is written instead of the store.
    """
    from rechunk._documents_store import DocumentsStore

    store, root = store_at(place)
    texts = {_join(path, name): text for name, text in documents.items()}
    return DocumentsStore(store, root, texts, publish)
