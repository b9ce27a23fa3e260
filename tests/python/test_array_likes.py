"""Arrays of other libraries: what they say of themselves comes along, and what
their slices would lose is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import ml_dtypes
import numpy as np
import pytest
import xarray as xr
import zarr

from compare import assert_same_elements
from rechunk import RechunkError, RechunkWarning, rechunk

RNG = np.random.default_rng(36)
NUMBERS = RNG.random((6, 20))
CHUNKS = (6, 5)


def made(source: Any, folder: Path, **options: Any) -> Any:
    """Return the target, opened."""
    return rechunk(
        source, CHUNKS, "1MB", folder / "t.zarr", **options
    ).execute()


@pytest.fixture
def netcdf(tmp_path: Path) -> Path:
    """A file of variables that its library masks, scales and joins."""
    netcdf4 = pytest.importorskip("netCDF4")
    with netcdf4.Dataset(tmp_path / "a.nc", "w") as file:
        file.createDimension("y", 6)
        file.createDimension("x", 20)
        group = file.createGroup("deep")
        for place, name, dtype, fill in (
            (file, "packed", "i2", -32767),
            (file, "masked", "f4", 1e20),
            (file, "plain", "f8", None),
            (file, "unsigned", "i1", -1),
            (group, "big", ">i4", 9),
            (file, "letters", "S1", None),
        ):
            variable = place.createVariable(
                *(name, dtype, ("y", "x")),
                fill_value=fill,
                chunksizes=(2, 20),
                endian="big" if dtype[0] == ">" else "native",
            )
            variable.units = "K"
            variable.valid_range = np.array([0, 5], "i4")
            variable.set_auto_maskandscale(False)
            if dtype == "S1":
                variable[:] = RNG.choice(np.array([b"a", b"b"]), (6, 20))
                continue
            variable[:] = RNG.integers(0, 9, (6, 20))
            if fill is not None:
                variable[1, 2:9] = fill
        file["packed"].scale_factor, file["packed"].add_offset = 0.1, 20.0
        file["unsigned"].setncattr("_Unsigned", "true")
    return tmp_path / "a.nc"


VARIABLES = ("packed", "masked", "plain", "unsigned", "deep/big", "letters")


@pytest.mark.parametrize("library", ["netCDF4", "h5py"])
@pytest.mark.parametrize("name", VARIABLES)
def test_variables_of_netcdf_come_as_xarray_would_store_them(
    tmp_path: Path, netcdf: Path, name: str, library: str
) -> None:
    """The stored numbers, and what explains them; read by either library."""
    opener = pytest.importorskip(library)
    open_file = opener.Dataset if library == "netCDF4" else opener.File
    group = zarr.create_group(tmp_path / "g.zarr")
    short = name.rpartition("/")[2]
    with open_file(netcdf, "r") as file:
        variable = file[name]
        settings = _settings(variable)
        rechunk(variable, CHUNKS, "1MB", group, array_name=short).execute()
        assert _settings(variable) == settings
    inner = name.rpartition("/")[0] or None
    with (
        xr.open_dataset(netcdf, group=inner, engine="netcdf4") as whole,
        xr.open_dataset(
            netcdf, group=inner, engine="netcdf4", decode_cf=False
        ) as raw,
        xr.open_zarr(tmp_path / "g.zarr", consolidated=False) as found,
    ):
        if name != "letters":  # xarray joins them.
            xr.testing.assert_equal(found[short], whole[short])
        stored = zarr.open_array(tmp_path / "g.zarr" / short)
        assert stored.chunks == CHUNKS
        assert_same_elements(stored[...], raw[short].values)
        assert found[short].attrs["units"] == "K"
        assert list(found[short].attrs["valid_range"]) == [0, 5]
        for key in ("scale_factor", "add_offset", "_FillValue", "_Unsigned"):
            told, wanted = (
                each[short].encoding.get(key) for each in (found, whole)
            )
            assert told == wanted, key


def _settings(variable: Any) -> tuple[Any, ...]:
    names = ("mask", "scale", "chartostring", "always_mask")
    return tuple(getattr(variable, name, None) for name in names)


def test_datasets_of_hdf5(tmp_path: Path) -> None:
    """Attributes, fill value and names; as source of everything."""
    import h5py

    with h5py.File(tmp_path / "a.h5", "w") as file:
        scale = file.create_dataset("x", data=np.arange(20.0))
        scale.make_scale("x")
        dataset = file.create_dataset(
            "v", data=NUMBERS, chunks=(2, 20), fillvalue=7.5
        )
        dataset.dims[0].label = "time"
        dataset.dims[1].attach_scale(scale)
        dataset.attrs.update(
            {"units": "K", "range": np.arange(2), "by": np.bytes_(b"me")}
        )
        dataset.attrs["whole"] = dataset.ref  # Means nothing elsewhere.
        codec = zarr.codecs.ZstdCodec(level=3)
        options = {"target_options": {"compressor": codec}}
        with pytest.raises(RechunkError, match="left out: whole"):
            made(dataset, tmp_path, strict=True, **options)
        with pytest.warns(RechunkWarning, match="left out: whole"):
            target = made(dataset, tmp_path, **options)
        assert target.metadata.dimension_names == ("time", "x")
        told = {"units": "K", "range": [0, 1], "by": "me"}
        assert (dict(target.attrs), target.fill_value) == (told, 7.5)
        assert target.compressors == (codec,)
        assert_same_elements(target[...], NUMBERS)
        rechunk(dataset, None, "1MB", target, append="x").execute()
        rechunk(dataset, None, "1MB", target, region={1: (0, 20)}).execute()
        both = np.concatenate([NUMBERS, NUMBERS], 1)
        assert_same_elements(zarr.open_array(target.store)[...], both)


def test_objects_of_tensorstore(tmp_path: Path) -> None:
    """Whole, and a part whose first index is not 0; fill and names, too."""
    ts = pytest.importorskip("tensorstore")
    stored = zarr.create_array(
        tmp_path / "a",
        data=NUMBERS,
        chunks=(2, 20),
        fill_value=4.5,
        dimension_names=("y", "x"),
    )
    opened = ts.open(
        {
            "driver": "zarr3",
            "kvstore": {"driver": "file", "path": f"{tmp_path}/a/"},
        }
    ).result()
    for number, part in enumerate((opened, opened[2:5], opened[:, 3])):
        chunks = tuple(min(4, length) for length in part.shape)
        target = rechunk(part, chunks, "1MB", tmp_path / f"{number}").execute()
        assert_same_elements(target[...], np.asarray(part))
        assert (target.chunks, target.fill_value) == (chunks, 4.5)
        assert target.metadata.dimension_names == tuple(part.domain.labels)
    with pytest.raises(RechunkError, match="source and target"):
        rechunk(opened, CHUNKS, "1MB", tmp_path / "a", overwrite=True)
    assert_same_elements(stored[...], NUMBERS)


@pytest.mark.parametrize(
    "name",
    ["bfloat16", "float8_e4m3fn", "float8_e5m2", "int4", "uint4", "int2"],
)
def test_types_that_numpy_has_no_code_for(tmp_path: Path, name: str) -> None:
    """They keep their names; that zarr-python knows none of them is said."""
    numbers = RNG.integers(-2, 2, (6, 20)) % 4
    elements = numbers.astype(np.dtype(getattr(ml_dtypes, name)))
    with pytest.warns(
        RechunkWarning, match="complete; zarr-python cannot open"
    ):
        place = made(elements, tmp_path)
    assert place == str(tmp_path / "t.zarr")
    document = (tmp_path / "t.zarr/zarr.json").read_text()
    assert f'"{name}"' in document
    ts = pytest.importorskip("tensorstore")
    if not hasattr(ts, name):
        return
    spec = {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": f"{place}/"},
    }
    try:
        found = ts.open(spec).result().read().result()
    except ValueError as error:
        pytest.skip(f"TensorStore: {error}")
    assert_same_elements(found.view("u1"), elements.view("u1"))


class Says:
    """An array that says one type, and gives another."""

    def __init__(self, dtype: Any, given: Any, empty: bool = True) -> None:
        self.shape, self.dtype = given.shape, np.dtype(dtype)
        self._given, self._empty = given, empty

    def __getitem__(self, region: Any) -> Any:
        part = self._given[region]
        if 0 in part.shape and not self._empty:
            raise IndexError("no empty slices")
        return part


MASKED = np.ma.masked_less(NUMBERS, 0.5)


class Quantity(Says):
    """As pint has it: numpy is given bare numbers, with a warning."""

    units = "kelvin"

    def __init__(self, given: Any) -> None:
        super().__init__(given.dtype, given)
        self.magnitude = given


class Sparse(Says):
    """As the package sparse has it."""

    def __init__(self, given: Any) -> None:
        super().__init__(given.dtype, given)

    def __getitem__(self, region: Any) -> Any:
        return Sparse(self._given[region])

    def todense(self) -> Any:
        """All numbers."""
        return self._given


class OnDevice:
    """As cupy does it: numpy must ask in so many words."""

    def __init__(self, elements: Any) -> None:
        self._elements = elements
        self.shape, self.dtype = elements.shape, elements.dtype

    def __getitem__(self, region: Any) -> Any:
        return OnDevice(self._elements[region])

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed")


REFUSED: dict[str, tuple[Any, str]] = {
    "other type": (lambda: Says("i2", NUMBERS), "is int16, .* are float64"),
    "wider": (lambda: Says("f4", NUMBERS), "dtype is float32"),
    "narrower": (lambda: Says("f8", NUMBERS.astype("f4")), "are float32"),
    "unsigned": (lambda: Says("i8", NUMBERS.astype("u8")), "are uint64"),
    "masked": (lambda: MASKED, "masks.*filled"),
    "masked slices": (lambda: Says("f8", MASKED), "masks"),
    "masked dask": (lambda: da.from_array(MASKED, chunks=(2, 20)), "masks"),
    "unit": (lambda: Quantity(NUMBERS), "unit kelvin.*magnitude"),
    "sparse": (lambda: Sparse(NUMBERS), "sparse.*todense"),
    "device": (lambda: OnDevice(NUMBERS), "Implicit conversion"),
    "variable": (lambda: xr.Variable(("y", "x"), NUMBERS), "make it a dataset"),
    "frame": (
        lambda: pytest.importorskip("pandas").DataFrame(NUMBERS),
        "a DataFrame of pandas.*to_numpy",
    ),
    "unknown length": (
        lambda: da.from_array(NUMBERS, chunks=(2, 20))[
            da.from_array(NUMBERS[:, 0]) > 0.2
        ],
        "compute_chunk_sizes",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_slices_would_lose_is_refused(tmp_path: Path, kind: str) -> None:
    """Before anything is written, with the way that works."""
    make, cause = REFUSED[kind]
    with pytest.raises(RechunkError, match=cause):
        made(make(), tmp_path)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("executor", ["threads", "python", "dask"])
def test_what_shows_only_when_it_is_read(tmp_path: Path, executor: str) -> None:
    """Is refused then: the target never opens."""
    for source in (
        Says("i2", NUMBERS, empty=False),
        Says("f8", MASKED, empty=False),
    ):
        planned = rechunk(
            source, CHUNKS, "1MB", tmp_path / "t.zarr", executor=executor
        )
        with pytest.raises(RechunkError, match="slices"):
            planned.execute()
        assert not (tmp_path / "t.zarr/zarr.json").exists()
        planned._plan.discard()


def test_other_byte_orders_and_scalars_are_no_other_types(
    tmp_path: Path,
) -> None:
    """Only what elements mean must be the same."""
    target = made(Says("<f8", NUMBERS.astype(">f8")), tmp_path)
    assert_same_elements(target[...], NUMBERS)
    target = rechunk(Says("f4", np.float32(3)), (), "1MB", tmp_path / "0")
    assert target.execute()[()] == 3
