"""How Python spells the options that the native part's texts name."""

from __future__ import annotations

import json

# Options that are called otherwise here. Others keep their name.
_KEYWORDS = {
    "max_memory": "max_mem",
    "chunks": "target_chunks",
    "temp": "temp_store",
}
# By option and value, where a keyword takes another value.
_SETTINGS = {
    ("nan_attributes_as_text", "true"): 'nan_attributes="text"',
    ("calibrate", "true"): 'calibrate="on"',
    ("shards", "none"): "shards=False",
}
# Options of single arrays: "target_chunks of NAME".
_PER_ARRAY = {
    "array_chunks": "target_chunks",
    "array_codecs": "target_options",
    "array_shards": "shards",
}
# What users of the package do instead of a command; others are commands here,
# too, because the package brings the command.
_ACTIONS = {
    # A new call plans the same only if all its places are paths or stores.
    "resume": "`execute()` of the same plan",
    "run": "the call",
    "plan": "`rechunk()`",
    "save": "`rechunk()`",
    "task": "`execute()`",
}

CHUNK_FORMS = (
    "a tuple of lengths, a dict by dimension, -1, None, 'all' and 'auto:100MB'"
)
_FORMS = {"chunks": CHUNK_FORMS}


def spell(kind: str, name: str, value: str) -> str:
    """One mention of a text: an "option", an "action" or "forms" of values."""
    if kind == "forms":
        return _FORMS.get(name, value)
    if kind == "action":
        command = f"`rechunk {name} {value}".rstrip() + "`"
        return _ACTIONS.get(name, command)
    if name in _PER_ARRAY:
        return f"{_PER_ARRAY[name]} of {value}"
    keyword = _SETTINGS.get((name, value))
    if keyword is not None:
        return keyword
    return f"{_KEYWORDS.get(name, name)}{_assigned(value)}"


def _assigned(value: str) -> str:
    if not value:
        return ""
    if value == "true":
        return "=True"
    return f"={value if value.isdigit() else json.dumps(value)}"
