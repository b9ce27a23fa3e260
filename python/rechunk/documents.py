"""Metadata documents: their names, and who takes what is written instead."""

from __future__ import annotations

from collections.abc import Callable

#: Of both formats.
DOCUMENTS = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")

#: Writes the object at a key, or removes it (None).
Publish = Callable[[str, bytes | None], None]
