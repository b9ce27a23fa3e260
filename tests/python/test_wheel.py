"""The wheel on its own: what is in it, and what it needs."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("zarr", "dask", "xarray", "apache_beam", "prefect", "h5py", "pandas")

IMPORT = f"""
import sys
import rechunk
print([name for name in {HEAVY} if name in sys.modules])
"""

# A v2 array written by hand: nothing here can write Zarr but rechunk.
RECHUNK = """
import json, sys
from pathlib import Path
import numpy as np
import rechunk

numbers = np.arange(70, dtype="<i4").reshape(10, 7)
source = Path("source.zarr")
source.mkdir()
for row in range(10):
    (source / f"{row}.0").write_bytes(numbers[row].tobytes())
(source / ".zarray").write_text(json.dumps({
    "zarr_format": 2, "shape": [10, 7], "chunks": [1, 7], "dtype": "<i4",
    "compressor": None, "filters": None, "fill_value": 0, "order": "C"}))
result = rechunk.rechunk("source.zarr", (10, 1), "1MB", "target.zarr").execute()
columns = [np.fromfile(f"target.zarr/0.{i}", "<i4") for i in range(7)]
assert (np.stack(columns, 1) == numbers).all()
assert "zarr" not in sys.modules
print(result)
"""

BEAM = """
import rechunk
try:
    rechunk.rechunk("source.zarr", (10, 1), "1MB", "t.zarr", executor="beam")
except rechunk.RechunkError as error:
    print(type(error).__name__, error)
"""


def wheel_path() -> Path:
    """RECHUNK_WHEEL, or the wheel that `make python` has built."""
    named = os.environ.get("RECHUNK_WHEEL")
    found = (
        [ROOT / named]
        if named
        else sorted(ROOT.glob("build/wheel-dist/rechunk-*.whl"))
    )
    assert len(found) == 1, f"{found} is not one wheel: run `make python`"
    return found[0]


class Environment:
    """A fresh one with the wheel and numpy."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "venv" / "bin"
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=1)
        self.run(
            *("python", "-m", "pip", "install", "-q", "-c"),
            *(ROOT / "tests" / "constraints.txt", wheel_path()),
        )

    def run(self, program: str, *arguments: object) -> str:
        """Run a program of the environment; what it printed."""
        done = subprocess.run(
            [self.bin / program, *map(str, arguments)],
            cwd=self.folder,
            env={
                key: value
                for key, value in os.environ.items()
                if not key.startswith("PYTHON")
            },
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Make the environment; one for all tests, which run in order."""
    return Environment(tmp_path_factory.mktemp("wheel"))


pytestmark = pytest.mark.xdist_group("wheel")


def test_types_and_the_command_are_in_the_wheel() -> None:
    """And every module of the package, and nothing else."""
    names = set(zipfile.ZipFile(wheel_path()).namelist())
    for name in ("py.typed", "_core.pyi"):
        assert f"rechunk/{name}" in names
    assert any(name.endswith(".data/scripts/rechunk") for name in names)
    modules = {
        path.relative_to(ROOT / "python").as_posix()
        for path in (ROOT / "python" / "rechunk").rglob("*.py")
    }
    packed = {name for name in names if name.endswith(".py")}
    assert packed == modules
    rest = {name.split("/")[0].partition("-")[0] for name in names}
    assert rest == {"rechunk"}


def test_only_numpy_is_needed(environment: Environment) -> None:
    """The environment has pip, numpy, and the package."""
    lines = environment.run("python", "-m", "pip", "list", "--format=freeze")
    found = {line.partition("==")[0] for line in lines.splitlines()}
    assert found - {"pip", "setuptools"} == {"numpy", "rechunk"}


def test_import_takes_no_optional_package_along(
    environment: Environment,
) -> None:
    """Where they are installed, too: these tests run in such a place."""
    assert environment.run("python", "-c", IMPORT) == "[]"
    if os.environ.get("RECHUNK_WHEEL"):
        return
    done = subprocess.run(
        [sys.executable, "-c", IMPORT],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_arrays_are_rechunked_without_zarr(environment: Environment) -> None:
    """The result is the path then."""
    (environment.folder / "work.py").write_text(RECHUNK)
    assert environment.run("python", "work.py") == "target.zarr"


def test_an_engine_that_is_missing_is_named(environment: Environment) -> None:
    """With what installs it."""
    told = environment.run("python", "-c", BEAM)
    assert told.startswith("InvalidArgumentError executor 'beam': ")
    assert "pip install 'rechunk[beam]'" in told


def test_the_command_runs(environment: Environment) -> None:
    """From the environment's own folder."""
    assert "0.1.0" in environment.run("rechunk", "--version")
    assert "usage" in environment.run("rechunk", "--help").lower()
