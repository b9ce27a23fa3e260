"""The examples of the pages on Python run as they stand there."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

import rechunk

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ROOT / "docs" / "guides"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def run_page(page: Path, folder: Path) -> None:
    """Run all blocks of a page as one script, as its reader would."""
    text = page.read_text()
    blocks = list(BLOCK.finditer(text))
    assert blocks, f"{page} has no example"
    script = ""
    for block in blocks:  # Lines have the numbers that they have on the page.
        missing = text.count("\n", 0, block.start(1)) - script.count("\n")
        script += "\n" * missing + block[1]
    (folder / "page.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "page.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, f"{page}: {done.stderr}"


@pytest.mark.parametrize(
    "name",
    [
        "python.md",
        "own-executor.md",
        "from-rechunker.md",
        "resume.md",
        "existing.md",
        "icechunk.md",
    ],
)
def test_the_examples_of_a_guide_run(name: str, tmp_path: Path) -> None:
    """Each page stands on its own, and asserts what it says."""
    run_page(GUIDES / name, tmp_path)


def test_the_example_of_the_readme_runs(tmp_path: Path) -> None:
    """With sources as they are named there."""
    source = zarr.create_array(
        tmp_path / "by-map.zarr",
        data=np.arange(96000, dtype="f4").reshape(24, 50, 80),
        chunks=(1, 50, 80),
        dimension_names=("time", "lat", "lon"),
    )
    maps = xr.Dataset({"t": (("time", "lat", "lon"), source[...])})
    maps.to_netcdf(tmp_path / "maps.nc")
    run_page(ROOT / "README.md", tmp_path)
    target = zarr.open_array(tmp_path / "by-place.zarr", mode="r")
    assert target.chunks == (24, 10, 10)
    assert (target[...] == source[...]).all()
    series = xr.open_zarr(tmp_path / "series.zarr")
    xr.testing.assert_equal(series.load(), maps)
    assert series["t"].encoding["chunks"] == (24, 10, 10)


def test_executors_of_the_guide_are_short() -> None:
    """At most thirty lines each."""
    text = (GUIDES / "own-executor.md").read_text()
    classes = re.findall(r"^class .*?(?=\n\n\n|^```)", text, re.M | re.S)
    assert len(classes) == 2
    assert all(len(code.splitlines()) <= 30 for code in classes)


def test_the_guide_for_users_of_rechunker_names_every_parameter() -> None:
    """Of theirs, which are positional here."""
    text = (GUIDES / "from-rechunker.md").read_text()
    parameters = inspect.signature(rechunk.rechunk).parameters.values()
    theirs = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    assert len(theirs) == 9
    for name in (*theirs, "compressor", "filters", "order", "cache_attrs"):
        assert f"`{name}`" in text, name


def test_the_guide_names_every_keyword_error_and_executor() -> None:
    """Those of the package."""
    text = (GUIDES / "python.md").read_text()
    keywords = inspect.signature(rechunk.rechunk).parameters
    errors = [
        name
        for name, value in vars(rechunk.errors).items()
        if isinstance(value, type) and value.__module__ == "rechunk.errors"
    ]
    for name in (*errors, "threads", "python", "dask", "beam", "prefect"):
        assert name in text, name
    for name in set(keywords) - {"source", "temp_options"}:
        assert name in text, name


def test_links_between_pages_lead_somewhere() -> None:
    """Relative ones, in all pages."""
    pages = [*ROOT.glob("*.md"), *GUIDES.glob("*.md")]
    for page in pages:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
