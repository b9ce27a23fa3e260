"""The page that defines the digest, against the command."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import ROOT, Rechunk
from cases import make_source, random_case
from compare import read

pytestmark = pytest.mark.any_place

PAGE = (ROOT / "docs" / "digest.md").read_text()
SEED = 2026
CASES = 60
Digest = Callable[[np.ndarray], str]


@pytest.fixture(scope="module")
def digest() -> Digest:
    """Return the function of the page."""
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
    page: dict = {}
    exec(code, page)
    return page["digest"]


def of_command(rechunk: Rechunk, path: Path) -> str:
    """Return the digest of a root array as the command prints it."""
    compared = rechunk.ok("verify", path, path, "--json").json()
    assert compared["digest_version"] == 1
    (array,) = compared["arrays"]
    assert array["digest_a"] == array["digest_b"]
    return array["digest_a"]


@pytest.mark.parametrize("number", range(CASES))
def test_the_page_gives_the_digest_of_the_command(
    rechunk: Rechunk, tmp_path: Path, digest: Digest, number: int
) -> None:
    """For arrays of any type but structures, whatever their layout."""
    case = random_case((SEED, number))
    if case.kind.dtype.fields:
        pytest.skip("the page's code is not for structures")
    make_source(case, tmp_path / "a")
    assert of_command(rechunk, tmp_path / "a") == digest(read(tmp_path / "a"))


def test_the_examples_of_the_page_are_right(
    rechunk: Rechunk, tmp_path: Path, digest: Digest
) -> None:
    """By its own code, and those that zarr-python can store by the command."""
    examples = re.findall(r"^\| `(np\..*)` \| `(\w{32})` \|$", PAGE, re.M)
    assert len(examples) > 10
    for number, (text, expected) in enumerate(examples):
        array = eval(text, {"np": np})
        assert digest(array) == expected, text
        path = tmp_path / str(number)
        zarr.create_array(path, data=array, zarr_format=2)
        assert of_command(rechunk, path) == expected, text


def test_structures_are_their_fields(rechunk: Rechunk, tmp_path: Path) -> None:
    """A structure of two floats is a complex number."""
    rng = np.random.default_rng(SEED)
    pairs = np.zeros(40, [("real", "<f4"), ("imag", ">f4")])
    pairs["real"], pairs["imag"] = rng.random((2, 40), dtype="f4")
    numbers = (pairs["real"] + 1j * pairs["imag"]).astype("c8")
    for name, array in (("numbers", numbers), ("pairs", pairs)):
        zarr.create_array(tmp_path / name, data=array, zarr_format=2)
    assert of_command(rechunk, tmp_path / "numbers") == of_command(
        rechunk, tmp_path / "pairs"
    )


def test_the_code_of_the_page_is_short() -> None:
    """Twenty lines, without the import."""
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
    lines = [line for line in code.splitlines() if line]
    assert len(lines) <= 20
