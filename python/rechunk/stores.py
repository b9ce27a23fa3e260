"""Stores of zarr-python as the native part sees them, and back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

from rechunk.checks import ZIP_NAMES
from rechunk.documents import DOCUMENTS, Publish
from rechunk.errors import InvalidArgumentError
from rechunk.requests import Requests
from rechunk.store_traits import traits_of

# Sizes that an adapter remembers.
_MOST_SIZES = 100_000


class StoreAdapter:
    """What lies below a path of a zarr-python 3 store.

    The methods are those that the native part calls (bindings/stores.cc);
    `read` and `write` run on zarr's loop. Keys are relative to the path.
    """

    def __init__(self, store: Any, path: str = "") -> None:
        self.store = store
        self.path = path.strip("/")
        self.traits = traits_of(store)
        # Of objects that are read by ranges, or were written here. The adapter
        # lives as long as the call of `rechunk` and its plan.
        self._sizes: dict[str, int] = {}

    def requests(self) -> Requests:
        """Takes requests that run at the same time."""
        return Requests(self.traits.at_once)

    def at(self, path: str) -> StoreAdapter:
        """The same store, further down."""
        return self._elsewhere(_join(self.path, path))

    def above(self) -> StoreAdapter | None:
        """The same store, one level up; None at its root."""
        if not self.path:
            return None
        return self._elsewhere(self.path.rpartition("/")[0])

    def sibling(self, prefix: str, suffix: str) -> StoreAdapter:
        """Beside this path: "a/b" becomes "a/PREFIXbSUFFIX"."""
        parent, _, name = self.path.rpartition("/")
        return self._elsewhere(_join(parent, f"{prefix}{name}{suffix}"))

    def _elsewhere(self, path: str) -> StoreAdapter:
        return StoreAdapter(self.store, path)

    async def read(
        self, key: str, offset: int, length: int
    ) -> tuple[Any, int] | None:
        """`length` bytes from `offset` on (negative: from the end), and the
        size of the whole object; None if there is none.

        zarr's stores do not say how large an object is of which they give a
        range. A size costs a request, so there is one only where nothing else
        tells it.
        """
        from zarr.abc.store import SuffixByteRequest

        if length == 0:
            # Who asks for the size alone wants to know whether it changed.
            size = await self._size(key)
            return None if size is None else (b"", size)
        if key.rpartition("/")[2] in DOCUMENTS or (
            self.traits.exact and offset == 0
        ):
            # Stores need not know ranges that end behind the object.
            whole = await self._get(key, None)
            if whole is None:
                return None
            first = offset if offset >= 0 else max(0, len(whole) + offset)
            return whole[first : first + length], len(whole)
        if offset >= 0:
            return await self._read_range(key, offset, length)
        # The index of a shard. Its places are compared with the size, which is
        # remembered for the ranges of the shard that are read next.
        if self.traits.exact:
            size = await self._size(key)
            if size is None:
                return None
            return await self._read_range(
                key, max(0, size + offset), min(size, length)
            )
        both = self._get(key, SuffixByteRequest(-offset)), self._size(key)
        if self.traits.at_once:
            found, size = await both[0], await both[1]
        else:
            found, size = await asyncio.gather(*both)
        if found is None or size is None:
            return None
        return found[:length], size

    async def _read_range(
        self, key: str, offset: int, length: int
    ) -> tuple[Any, int] | None:
        from zarr.abc.store import RangeByteRequest

        size = self._sizes.get(key)
        # Behind what is remembered: another process may have written more.
        if self.traits.exact if size is None else size <= offset:
            size = await self._size(key)
            if size is None:
                return None
            if size <= offset:
                return b"", size
        inside = size is not None and offset + length <= size
        # One byte more shows that the object ends there.
        stop = offset + length + (0 if inside else 1)
        if size is not None and self.traits.exact:
            stop = min(stop, size)
        try:
            found = await self._get(key, RangeByteRequest(offset, stop))
        except Exception:
            # Servers refuse ranges that begin behind the object.
            size = await self._size(key)
            if size is None:
                return None
            if offset < size:
                raise
            return b"", size
        if found is None:
            self._sizes.pop(key, None)
            return None
        if not inside and 0 < len(found) <= length:
            size = self._remember(key, offset + len(found))
        elif not inside or len(found) < length:
            size = await self._size(key)
        return None if size is None else (found[:length], size)

    async def _get(self, key: str, wanted: Any) -> Any:
        from zarr.core.buffer.cpu import buffer_prototype

        found = await self.store.get(self._full(key), buffer_prototype, wanted)
        # The store's own memory: it is copied once, to where it belongs.
        return None if found is None else found.as_numpy_array()

    async def _size(self, key: str) -> int | None:
        try:
            size = int(await self.store.getsize(self._full(key)))
            # Icechunk says that of chunks that there are not, too.
            missing = size == 0 and not await self.store.exists(self._full(key))
        except (FileNotFoundError, KeyError):  # The latter of Icechunk.
            missing = True
        if missing:
            self._sizes.pop(key, None)
            return None
        return self._remember(key, size)

    def _remember(self, key: str, size: int) -> int:
        if len(self._sizes) >= _MOST_SIZES:
            self._sizes.clear()
        self._sizes[key] = size
        return size

    async def write(self, key: str, content: Any) -> None:
        """Writes a whole object."""
        await self.store.set(self._full(key), _buffer(content))
        self._remember(key, len(content))

    def content(self, key: str) -> bytes:
        """A whole object. Raises KeyError if there is none."""
        from zarr.core.sync import sync

        found = sync(self._get(key, None))
        if found is None:
            raise KeyError(self.describe(key))
        return bytes(found)

    def create_if_absent(self, key: str, content: bytes) -> bool:
        """Writes the object unless there is one.

        Only dicts and object stores say who was first. With other stores the
        object is read again: it may be another's who wrote at the same time.
        If their `set_if_not_exists` asks before it writes, as that of fsspec
        does, two may both be the first for a moment. A caller that must know
        looks once more.
        """
        from zarr.core.sync import sync

        full, buffer = self._full(key), _buffer(content)
        kind = type(self.store).__name__
        if kind == "MemoryStore":
            return self.store._store_dict.setdefault(full, buffer) is buffer
        if kind == "ObjectStore":
            return _put_first(self.store.store, full, content)
        if sync(self._size(key)) is not None:
            return False
        sync(self.store.set_if_not_exists(full, buffer))
        kept = sync(self._get(key, None))
        return kept is not None and bytes(kept) == content

    def erase(self, key: str) -> bool:
        """Removes an object; False if there was none."""
        from zarr.core.sync import sync

        full = self._full(key)
        known = self._sizes.pop(key, None) is not None
        if type(self.store).__name__ == "MemoryStore":
            return self.store._store_dict.pop(full, None) is not None
        # Stores do not say whether they removed something. What was written
        # here, such as intermediates, is there.
        found = known or bool(sync(self.store.exists(full)))
        if found:
            sync(self.store.delete(full))
        return found

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Keys at and below `prefix`, with the sizes of documents."""
        from zarr.core.sync import sync

        whole = self._full(prefix) if prefix else self.path
        skip = len(self.path) + 1 if self.path else 0
        for full in self._keys(whole):
            if whole and full != whole and not full.startswith(whole + "/"):
                continue
            key = full[skip:]
            # A size costs a request, and only those of documents are needed.
            is_document = key.rpartition("/")[2] in DOCUMENTS
            yield key, (sync(self._size(key)) or 0) if is_document else 0

    def _keys(self, prefix: str) -> Iterator[str]:
        """Keys of the store that begin so, and perhaps others."""
        return _taken(self.store.list_prefix(prefix))

    def describe(self, key: str) -> str:
        """Where a key lies, for messages."""
        return _join(_name_of(self.store).rstrip("/"), self._full(key))

    @property
    def is_lasting(self) -> bool:
        """True if its description names the same objects in other processes."""
        name = _name_of(self.store)
        return "memory" not in name.lower() and " at 0x" not in name

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


def _buffer(content: Any) -> Any:
    """A buffer of zarr over memory that its owner keeps."""
    from zarr.core.buffer import cpu

    return cpu.Buffer.from_bytes(content)


def _put_first(store: Any, key: str, content: bytes) -> bool:
    """True if nobody had written that key of a store of obstore."""
    import obstore

    try:
        obstore.put(store, key, content, mode="create")
    except obstore.exceptions.AlreadyExistsError:
        return False
    return True


def _name_of(store: Any) -> str:
    """Where a store is, for messages."""
    if type(store).__name__ != "IcechunkStore":
        return str(store)
    session = store.session
    if session.read_only:  # Of a snapshot, whose name is unique.
        return f"icechunk://{session.snapshot_id}"
    return f"Icechunk session of {session.branch} at {id(store):#x}"


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
    """The zarr store of a place and the path in it. That of an archive, or of a
    node in one, is read only.
    """
    if isinstance(place, StoreAdapter):
        return place.store, place.path
    from zarr.core.sync import sync
    from zarr.storage import LocalStore, ZipStore

    path = Path(place)
    for above in (path, *path.parents):
        if above.name.endswith(ZIP_NAMES) and above.is_file():
            opened = sync(ZipStore.open(above, mode="r"))
            return opened, "/".join(path.relative_to(above).parts)
    return LocalStore(path), ""


def erase_all(place: StoreAdapter) -> None:
    """Erases all objects there."""
    for key, _ in list(place.list("")):
        place.erase(key)


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
