"""A zarr store that knows some documents by heart. Needs zarr."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor

from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype

from rechunk.documents import DOCUMENTS, Publish


class DocumentsStore(Store):
    """What lies below `root` of a store; documents come from memory alone.

    For arrays whose metadata is not, or not yet, where their chunks are.
    """

    supports_writes = True
    supports_deletes = True
    supports_listing = True

    def __init__(
        self,
        store: Store,
        root: str,
        texts: dict[str, str],
        publish: Publish | None = None,
    ) -> None:
        super().__init__(read_only=False)
        self._publish = publish
        # A thread of its own. What publishes may wait for threads of zarr's
        # loop, so it must not take one of them.
        self._publisher = ThreadPoolExecutor(1) if publish else None
        self._store = store
        self._root = root
        self._texts = texts
        self._is_open = True

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def _full(self, key: str) -> str:
        return f"{self._root}/{key}" if self._root else key

    def _relative(self, key: str) -> str:
        return key[len(self._root) + 1 :] if self._root else key

    async def get(
        self,
        key: str,
        prototype: BufferPrototype,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """A document, or what the store has."""
        if key in self._texts:
            return prototype.buffer.from_bytes(self._texts[key].encode())
        if key.rpartition("/")[2] in DOCUMENTS:
            return None
        return await self._store.get(self._full(key), prototype, byte_range)

    async def get_partial_values(
        self,
        prototype: BufferPrototype,
        key_ranges: Iterable[tuple[str, ByteRequest | None]],
    ) -> list[Buffer | None]:
        """Ranges, one by one."""
        return [
            await self.get(key, prototype, part) for key, part in key_ranges
        ]

    async def exists(self, key: str) -> bool:
        """True for documents, too."""
        return key in self._texts or await self._store.exists(self._full(key))

    async def set(self, key: str, value: Buffer) -> None:
        """Writes chunks; documents are never written."""
        if key in self._texts:
            return
        if self._publish is None:
            await self._store.set(self._full(key), value)
        else:
            await self._call(self._publish, key, value.to_bytes())

    async def delete(self, key: str) -> None:
        """Deletes chunks."""
        if self._publish is None:
            await self._store.delete(self._full(key))
        else:
            await self._call(self._publish, key, None)

    async def _call(
        self, publish: Publish, key: str, content: bytes | None
    ) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._publisher, publish, key, content)

    async def list(self) -> AsyncIterator[str]:
        """Keys of the store."""
        async for key in self._store.list_prefix(self._root):
            yield self._relative(key)

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Keys of the store."""
        async for key in self._store.list_prefix(self._full(prefix)):
            yield self._relative(key)

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Names in the store."""
        async for name in self._store.list_dir(self._full(prefix)):
            yield name
