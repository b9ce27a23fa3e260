"""Documents of nodes that a run has begun, and not ended.

The document is the planned one. The codecs of an array begin with one that
nobody knows, so no reader opens it; a group has an attribute. Both tell the
name of the run, and the document that the run itself sees.
"""

from __future__ import annotations

import json
from typing import Any

_MARK = "rechunk.unfinished"


def unfinished(planned: str, name: str, shown: str | None) -> str:
    """The document of a node that is planned so, in a run of this name."""
    told = {"run": name, "document": shown}
    document = json.loads(planned)
    if document["node_type"] == "group":
        document["attributes"] = {_MARK: told}
    else:
        codec = {"name": _MARK, "configuration": told}
        document["codecs"] = [codec, *document["codecs"]]
    return json.dumps(document)


def _told(stored: bytes) -> dict[str, Any] | None:
    """What the document of an unfinished node says of its run."""
    if _MARK.encode() not in stored:
        return None
    document = json.loads(stored)
    told: dict[str, Any] | None = document.get("attributes", {}).get(_MARK)
    for codec in document.get("codecs", [])[:1]:
        told = codec["configuration"] if codec["name"] == _MARK else None
    return told


def is_of(stored: bytes, name: str) -> bool:
    """True if that run has begun the node, and not ended it."""
    told = _told(stored)
    return told is not None and told["run"] == name


def shown_text(stored: bytes, name: str) -> bytes | None:
    """The document that the run itself sees; None if it sees none."""
    told = _told(stored)
    if told is None or told["run"] != name:
        return stored
    shown = told["document"]
    return None if shown is None else str(shown).encode()
