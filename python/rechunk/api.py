"""The call `rechunk(...)`."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from rechunk import _core
from rechunk.apart import check_apart
from rechunk.checks import (
    calibrates,
    check_flags,
    check_mappings,
    format_number,
    memory_bytes,
    place_texts,
    thread_count,
    writes_nan_as_text,
)
from rechunk.chunks import ChunkOptions, chunk_text, group_chunks
from rechunk.executor import Executor
from rechunk.executors import get_executor
from rechunk.existing import append_text, check_kept, region_text
from rechunk.options import codec_text, encoding_of, target_layout
from rechunk.plan import Plan
from rechunk.rechunked import Rechunked
from rechunk.sessions import (
    SessionAdapter,
    add_places,
    check_session,
    name_run,
)
from rechunk.source import Source, kind_of
from rechunk.sources import as_source
from rechunk.stores import StoreAdapter
from rechunk.targets import Target, as_place, as_target
from rechunk.urls import storage_texts


def rechunk(
    source: Any,
    target_chunks: Any,
    max_mem: int | float | str | None,
    target_store: Any,
    target_options: Mapping[str, Any] | None = None,
    temp_store: Any = None,
    temp_options: Mapping[str, Any] | None = None,
    executor: str | Executor[Any] = "threads",
    array_name: str | None = None,
    *,
    shards: Any = None,
    codec: Any = None,
    zarr_format: int | None = None,
    consolidate: bool | None = None,
    write_empty_chunks: bool = False,
    nan_attributes: str = "keep",
    threads: int | None = None,
    overwrite: bool = False,
    overwrite_in_place: bool = False,
    verify: bool = False,
    keep_temp: bool = False,
    durable: bool = False,
    strict: bool = False,
    without_files: bool = False,
    calibrate: str = "auto",
    region: Any = None,
    append: str | int | None = None,
    references_below: str | os.PathLike[str] | Sequence[str] = (),
    storage_options: Mapping[str, Any] | None = None,
    target_storage_options: Mapping[str, Any] | None = None,
    temp_storage_options: Mapping[str, Any] | None = None,
) -> Rechunked[Any]:
    """Plans a rechunk. `execute()` of the result runs it.

    source: a path or URL; a zarr Array or Group; an xarray Dataset; a dask
        array; anything with shape, dtype and slicing.
    target_chunks: for an array a tuple of lengths, a dict by dimension (name or
        number), -1 for the whole axis, None for the source's chunk, "auto" or
        "auto:100MB". For a group or dataset a dict by array of these, or one
        dict by dimension for all arrays. Arrays that are not named are copied.
    max_mem: memory for data in each process: bytes, or text like "2GiB"; None:
        half of the memory of the machine or its cgroup.
    target_store: a path or URL, a zarr store, or a zarr Group. In a Group the
        array is written under `array_name`.
    target_options: rechunker's names for keywords: compressor, overwrite,
        write_empty_chunks. For groups and datasets, a dict of these by array;
        for datasets it may be an xarray encoding.
    temp_store: the place for intermediates; by default a hidden folder beside
        the target. They are removed when they are no longer needed.
        temp_options has no effect: intermediates are packed.
    executor: "threads" (native), "python", "dask", "beam", "prefect", one that
        a package registers, or an Executor.
    overwrite: replaces a target that exists. On a local disk the old one stays
        readable until the new one is complete. Other stores are erased first.
    overwrite_in_place: replaces a target, too, but always erases the old one
        first: for links, mount points, and disks without room for both.
    shards, codec, zarr_format, consolidate, write_empty_chunks, threads,
    verify, keep_temp, durable, strict, without_files: as on the command line.
        If an array keeps its chunks, or a reader may see other values
        afterwards, you get a RechunkWarning, and the report says so;
        strict=True makes it an error.
    nan_attributes: "keep" copies NaN and Infinity in attributes; "text" writes
        them as strings, because strict readers of v3 refuse them.
    calibrate: "on" measures, before planning, what codecs cost on some of the
        source's chunks, and the disk of the intermediates; "off" makes the
        same plan every time. "auto" is "on" for executor "threads" if the job
        should take longer than ten seconds, else "off".

    region: writes into a part of a target that exists: "all", "time=0:8760",
        or a dict by dimension of slices or (start, stop). The part begins and
        ends on boundaries of the target's chunks or shards. The target keeps
        its layout, so target_chunks must be None. The source has the shape of
        the part, or of the whole target.
    append: writes the source after the end of a target that exists, along
        this dimension. target_chunks must be None.
    references_below: where kerchunk's references may lead, too.
    storage_options, target_storage_options, temp_storage_options: how to reach
        places that are given as URLs: region, endpoint_url, profile, anon, ...,
        as obstore and fsspec call them. storage_options count for all places,
        the others for one. The environment counts, too.

    Nothing is written before the plan is executed. `execute()` resumes an
    unfinished run of the same work.

    Raises RechunkError: InvalidArgumentError (a ValueError), NotFoundError,
    UnsupportedError, BudgetExceededError (names the smallest budget).
    """
    engine = get_executor(executor)
    storage = {
        "all": storage_texts(storage_options, "storage_options"),
        "target": storage_texts(
            target_storage_options, "target_storage_options"
        ),
        "temp": storage_texts(temp_storage_options, "temp_storage_options"),
    }
    flags = {
        "write_empty_chunks": write_empty_chunks,
        "overwrite": overwrite,
        "overwrite_in_place": overwrite_in_place,
        "verify": verify,
        "keep_temp": keep_temp,
        "durable": durable,
        "strict": strict,
        "without_files": without_files,
    }
    check_flags(**flags, consolidate=consolidate)
    check_mappings(target_options=target_options, temp_options=temp_options)
    zarr_format = format_number(zarr_format) or None
    options: dict[str, Any] = {
        **{name: bool(value) for name, value in flags.items()},
        "max_memory": memory_bytes(max_mem),
        "threads": thread_count(threads),
        "codec": "" if codec is None else codec_text(codec),
        "shards": _shards_text(shards),
        "calibrate": calibrates(calibrate, engine.leads),
        "nan_attributes_as_text": writes_nan_as_text(nan_attributes),
    }
    if consolidate is not None:
        options["consolidate"] = bool(consolidate)
    into = {"region": region_text(region), "append": append_text(append)}
    options.update(into)
    below = options["references_below"] = place_texts(references_below)
    if any(into.values()):
        check_kept(
            target_chunks=target_chunks,
            target_options=target_options,
            shards=shards,
            codec=codec,
            zarr_format=zarr_format,
            consolidate=consolidate,
            overwrite=overwrite,
            overwrite_in_place=overwrite_in_place,
            nan_attributes=nan_attributes == "text" and nan_attributes,
        )
        return _into_existing(
            source,
            target_store,
            array_name,
            temp_store,
            options,
            engine,
            storage,
        )
    is_dataset = kind_of(source) == "xarray.Dataset"
    encoding = encoding_of(target_options) if is_dataset else None
    described = as_source(source, encoding, zarr_format, below, storage)
    target = as_target(target_store, array_name, described.is_array)
    chunks = _chunk_options(target_chunks, described)
    options["chunks"] = chunks.chunks
    options["array_chunks"] = chunks.array_chunks
    options["zarr_format"] = zarr_format or 0
    if isinstance(target.place, SessionAdapter):
        check_session(zarr_format=zarr_format, consolidate=consolidate)
        options.update(zarr_format=3, consolidate=False)
    options.update(target_layout(target_options, described))
    options["overwrite_in_place"] |= target.may_replace
    return _planned(
        engine, source, described, target, temp_store, options, storage
    )


def _into_existing(
    source: Any,
    target_store: Any,
    array_name: str | None,
    temp_store: Any,
    options: dict[str, Any],
    engine: Executor[Any],
    storage: Mapping[str, Mapping[str, str]],
) -> Rechunked[Any]:
    """A plan that leaves the layout to the target."""
    if kind_of(source) == "xarray.Dataset":
        place = as_place(target_store, "target_store")
        from rechunk.datasets import dataset_like

        described = dataset_like(source, place)
    else:
        described = as_source(
            source, below=options["references_below"], storage=storage
        )
    target = as_target(target_store, array_name, described.is_array)
    options["chunks"] = options["shards"] = options["codec"] = ""
    return _planned(
        engine, source, described, target, temp_store, options, storage
    )


def _planned(
    engine: Executor[Any],
    source: Any,
    described: Source,
    target: Target,
    temp_store: Any,
    options: dict[str, Any],
    storage: Mapping[str, Mapping[str, str]],
) -> Rechunked[Any]:
    stores = {**described.stores, **target.stores}
    session = target.place if isinstance(target.place, SessionAdapter) else None
    if session is None:
        temp = _add_temp(temp_store, options, stores)
    else:
        where = os.getcwd() if temp_store is None else temp_store
        temp = add_places(session, as_place(where, "temp_store"), stores)
    check_apart(source, described, target.place, temp)
    if not options["region"] and not options["append"]:
        options["notes"] = _notes_of(described)
    if session is not None:
        options["token"] = name_run(session, stores, storage)
    elif stores:
        options["token"] = _token(stores)
    if any(storage.values()):
        stores["storage"] = storage
        target.storage = {**storage["all"], **storage["target"]}
    job = _core.Job(described.url, target.url, options, stores)
    if not job.adopt_unfinished():
        if session is not None:
            session.forget_others(json.loads(job.status())["state"])
        job.check_target()
    kept = {
        name: place for name, place in stores.items() if name != "documents"
    }
    plan = Plan(job, kept)
    if session is not None:
        session.expect(plan.documents, plan.grown_shapes)
    return Rechunked(engine, plan, source, target)


def _notes_of(source: Source) -> list[tuple[str, str]]:
    """Kind and text: attributes of a foreign array that Zarr cannot have."""
    if not source.left_out:
        return []
    names = ", ".join(source.left_out)
    text = f"attributes that Zarr cannot have are left out: {names}"
    return [("attributes", text)]


def _token(stores: Mapping[str, Any]) -> str:
    """Tells jobs apart whose stores have no URL.

    The same in another process where all places are stores that outlive this
    one, and say what they are.
    """
    if set(stores) <= {"source", "target", "temp", "journal"} and all(
        place.is_lasting for place in stores.values()
    ):
        return " ".join(
            f"{name}={place.describe('')}" for name, place in stores.items()
        )
    return uuid.uuid4().hex


def _shards_text(shards: Any) -> str:
    if shards is False:
        return "none"
    return chunk_text(shards, "shards")


def _chunk_options(target_chunks: Any, source: Source) -> ChunkOptions:
    if source.is_array:
        (shape,) = source.shapes.values()
        return ChunkOptions(chunk_text(target_chunks, shape=shape))
    asked = group_chunks(target_chunks, source)
    if not asked.chunks:
        named = {name for name, _ in asked.array_chunks}
        asked.array_chunks += [
            (name, chunk_text(chunks))
            for name, chunks in source.default_chunks.items()
            if name not in named
        ]
    return asked


def _add_temp(
    temp_store: Any, options: dict[str, Any], stores: dict[str, Any]
) -> str | StoreAdapter | None:
    """A folder for temporary data there; None: beside the target."""
    if temp_store is None:
        return None
    place = as_place(temp_store, "temp_store")
    if isinstance(place, str):
        options["temp"] = place
        stores.pop("temp", None)
        return os.path.join(place, ".rechunk-temp")
    below = place.at("rechunk-temp")
    stores["temp"] = below
    return below
