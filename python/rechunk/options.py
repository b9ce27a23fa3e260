"""rechunker's `target_options`, in the core's terms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rechunk.checks import check_flags, check_mappings
from rechunk.errors import InvalidArgumentError
from rechunk.source import Source

_KNOWN = (
    "compressor",
    "filters",
    "order",
    "cache_metadata",
    "cache_attrs",
    "overwrite",
    "write_empty_chunks",
)


# For a dataset these are not a part of xarray's encoding. rechunk does what
# they ask.
_NO_ENCODING = ("compressor", "compressors", *_KNOWN[3:])


def encoding_of(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """What of a dataset's `target_options` is for xarray, by variable."""
    for name, own in (options or {}).items():
        if isinstance(own, Mapping):
            continue
        check_mappings(**{f"target_options of {name!r}": own})
    return {
        name: {k: v for k, v in (own or {}).items() if k not in _NO_ENCODING}
        for name, own in (options or {}).items()
    }


def _without_encoding(options: Mapping[str, Any] | None) -> dict[str, Any]:
    own = {k: v for k, v in (options or {}).items() if k in _NO_ENCODING}
    if "compressors" in own:
        own["compressor"] = own.pop("compressors")
    return own


def target_layout(
    options: Mapping[str, Any] | None, source: Source
) -> dict[str, Any]:
    """Members of the core's options that `target_options` sets."""
    if not options:
        return {}
    if source.is_array:
        return _of_array(options, "", "target_options")
    merged: dict[str, Any] = {"array_codecs": []}
    for name, own in options.items():
        if name not in source.arrays:
            raise InvalidArgumentError(
                f"target_options: the source has no array {name!r}",
                f"its arrays are {', '.join(source.arrays)}",
            )
        if source.is_dataset:
            own = _without_encoding(own)
        layout = _of_array(own, name, f"target_options of {name!r}")
        merged["array_codecs"] += layout.pop("array_codecs", [])
        merged.update(layout)
    return merged


def _of_array(
    options: Mapping[str, Any], name: str, what: str
) -> dict[str, Any]:
    check_mappings(**{what: options})
    for key in options:
        if key not in _KNOWN:
            raise InvalidArgumentError(
                f"{what}: there is no option {key!r}",
                f"there are {', '.join(_KNOWN)}",
            )
    for key in ("filters", "order"):
        if options.get(key) not in (None, "C", [], ()):
            raise InvalidArgumentError(
                f"{what}: {key} of the target cannot be changed",
                "it is kept from the source",
            )
    layout: dict[str, Any] = {}
    if "compressor" in options:
        layout["array_codecs"] = [(name, codec_text(options["compressor"]))]
    for key in ("overwrite", "write_empty_chunks"):
        check_flags(**{f"{what}: {key}": options.get(key)})
        if options.get(key):
            layout[key] = True
    return layout


def codec_text(codec: Any) -> str:
    """A codec of numcodecs or zarr, its config, None, or text of the core."""
    if codec is None:
        return "none"
    if isinstance(codec, str):
        return codec
    if isinstance(codec, (tuple, list)):
        parts = [_codec_json(part) for part in codec]
        return json.dumps(parts, default=_plain) if parts else "none"
    return json.dumps(_codec_json(codec), default=_plain)


def _codec_json(codec: Any) -> Mapping[str, Any]:
    if hasattr(codec, "get_config"):
        codec = codec.get_config()
    elif hasattr(codec, "to_dict"):
        codec = codec.to_dict()
    if not isinstance(codec, Mapping):
        raise InvalidArgumentError(
            f"codec: {codec!r} is no codec",
            "give one of numcodecs or zarr.codecs, or text like 'zstd:3'",
        )
    return codec


def _plain(value: Any) -> Any:
    return getattr(value, "value", None) or str(value)
