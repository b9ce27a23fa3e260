"""Places that a run reads and places that it writes must not overlap."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from rechunk.errors import InvalidArgumentError
from rechunk.lazy import Found, places_read
from rechunk.source import Source
from rechunk.stores import StoreAdapter

Place = str | StoreAdapter


def check_apart(
    source: Any, described: Source, target: Place, temp: Place | None
) -> None:
    """Raises InvalidArgumentError if the run would write where it reads.

    Looks into lazy sources. What is found there is read while the target is
    written, and with `overwrite` after the target was emptied.
    """
    found = list(_read(source, described))
    for place, name in ((target, "target"), (temp, "temp_store")):
        if place is None:
            continue
        for one in found:
            how = _overlap(one, place)
            if how:
                raise InvalidArgumentError(
                    f"source and {name} {how}: the source reads "
                    f"{_text(one.place)}, and the {name} is {_text(place)}",
                    f"choose a {name} elsewhere"
                    + ("" if described.is_stored else ", or load the source"),
                )
    if temp is not None:
        how = _overlap(Found(temp, exact=False), target)
        if how:
            raise InvalidArgumentError(
                f"target and temp_store {how}: {_text(target)} and "
                f"{_text(temp)}",
                "choose a temp_store beside the target",
            )


def _read(source: Any, described: Source) -> Iterable[Found]:
    if described.is_stored:
        place = described.url or described.stores["source"]
        yield Found(place, exact=True)
        return
    lazy = [
        array
        for like in described.stores["array_sources"].values()
        if not type(array := like.array).__module__.startswith("numpy")
    ]
    yield from places_read(lazy)
    # xarray notes here from where a dataset was opened.
    where = getattr(source, "encoding", {}).get("source")
    if lazy and isinstance(where, (str, os.PathLike)):
        yield Found(os.fspath(where), exact=False)


def _overlap(read: Found, written: Place) -> str:
    """How they overlap; "" if they do not."""
    one, other = _parts(read.place), _parts(written)
    if one is None or other is None or one[0] != other[0]:
        return ""
    if one[1] == other[1]:
        return "are the same place"
    shorter = min(len(one[1]), len(other[1]))
    if one[1][:shorter] != other[1][:shorter]:
        return ""
    # Below a whole store there may be much that is not read.
    if len(one[1]) < len(other[1]) and not read.exact:
        return ""
    return "lie within each other"


def _parts(place: Place) -> tuple[Any, list[str]] | None:
    """Something equal for equal stores, and the path in it."""
    if isinstance(place, StoreAdapter):
        kind, path = place.identity()
        return kind, [part for part in path.split("/") if part]
    text = place.removeprefix("file://")
    if "://" in text or "\0" in text:
        return None
    return None, [part for part in os.path.realpath(text).split("/") if part]


def _text(place: Place) -> str:
    return place if isinstance(place, str) else place.describe("")
