"""Arrays of specs: light handles that slice through zarr-python."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rechunk.documents import Publish
from rechunk.errors import UnsupportedError
from rechunk.stores import with_documents

_OPENING = threading.Lock()


def parse_dtype(label: str) -> Any:
    """The numpy type of a plan's `dtype`; the text where numpy has none."""
    try:
        if label.startswith("["):
            return np.dtype([_field(entry) for entry in json.loads(label)])
        return np.dtype(label)
    except (TypeError, ValueError):
        return label


def _field(entry: list[Any]) -> tuple[Any, ...]:
    name, kind, *shape = entry
    if isinstance(kind, list):
        kind = [_field(inner) for inner in kind]
    return (name, kind, *(tuple(part) for part in shape))


@dataclass(frozen=True)
class ZarrArray:
    """An array by its metadata documents, whether or not its store has them.

    `place` is a path, or an adapter of a zarr store (rechunk.stores). Slicing
    opens it through zarr-python.
    """

    place: Any
    path: str
    documents: Mapping[str, str] = field(repr=False)
    shape: tuple[int, ...]
    dtype: Any
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None = None
    write_empty_chunks: bool = False
    #: Takes what is written instead of the store.
    publish: Publish | None = field(default=None, repr=False)

    @classmethod
    def from_documents(
        cls,
        place: Any,
        path: str,
        documents: Mapping[str, str],
        dtype: Any,
        chunks: tuple[int, ...],
        shards: tuple[int, ...] | None,
    ) -> ZarrArray:
        """The array at `path` of documents by key."""
        prefix = f"{path}/" if path else ""
        own = {
            name: documents[prefix + name]
            for name in ("zarr.json", ".zarray", ".zattrs")
            if prefix + name in documents
        }
        node = json.loads(own.get("zarr.json") or own[".zarray"])
        shape = tuple(node["shape"])
        return cls(place, path, own, shape, dtype, chunks, shards)

    @classmethod
    def plain(
        cls,
        place: Any,
        path: str,
        shape: tuple[int, ...],
        dtype: Any,
        chunks: tuple[int, ...],
    ) -> ZarrArray:
        """An array without codecs."""
        if not isinstance(dtype, np.dtype):
            raise UnsupportedError(
                f"staging elements of type {dtype}: numpy has no such type",
                'executor="threads" moves them',
            )
        document = {
            "zarr_format": 2,
            "shape": shape,
            "chunks": chunks,
            "dtype": dtype.descr if dtype.fields else dtype.str,
            "compressor": None,
            "filters": None,
            "fill_value": None,
            "order": "C",
        }
        documents = {".zarray": json.dumps(document)}
        return cls(place, path, documents, shape, dtype, chunks)

    def open(self) -> Any:
        """The zarr.Array; its store need not hold its metadata."""
        import zarr

        store = with_documents(
            self.place, self.path, self.documents, self.publish
        )
        # zarr-python 3.1 ignores the `config` of arrays that it opens; what is
        # set for all arrays must not be set back by another thread too early.
        empty = {"array.write_empty_chunks": self.write_empty_chunks}
        with _OPENING, zarr.config.set(empty):
            return zarr.open_array(
                store,
                path=self.path,
                mode="r+",
                zarr_format=3 if "zarr.json" in self.documents else 2,
            )

    @property
    def stored_dtype(self) -> Any:
        """The type with the byte order that is stored."""
        if ".zarray" not in self.documents:
            return self.dtype
        dtype = json.loads(self.documents[".zarray"])["dtype"]
        return parse_dtype(
            dtype if isinstance(dtype, str) else json.dumps(dtype)
        )

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def __getitem__(self, region: Any) -> Any:
        return self.open()[region]

    def __setitem__(self, region: Any, elements: Any) -> None:
        self.open()[region] = elements
