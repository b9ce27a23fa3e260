"""Codecs, from the form of numcodecs to what zarr-python 3 wants."""

from __future__ import annotations

import numcodecs
import zarr.codecs

_SHUFFLES = ("noshuffle", "shuffle", "bitshuffle")


def compressors_of(codec: dict | None, zarr_format: int):
    """The compressor of an array of that format; None for raw bytes."""
    if codec is None:
        return None
    if zarr_format == 2:
        return numcodecs.get_codec(dict(codec))
    if codec["id"] == "zstd":
        return zarr.codecs.ZstdCodec(level=codec["level"])
    return zarr.codecs.BloscCodec(
        cname=codec["cname"],
        clevel=codec["clevel"],
        shuffle=_SHUFFLES[codec["shuffle"]],
    )
