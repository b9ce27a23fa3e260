"""zarr-python on the machine's own zstd and blosc, which rechunk is linked to.

Releases of zstd after that of Debian 12 refuse a stream of bits that is not
read to its end; those in the wheel of numcodecs are newer.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numcodecs.blosc
import numcodecs.zstd

# More than any chunk of these tests has.
MOST_BYTES = 1 << 20


@functools.cache
def _function(library: str, name: str) -> Any:
    function = getattr(ctypes.CDLL(library), name)
    function.restype = ctypes.c_size_t
    return function


def _zstd(data: bytes) -> bytes:
    decoded = ctypes.create_string_buffer(MOST_BYTES)
    size = _function("libzstd.so.1", "ZSTD_decompress")(
        decoded, ctypes.c_size_t(MOST_BYTES), data, ctypes.c_size_t(len(data))
    )
    if size > MOST_BYTES:  # Error codes are the largest numbers.
        raise ValueError(f"zstd refuses it: {ctypes.c_ssize_t(size).value}")
    return decoded.raw[:size]


def _blosc(data: bytes) -> bytes:
    decoded = ctypes.create_string_buffer(MOST_BYTES)
    arguments = (data, decoded, ctypes.c_size_t(MOST_BYTES), ctypes.c_int(1))
    function = _function("libblosc.so.1", "blosc_decompress_ctx")
    size = ctypes.c_int(function(*arguments)).value
    if size < 0:
        raise ValueError(f"blosc refuses it: {size}")
    return decoded.raw[:size]


@contextlib.contextmanager
def system_codecs() -> Iterator[None]:
    """numcodecs, and so zarr-python, decodes zstd and blosc with them."""

    def decoder(function: Any) -> Any:
        def decode(self: Any, data: Any, out: Any = None) -> Any:
            return function(bytes(data))

        return decode

    with (
        mock.patch.object(numcodecs.zstd.Zstd, "decode", decoder(_zstd)),
        mock.patch.object(numcodecs.blosc.Blosc, "decode", decoder(_blosc)),
    ):
        yield
