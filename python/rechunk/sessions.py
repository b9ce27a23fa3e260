"""Writable sessions of Icechunk as targets.

Icechunk takes the chunks of an array only after the array, so a document comes
first: the planned one, with a codec before all others that nobody knows. The
run itself does not see it. Readers of the session, and of a snapshot that
somebody commits too early, get an error that names the codec instead of fill
values. The commit of the run writes the true document; the chunks stay.

That document also tells whose chunks these are. The records of a run count if
the session that is given has it.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rechunk.documents import DOCUMENTS
from rechunk.errors import InvalidArgumentError, UnsupportedError
from rechunk.stores import StoreAdapter, erase_all, local_path, store_at
from rechunk.unfinished import is_of, shown_text, unfinished
from rechunk.urls import as_zarr_place

# What lies beside a session, and its name.
_BESIDE = {"journal": "{}.rechunk", "temp": ".{}.rechunk-temp"}


@dataclass
class SessionRun:
    """What the places of one run in a session share."""

    #: Its name.
    name: str = ""
    #: Documents of its nodes, by their paths in the store.
    documents: dict[str, str] = field(default_factory=dict)
    #: Nodes that have the document of an unfinished one.
    begun: set[str] = field(default_factory=set)


class SessionAdapter(StoreAdapter):
    """A place in a session of Icechunk that a run may write."""

    def __init__(
        self, store: Any, path: str = "", run: SessionRun | None = None
    ) -> None:
        super().__init__(store, path)
        self.run = run or SessionRun()
        #: Journal and temporary data.
        self.beside: list[StoreAdapter] = []
        #: True if the session has chunks of the run in that journal.
        self.goes_on = False
        #: A fork that takes everything until the run has ended, and how it was
        #: before it had chunks.
        self.fork: Any = None
        self.base = b""
        self._original = store
        # Below these prefixes, which are no nodes, is nothing.
        self._empty: set[str] = set()

    def _elsewhere(self, path: str) -> SessionAdapter:
        return SessionAdapter(self.store, path, self.run)

    @property
    def label(self) -> str:
        """A name for folders beside it."""
        branch = self.store.session.branch or "session"
        parts = ["icechunk", *branch.split("/"), *self.path.split("/")]
        return "-".join(part for part in parts if part)

    def resume(self, journal: StoreAdapter) -> str | None:
        """The name of the run in a journal, if this session has its chunks."""
        from zarr.core.sync import sync

        folder = local_path(journal.store)
        if folder is not None and not os.path.isdir(folder):
            return None  # Opened for a look, it would be made.
        try:
            plan = json.loads(journal.content("plan.json"))
        except (KeyError, ValueError):
            return None  # The core looks at what it finds there.
        name = str(plan["options"].get("token", ""))
        for key in plan["target"]["documents"]:
            whole = sync(StoreAdapter._get(self, key, None))
            if whole is not None and is_of(bytes(whole), name):
                return name
        return None

    def forget_others(self, state: str) -> None:
        """Erases what a session that is gone has left beside this one.

        state: of the run there. Raises InvalidArgumentError if somebody is at
        work.
        """
        if self.goes_on or state not in ("running", "stopped"):
            return
        if state == "running":
            raise InvalidArgumentError(
                f"{self.beside[0].describe('')} belongs to a session that "
                "is being written",
                "give each session a temp_store of its own",
            )
        for place in self.beside:
            erase_all(place)

    def expect(
        self, documents: Mapping[str, str], shapes: Mapping[str, Any]
    ) -> None:
        """The run will write nodes with these documents; arrays that grow will
        have these shapes.

        Raises UnsupportedError if Icechunk cannot store them.
        """
        for key, text in documents.items():
            document = json.loads(text)
            _check(key, document)
            name = key.rpartition("zarr.json")[0].rstrip("/")
            if name in shapes:
                text = json.dumps({**document, "shape": shapes[name]})
            self.run.documents[self._node_of(key)] = text

    def begin(self) -> None:
        """Makes all nodes ready for chunks."""
        from zarr.core.sync import sync

        for path in self.run.documents:
            sync(self._begin(path))

    def fail(self, error: BaseException, state: str) -> None:
        """The run has failed, and is in this state: tells what that means."""
        is_kept = state == "stopped" and bool(self.run.begun)
        if self.fork is not None:
            if not is_kept:
                self._leave_fork()
            error.add_note("The session is as it was before the run.")
            return
        if not self.run.begun:
            return
        if not is_kept:
            self.end()
        error.add_note(
            "The session has a part of the new data. Do not commit it: "
            "execute() goes on, session.discard_changes() begins anew."
        )

    def fork_off(self) -> None:
        """From now on a fork of the session takes what is written.

        Raises UnsupportedError if it cannot be forked.
        """
        if self.fork is not None:  # The run goes on.
            return
        session = self.store.session
        try:
            fork = session.fork()
        except Exception as error:  # Icechunk 1 refuses what has changes.
            raise UnsupportedError(
                f"forking the {self.describe('')}: {error}",
                "commit what it has and open a new one, or run in this "
                'process: executor="threads"',
            ) from error
        self.fork, self._original = fork, self.store
        self.store = fork.store

    def join(self) -> None:
        """Merges the fork into the session."""
        fork = self.fork
        self._leave_fork()
        self.store.session.merge(fork)

    def _leave_fork(self) -> None:
        self.store = self._original
        self.fork, self.base = None, b""
        self.run.begun.clear()

    def end(self) -> None:
        """Whatever is unfinished becomes what it was before the run."""
        from zarr.core.sync import sync

        for path in self.run.documents:
            sync(self._end(path))
        self.run.begun.clear()

    async def write(self, key: str, content: Any) -> None:
        """Writes a whole object, a chunk after the document of its array."""
        if key.rpartition("/")[2] in DOCUMENTS:
            self.run.begun.discard(self._node_of(key))
        else:
            await self._begin(self._array_of(key))
        await super().write(key, content)

    def erase(self, key: str) -> bool:
        """Removes an object; with its document an array and its chunks."""
        self.run.begun.discard(self._node_of(key))
        return super().erase(key)

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Without documents that this run hides."""
        for key, size in super().list(prefix):
            if size or key.rpartition("/")[2] not in DOCUMENTS:
                yield key, size

    def _keys(self, prefix: str) -> Iterator[str]:
        """Icechunk lists what is below a node, and nothing else. So keys of the
        next node above are looked through, once if there are none.
        """
        from zarr.core.sync import sync

        node = prefix
        while node and not sync(self.store.exists(f"{node}/zarr.json")):
            node = node.rpartition("/")[0]
        if node == prefix:
            yield from super()._keys(prefix)
        elif prefix not in self._empty:
            self._empty.add(prefix)
            for key in super()._keys(node):
                if key.startswith(f"{prefix}/"):
                    self._empty.discard(prefix)
                    yield key

    async def _get(self, key: str, wanted: Any) -> Any:
        import numpy as np

        if key.rpartition("/")[2] not in DOCUMENTS:
            try:
                return await super()._get(key, wanted)
            except Exception:
                # Icechunk refuses keys of arrays that are not there yet.
                if await self.store.exists(_document_of(self._array_of(key))):
                    raise
                return None
        found = await super()._get(key, wanted)
        if found is None:
            return None
        text = shown_text(bytes(found), self.run.name)
        return None if text is None else np.frombuffer(text, np.uint8)

    async def _size(self, key: str) -> int | None:
        if key.rpartition("/")[2] not in DOCUMENTS:
            return await super()._size(key)
        found = await self._get(key, None)
        return None if found is None else len(found)

    def _node_of(self, document: str) -> str:
        return self._full(document).rpartition("/")[0]

    def _array_of(self, key: str) -> str:
        path = self._full(key)
        while path not in self.run.documents:
            if not path:
                raise InvalidArgumentError(
                    f"{key} is no part of a Zarr array, and Icechunk stores "
                    "nothing else",
                    "without_files=True leaves such files out",
                )
            path = path.rpartition("/")[0]
        return path

    async def _begin(self, path: str) -> None:
        """Makes a node ready, and those around it."""
        if path in self.run.begun:
            return
        if path and (above := path.rpartition("/")[0]) in self.run.documents:
            await self._begin(above)
        key = _document_of(path)
        found = await self._stored(key)
        if found is None or not is_of(found, self.run.name):
            shown = None if found is None else found.decode()
            document = unfinished(
                self.run.documents[path], self.run.name, shown
            )
            await self._store_document(key, document)
        self.run.begun.add(path)

    async def _end(self, path: str) -> None:
        key = _document_of(path)
        found = await self._stored(key)
        if found is None or not is_of(found, self.run.name):
            return
        shown = shown_text(found, self.run.name)
        if shown is None:
            await self.store.delete(key)
        else:
            await self._store_document(key, shown.decode())

    async def _stored(self, key: str) -> bytes | None:
        from zarr.core.buffer.cpu import buffer_prototype

        found = await self.store.get(key, buffer_prototype)
        return None if found is None else bytes(found.to_bytes())

    async def _store_document(self, key: str, text: str) -> None:
        from zarr.core.buffer.cpu import Buffer

        await self.store.set(key, Buffer.from_bytes(text.encode()))

    def __reduce__(self) -> Any:
        raise InvalidArgumentError(
            f"sending {self.describe('')} to another process: its changes "
            "would stay there",
            'executor="threads" runs in this process, and "dask" merges what '
            "its workers write when you call execute()",
        )


def is_session(store: Any) -> bool:
    """True for stores of Icechunk."""
    return type(store).__name__ == "IcechunkStore"


def check_session(zarr_format: int | None, consolidate: bool | None) -> None:
    """Raises UnsupportedError for what Icechunk does not store."""
    if zarr_format == 2:
        raise UnsupportedError(
            "zarr_format: Icechunk stores Zarr 3 alone", "leave it out"
        )
    if consolidate:
        raise UnsupportedError(
            "consolidate: Icechunk neither has nor needs consolidated metadata",
            "leave it out",
        )


def add_places(
    session: SessionAdapter, where: str | StoreAdapter, stores: dict[str, Any]
) -> str | StoreAdapter:
    """Journal and temporary data, which a session cannot hold, lie in `where`.
    Returns the place of the latter.
    """
    if isinstance(where, SessionAdapter):
        raise UnsupportedError(
            "temp_store: Icechunk stores nothing but Zarr",
            "give a path, or a store of another kind",
        )
    for kind, form in _BESIDE.items():
        name = form.format(session.label)
        stores[kind] = (
            os.path.join(where, name)
            if isinstance(where, str)
            else where.at(name)
        )
    temp: str | StoreAdapter = stores["temp"]
    return temp


def name_run(
    session: SessionAdapter,
    stores: Mapping[str, Any],
    storage: Mapping[str, Mapping[str, str]],
) -> str:
    """The name of the unfinished run that this session has chunks of, or a new
    one.
    """
    told = {**storage["all"], **storage["temp"]}
    session.beside = [_adapter(stores[kind], told) for kind in _BESIDE]
    name = session.resume(session.beside[0])
    session.goes_on = name is not None
    session.run.name = name or uuid.uuid4().hex
    return session.run.name


def _adapter(place: Any, storage: Mapping[str, str]) -> StoreAdapter:
    return StoreAdapter(*store_at(as_zarr_place(place, storage)))


def _check(key: str, document: dict[str, Any]) -> None:
    if document["node_type"] == "group":
        return
    encoding = document["chunk_key_encoding"]
    separator = encoding.get("configuration", {}).get("separator", "/")
    if encoding["name"] == "default" and separator == "/":
        return
    raise UnsupportedError(
        f"writing {key} to Icechunk: the keys of its chunks have the encoding "
        f"{json.dumps(encoding)}, and Icechunk knows only the default one",
        "write to a folder",
    )


def _document_of(path: str) -> str:
    return f"{path}/zarr.json" if path else "zarr.json"
