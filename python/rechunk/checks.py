"""Types of parameters, checked before anything is planned."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any
from zipfile import is_zipfile

from rechunk import _core
from rechunk.errors import InvalidArgumentError, UnsupportedError

_MOST_THREADS = 1 << 16
# Files that the native part opens as stores.
ZIP_NAMES = (".zip", ".ozx")
_ARCHIVES = (*ZIP_NAMES, ".json")


def check_flags(**flags: Any) -> None:
    """True or False, or numpy's; None stands for False."""
    for name, value in flags.items():
        if value is None or type(value).__name__ in ("bool", "bool_"):
            continue
        raise InvalidArgumentError(
            f"{name}: {value!r} is neither True nor False"
        )


def check_mappings(**mappings: Any) -> None:
    """Dicts, or None."""
    for name, value in mappings.items():
        if value is not None and not isinstance(value, Mapping):
            raise InvalidArgumentError(
                f"{name}: a {type(value).__qualname__} is no dict"
            )


def thread_count(threads: Any) -> int:
    """0 for None: one per core."""
    if threads is None:
        return 0
    if not _is_integer(threads) or not 1 <= threads <= _MOST_THREADS:
        raise InvalidArgumentError(
            f"threads: {threads!r} is no number of threads",
            "give a positive integer, or None for one per core",
        )
    return int(threads)


def format_number(zarr_format: Any) -> int:
    """0 for None: as the source."""
    if zarr_format is None:
        return 0
    if not _is_integer(zarr_format) or zarr_format not in (2, 3):
        raise InvalidArgumentError(
            f"zarr_format: {zarr_format!r} is no format of Zarr",
            "give 2, 3, or None for that of the source",
        )
    return int(zarr_format)


def calibrates(calibrate: Any, here: bool) -> bool | None:
    """None: if the job takes long. here: this process runs the plan."""
    words = {"auto": None if here else False, "on": True, "off": False}
    if not isinstance(calibrate, str) or calibrate not in words:
        raise InvalidArgumentError(
            f"calibrate: {calibrate!r} is none of 'auto', 'on' and 'off'"
        )
    return words[calibrate]


def writes_nan_as_text(nan_attributes: Any) -> bool:
    """True for "text"."""
    if not isinstance(nan_attributes, str) or nan_attributes not in (
        "keep",
        "text",
    ):
        raise InvalidArgumentError(
            f"nan_attributes: {nan_attributes!r} is neither 'keep' nor 'text'"
        )
    return nan_attributes == "text"


def memory_bytes(max_mem: Any) -> int:
    """0 for None: half of what there is."""
    if max_mem is None:
        return 0
    if isinstance(max_mem, str):
        size: Any = _core.parse_byte_size(max_mem)
    else:
        size = max_mem
    is_number = _is_integer(size) or (
        isinstance(size, float) and math.isfinite(size)
    )
    if not is_number or not 1 <= size < 1 << 62:
        raise InvalidArgumentError(
            f"max_mem: {max_mem!r} is no amount of memory",
            'give bytes, or text such as "2GiB"',
        )
    return int(size)


def local_path(place: str, what: str) -> str:
    """The path of a folder, or of one to be made; URLs of files are paths.
    Other URLs stay as they are.

    Raises InvalidArgumentError, UnsupportedError for URLs that the native part
    has no store for.
    """
    if place.startswith("file:/") and not place.startswith("file://"):
        place = f"file://{place.removeprefix('file:')}"
    path = _core.file_path(place)
    if not path:
        raise InvalidArgumentError(f"{what}: the path is empty")
    if "://" in path:
        scheme = path.partition("://")[0]
        if path == place and _core.has_store(path):
            return path  # The native part knows what may stand there.
        raise UnsupportedError(
            f"{what} {path}: rechunk has no store for {scheme}://",
            "give a store of zarr-python instead of the text, such as "
            "zarr.storage.FsspecStore.from_url(...)",
        )
    above = os.path.abspath(path)
    while not os.path.lexists(above):
        above = os.path.dirname(above)
    if above == os.path.abspath(path) or (
        what == "source" and above.endswith(_ARCHIVES)
    ):
        return path  # The native part says which file it is.
    if os.path.exists(above) and not os.path.isdir(above):
        _refuse_file(path, above, what)
    return path


def place_texts(places: Any) -> list[str]:
    """One place or several, as texts."""
    if isinstance(places, (str, os.PathLike)):
        places = [places]
    if not isinstance(places, (list, tuple)) or not all(
        isinstance(place, (str, os.PathLike)) for place in places
    ):
        raise InvalidArgumentError(
            f"references_below: {places!r} is no place", "give paths or URLs"
        )
    return [
        local_path(os.fspath(place), "references_below") for place in places
    ]


def _refuse_file(path: str, file: str, what: str) -> None:
    if not is_zipfile(file):
        raise InvalidArgumentError(
            f"{what} {path}: {file} is a file", "give the path of a folder"
        )
    raise InvalidArgumentError(
        f"{what} {path}: {file} is a zip file",
        "give the path of a folder, and zip it afterwards",
    )


def _is_integer(value: Any) -> bool:
    # An array of one integer has `__index__`, too.
    return hasattr(value, "__index__") and type(value).__name__ not in (
        "bool",
        "bool_",
        "ndarray",
    )
