"""Places that URLs name, opened for zarr-python."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from rechunk.errors import InvalidArgumentError, UnsupportedError
from rechunk.stores import StoreAdapter

# The names of obstore for what fsspec calls otherwise; None: it has none.
_OBSTORE_NAMES: dict[str, dict[str, str | None]] = {
    "s3": {
        "endpoint_url": "endpoint",
        "anon": "skip_signature",
        "max_requests": None,
    },
    "gs": {
        "endpoint_url": "base_url",
        "endpoint": "base_url",
        "anon": "skip_signature",
        "token": "bearer_token",
        "max_requests": None,
        "project": None,
        "requester_pays": None,
        "user_project": None,
    },
}


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


def _of_environment(scheme: str, storage: Mapping[str, str]) -> dict[str, str]:
    """What obstore does not take from the environment by itself."""
    host = os.environ.get("STORAGE_EMULATOR_HOST", "")
    if scheme != "gs" or not host:
        return {}
    if "://" not in host:
        host = f"http://{host}"
    given = {"base_url": host}
    return given if "token" in storage else given | {"skip_signature": "true"}


def _object_store(url: str, storage: Mapping[str, str]) -> Any:
    from obstore.store import from_url
    from zarr.storage import ObjectStore

    scheme = url.partition("://")[0]
    storage = {**_of_environment(scheme, storage), **storage}
    names = _OBSTORE_NAMES.get(scheme, {})
    config: Any = {
        known: value
        for name, value in storage.items()
        if (known := names.get(name, name)) is not None
    }
    # Endpoints of one's own are often without TLS.
    options: Any = {"allow_http": True}
    return ObjectStore(from_url(url, config=config, client_options=options))
