"""What executors write opens in zarr-python, xarray and TensorStore."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorstore
import xarray as xr

from compare import assert_same_elements
from engines import ENGINES
from rechunk import rechunk

Run = Callable[..., None]
ONE_OF_EACH = ["threads", "dask-threads", "beam", "prefect"]


def make_dataset() -> xr.Dataset:
    """Return fields, one of them packed, with coordinates and gaps."""
    rng = np.random.default_rng(8)
    air = rng.normal(280, 9, (60, 23, 31)).astype("f4")
    air[rng.random(air.shape) < 0.1] = np.nan
    dataset = xr.Dataset(
        {
            "air": (("time", "lat", "lon"), air, {"units": "K"}),
            "rain": (("time", "lat"), rng.random((60, 23))),
            "flag": (("lat", "lon"), rng.random((23, 31)) < 0.5),
        },
        {
            "time": np.datetime64("2001-01-01", "ns")
            + np.arange(60) * np.timedelta64(6, "h"),
            "lat": np.linspace(-11, 11, 23),
            "lon": np.arange(31.0),
            "station": ("lat", np.array([f"s{n}" for n in range(23)])),
            "area": (("lat", "lon"), rng.random((23, 31))),
        },
        {"title": "random weather"},
    )
    dataset["air"].encoding = {
        "dtype": "i2",
        "scale_factor": 0.01,
        "add_offset": 280.0,
        "_FillValue": -32768,
        "chunks": (4, 23, 31),
    }
    return dataset


def assert_tensorstore_agrees(folder: Path, zarr_format: int) -> None:
    """Compare the stored numbers of one variable."""
    import zarr

    array = tensorstore.open(
        {
            "driver": "zarr3" if zarr_format == 3 else "zarr",
            "kvstore": f"file://{folder}/air/",
        }
    ).result()
    assert_same_elements(
        array.read().result(), zarr.open(folder, mode="r")["air"][...]
    )


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("engine", ONE_OF_EACH)
def test_a_store_opens_everywhere(
    run: Run, tmp_path: Path, engine: str, zarr_format: int
) -> None:
    """A Zarr group, rechunked as a path."""
    dataset = make_dataset()
    dataset.to_zarr(tmp_path / "source", zarr_format=zarr_format)
    rechunked = rechunk(
        tmp_path / "source",
        {"time": -1, "lat": 5, "lon": 7},
        "4MB",
        tmp_path / "target",
        executor=ENGINES[engine].executor,
        threads=2,
    )
    run(engine, rechunked)
    target = xr.open_zarr(tmp_path / "target")
    assert target.air.encoding["chunks"] == (60, 5, 7)
    xr.testing.assert_identical(
        target.load(), xr.open_zarr(tmp_path / "source").load()
    )
    assert_tensorstore_agrees(tmp_path / "target", zarr_format)


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("opened", ["memory", "lazy", "dask"])
@pytest.mark.parametrize("engine", ["threads", "dask-threads"])
def test_a_dataset_reads_back_identically(
    run: Run, tmp_path: Path, engine: str, opened: str, zarr_format: int
) -> None:
    """Whatever its variables are backed by; as xarray itself writes it."""
    dataset = make_dataset()
    dataset.to_zarr(tmp_path / "source", zarr_format=zarr_format)
    if opened != "memory":
        chunks = {} if opened == "dask" else None
        dataset = xr.open_zarr(tmp_path / "source", chunks=chunks)
    rechunked = rechunk(
        dataset,
        {"air": {"time": 60, "lat": 5, "lon": 7}, "rain": (60, 4)},
        "8MB",
        tmp_path / "target",
        executor=ENGINES[engine].executor,
        zarr_format=zarr_format,
        verify=True,
    )
    run(engine, rechunked)
    target = xr.open_zarr(tmp_path / "target")
    assert target.air.encoding["chunks"] == (60, 5, 7)
    assert target.air.encoding["dtype"] == np.dtype("i2")
    assert target.rain.encoding["chunks"] == (60, 4)
    xr.testing.assert_identical(
        target.load(), xr.open_zarr(tmp_path / "source").load()
    )
    assert_tensorstore_agrees(tmp_path / "target", zarr_format)


def test_a_dataset_is_not_loaded(tmp_path: Path) -> None:
    """Planning reads no element of a lazy variable."""
    dataset = make_dataset()
    dataset.to_zarr(tmp_path / "source")
    for chunk in (tmp_path / "source/air/c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(b"not to be read")
    lazy = xr.open_zarr(tmp_path / "source", chunks=None)
    plan = rechunk(lazy, {"air": (60, 5, 7)}, "8MB", tmp_path / "target")
    assert "air" in repr(plan)
    assert "air" in plan._repr_html_()
