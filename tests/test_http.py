"""Web servers as sources: nginx with folders that zarr-python wrote."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import Rechunk
from servers import HttpServer, serve_http

RNG = np.random.default_rng(5)
FIELD = RNG.random((61, 43)).astype("f4")
COUNTS = RNG.integers(0, 9, 1000, "i2")


def write_group(path: Path, zarr_format: int) -> None:
    """Two arrays, one with a missing chunk, and consolidated metadata."""
    root = zarr.create_group(path, zarr_format=zarr_format)
    root.attrs["title"] = "random"
    root.create_array("field", data=FIELD, chunks=(7, 43))
    below = root.create_group("below")
    counts = below.create_array(
        "counts", shape=1000, dtype="i2", chunks=100, fill_value=5
    )
    counts[:250] = COUNTS[:250]
    zarr.consolidate_metadata(path, zarr_format=zarr_format)


def check_group(path: Path) -> None:
    """Compare with what was written."""
    root = zarr.open_group(path, mode="r", use_consolidated=False)
    assert root.attrs["title"] == "random"
    np.testing.assert_array_equal(root["field"][:], FIELD)
    counts = np.full(1000, 5, "i2")
    counts[:250] = COUNTS[:250]
    np.testing.assert_array_equal(root["below/counts"][:], counts)


@pytest.fixture
def place(http_server: HttpServer, tmp_path: Path) -> Iterator[Path]:
    """Return a folder of the server, of this test alone."""
    folder = http_server.folder / tmp_path.name
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def url_of(server: HttpServer, path: Path) -> str:
    """Return where the server has a path."""
    return f"{server.url}/{path.relative_to(server.folder)}"


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_group_is_found_by_its_consolidated_metadata(
    rechunk: Rechunk,
    http_server: HttpServer,
    place: Path,
    tmp_path: Path,
    zarr_format: int,
) -> None:
    """And verified; the report says what a server cannot."""
    write_group(place / "a b.zarr", zarr_format)
    (place / "a b.zarr" / "README").write_text("no Zarr")
    source, target = url_of(http_server, place / "a b.zarr"), tmp_path / "b"
    words = ("--array", "field:20,5", "--array", "below/counts:333")
    done = rechunk.ok("run", source, target, *words, "--verify")
    check_group(target)
    assert "does not say what it has" in done.stderr
    assert not (target / "README").exists()
    rechunk.ok("verify", source.replace(" ", "%20"), target)


def test_arrays_and_archives_need_no_listing(
    rechunk: Rechunk, http_server: HttpServer, place: Path, tmp_path: Path
) -> None:
    """An array by its own URL, and a zip archive, which lists itself."""
    write_group(tmp_path / "a", 3)
    shutil.copytree(tmp_path / "a" / "field", place / "field")
    shutil.make_archive(str(place / "a"), "zip", tmp_path / "a")
    field = url_of(http_server, place / "field")
    rechunk.ok("run", field, tmp_path / "f", "--chunks", "9,9", "--verify")
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "f")[:], FIELD)
    archive = url_of(http_server, place / "a.zip")
    rechunk.ok("run", archive, tmp_path / "z", "--array", "field:9,9")
    check_group(tmp_path / "z")


def test_names_in_consolidated_metadata_are_not_believed(
    rechunk: Rechunk, http_server: HttpServer, place: Path, tmp_path: Path
) -> None:
    """Documents are read themselves; names that leave the place are refused."""
    write_group(place / "a", 3)
    root = place / "a" / "zarr.json"
    text = root.read_text()
    assert text.count('"below/counts": {') == 1
    root.write_text(text.replace('"below/counts": {', '"gone": {'))
    a = url_of(http_server, place / "a")
    result = rechunk.fails("run", a, tmp_path / "b", "--array", "field:9,9")
    assert "names gone/zarr.json, which is not there" in result.stderr
    root.write_text(text.replace('"below/counts": {', '"../secret": {'))
    result = rechunk.fails("info", a)
    assert "leaves the store" in result.stderr


def test_what_cannot_be_opened_is_said(
    rechunk: Rechunk, http_server: HttpServer, place: Path, tmp_path: Path
) -> None:
    """No consolidated metadata, nothing there, no target, no secret shown."""
    zarr.create_group(place / "a").create_array("x", data=FIELD)
    a = url_of(http_server, place / "a")
    for source in (f"{a}/none", a):
        result = rechunk.fails("info", source)
        assert "consolidated metadata" in result.stderr, str(result)
    write_group(tmp_path / "c", 3)
    result = rechunk.fails("run", tmp_path / "c/field", a, "--chunks", "9,9")
    assert "http://" in result.stderr
    hidden = a.replace("http://", "http://me:hidden@")
    words = (hidden, tmp_path / "b", "--chunks", "9,9")
    result = rechunk.fails("run", *words)
    assert "hidden" not in result.stderr + result.stdout, str(result)
    assert "username" in result.stderr


def test_a_server_asks_who_reads(rechunk: Rechunk, tmp_path: Path) -> None:
    """Basic authorization; the plan does not keep the password."""
    folder, work = tmp_path / "www", tmp_path / "nginx"
    folder.mkdir()
    work.mkdir()
    write_group(folder / "a", 3)
    (work / "users").write_text("me:{PLAIN}hidden word\n")
    more = f'auth_basic "who"; auth_basic_user_file "{work / "users"}";'
    with serve_http(folder, work, more) as server:
        source = f"{server.url}/a"
        plan = tmp_path / "plan.json"
        words = ("--array", "field:9,9", "--save", plan)
        result = rechunk.fails("plan", source, tmp_path / "b", *words)
        assert "401" in result.stderr
        assert "bearer_token" in result.stderr
        who = ("username=me", "password=hidden word")
        keys = [word for one in who for word in ("--source-storage", one)]
        rechunk.ok("plan", source, tmp_path / "b", *words, *keys)
        coded = base64.b64encode(b"me:hidden word").decode()
        assert "hidden" not in plan.read_text()
        assert coded not in plan.read_text()
        rechunk.ok("run", source, tmp_path / "b", *words[:2], *keys)
        check_group(tmp_path / "b")
