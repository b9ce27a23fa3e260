"""Places that URLs name, opened for zarr-python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rechunk.errors import InvalidArgumentError, UnsupportedError
from rechunk.stores import StoreAdapter

# The names of obstore for what fsspec calls otherwise.
_OBSTORE_NAMES = {"endpoint_url": "endpoint", "anon": "skip_signature"}


def storage_texts(options: Any, what: str) -> dict[str, str]:
    """Storage options as the native part takes them: names and texts.

    Raises InvalidArgumentError. Values stay out of messages: they may be
    secrets.
    """
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise InvalidArgumentError(
            f"{what}: an object of type {type(options).__qualname__}",
            'give a dict, such as {"region": "eu-central-1"}',
        )
    texts = {}
    for name, value in options.items():
        if isinstance(value, bool):
            value = str(value).lower()
        if not isinstance(name, str) or not isinstance(value, (str, int)):
            raise InvalidArgumentError(
                f"{what}: the value of {name!r} is no text, number or bool",
                "names and values are those of obstore and fsspec",
            )
        texts[name] = str(value)
    return texts


def is_url(place: Any) -> bool:
    """True for the text of a place that is no local path."""
    return (
        isinstance(place, str)
        and "://" in place
        and not place.startswith("file:")
    )


def as_zarr_place(place: Any, storage: Mapping[str, str]) -> Any:
    """A place that zarr-python can open: URLs become stores of obstore, or of
    fsspec if obstore is not installed.

    Raises UnsupportedError if both are missing.
    """
    if not is_url(place):
        return place
    try:
        return StoreAdapter(_object_store(place, storage))
    except ImportError:
        pass
    try:
        from zarr.storage import FsspecStore

        return StoreAdapter(
            FsspecStore.from_url(place, storage_options=dict(storage))
        )
    except ImportError as error:
        raise UnsupportedError(
            f"opening {place} with zarr-python: {error}",
            "install obstore",
        ) from error


def _object_store(url: str, storage: Mapping[str, str]) -> Any:
    from obstore.store import from_url
    from zarr.storage import ObjectStore

    config: Any = {
        _OBSTORE_NAMES.get(name, name): value for name, value in storage.items()
    }
    # Endpoints of one's own are often without TLS.
    options: Any = {"allow_http": True}
    return ObjectStore(from_url(url, config=config, client_options=options))
