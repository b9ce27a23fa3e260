"""A source in the core's terms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rechunk.stores import StoreAdapter


@dataclass
class Source:
    """A source in the core's terms, and what is known of it."""

    url: str = ""
    stores: dict[str, Any] = field(default_factory=dict)
    is_array: bool = False
    arrays: list[str] = field(default_factory=list)
    dimensions: list[str] = field(default_factory=list)
    # Of arrays that are not named, where they are not the source's.
    default_chunks: dict[str, tuple[int, ...]] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    is_dataset: bool = False  # Of xarray.
    left_out: list[str] = field(default_factory=list)  # Attributes.

    @property
    def is_stored(self) -> bool:
        """True for Zarr data, which is read without Python's help."""
        return "array_sources" not in self.stores

    @classmethod
    def at(cls, place: str | StoreAdapter) -> Source:
        """A Zarr array or group at a place."""
        if isinstance(place, str):
            return cls(url=place)
        return cls(stores={"source": place})


def kind_of(source: Any) -> str:
    """Library and class, such as "xarray.Dataset": others have a Dataset."""
    kind = type(source)
    return f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
