"""Data types of Zarr arrays with random elements and fill values."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

import numpy as np
import zarr

Rng = np.random.Generator
ZARR_VERSION = tuple(int(part) for part in zarr.__version__.split(".")[:2])

NUMBERS = ["i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]
BYTES = ["|b1", "|i1", "|u1"]
V3_NAMES = {
    "b1": "bool",
    **{f"{kind}{n}": f"{name}{8 * n}"
       for kind, name in (("i", "int"), ("u", "uint"))
       for n in (1, 2, 4, 8)},
    "f2": "float16", "f4": "float32", "f8": "float64",
    "c8": "complex64", "c16": "complex128",
}  # fmt: skip
UNITS = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs"]


@dataclass(frozen=True)
class Type:
    """One data type; `dtype` has the byte order of the stored bytes."""

    dtype: np.dtype
    v2: object  # JSON of a v2 `dtype`.
    v3: object  # JSON of a v3 `data_type`; None where v3 has none.
    endian: str | None  # Of the v3 "bytes" codec; None for single bytes.

    @property
    def kind(self) -> str:
        """Kind character as in numpy; "V" for structures too."""
        return self.dtype.kind

    @property
    def is_number(self) -> bool:
        """True for what every Zarr implementation can read."""
        return self.kind in "biufc"


def random_type(rng: Rng) -> Type:
    """Pick a type that both formats know, or that only v2 does."""
    order = str(rng.choice(["<", "<", ">"]))
    endian = "little" if order == "<" else "big"
    group = rng.choice(
        ["number", "byte", "time", "S", "U", "V", "struct"],
        p=[0.5, 0.12, 0.12, 0.06, 0.06, 0.06, 0.08],
    )
    if group == "number":
        code = str(rng.choice(NUMBERS))
        return Type(
            np.dtype(order + code), order + code, V3_NAMES[code], endian
        )
    if group == "byte":
        code = str(rng.choice(BYTES))
        return Type(np.dtype(code), code, V3_NAMES[code[1:]], None)
    if group == "time":
        return _time_type(rng, order, endian)
    if group == "struct":
        return _struct_type(rng, order, endian)
    return _text_type(rng, str(group), order, endian)


def _time_type(rng: Rng, order: str, endian: str) -> Type:
    kind = str(rng.choice(["M", "m"]))
    unit = str(rng.choice(UNITS))
    factor = int(rng.choice([1, 1, 10, 7]))
    code = f"{order}{kind}8[{factor if factor > 1 else ''}{unit}]"
    name = "numpy.datetime64" if kind == "M" else "numpy.timedelta64"
    configuration = {"unit": unit, "scale_factor": factor}
    v3 = {"name": name, "configuration": configuration}
    return Type(np.dtype(code), code, v3, endian)


def _text_type(rng: Rng, kind: str, order: str, endian: str) -> Type:
    length = int(rng.choice([1, 2, 3, 5, 8, 13, 70]))
    if kind == "U":
        configuration = {"length_bytes": 4 * length}
        v3 = {"name": "fixed_length_utf32", "configuration": configuration}
        code = f"{order}U{length}"
        return Type(np.dtype(code), code, v3, endian)
    name = "null_terminated_bytes" if kind == "S" else "raw_bytes"
    v3 = {"name": name, "configuration": {"length_bytes": length}}
    return Type(np.dtype(f"|{kind}{length}"), f"|{kind}{length}", v3, None)


def _struct_type(rng: Rng, order: str, endian: str) -> Type:
    codes = [str(code) for code in rng.choice(
        ["i2", "i4", "u8", "f4", "f8", "c8", "b1", "u1"],
        size=int(rng.integers(1, 5)),
    )]  # fmt: skip
    codes = ["|" + c if c in ("b1", "u1") else order + c for c in codes]
    v2 = [[f"f{i}", code] for i, code in enumerate(codes)]
    names = [[f"f{i}", V3_NAMES[code[1:]]] for i, code in enumerate(codes)]
    if ZARR_VERSION >= (3, 4):
        fields = [{"name": name, "data_type": kind} for name, kind in names]
        v3 = {"name": "struct", "configuration": {"fields": fields}}
    else:
        v3 = {"name": "structured", "configuration": {"fields": names}}
    dtype = np.dtype([(name, code) for name, code in v2])
    return Type(dtype, v2, v3, endian)


def random_elements(rng: Rng, kind: Type, shape: tuple[int, ...]) -> np.ndarray:
    """Random bits, a smooth field, or few values, of that type."""
    style = rng.choice(["bits", "bits", "smooth", "few"])
    if style == "smooth" and kind.kind in "iuf":
        steps = rng.integers(-3, 4, size=shape)
        field = np.cumsum(steps.reshape(-1)).reshape(shape)
        return field.astype(kind.dtype)
    if style == "few":
        values = np.concatenate(
            [np.zeros(1, kind.dtype), _random_bits(rng, kind, 2)]
        )
        return np.asarray(values[rng.integers(0, 3, size=shape)])
    count = int(np.prod(shape, dtype=np.int64))
    return _random_bits(rng, kind, count).reshape(shape)


def _random_bits(rng: Rng, kind: Type, count: int) -> np.ndarray:
    dtype = kind.dtype
    if dtype.kind == "U":
        length = dtype.itemsize // 4
        points = rng.choice([65, 97, 0xE9, 0x4E2D, 0x1F600, 0], (count, length))
        points = points.astype(dtype.byteorder + "u4")
        return points.view(dtype).reshape(count)
    raw = rng.integers(0, 256, count * dtype.itemsize, dtype=np.uint8)
    if dtype.kind == "b":
        return (raw & 1).view(dtype)
    if dtype.fields:
        elements = raw.view(dtype).copy()
        for name, (field, *_) in dtype.fields.items():
            if field.kind == "b":
                elements[name] = rng.integers(0, 2, count).astype(bool)
        return elements
    elements = raw.view(dtype).copy()
    if dtype.kind in "mM" and count:
        elements[rng.integers(0, count, max(1, count // 9))] = "NaT"
    if dtype.kind == "f" and count and rng.random() < 0.3:
        elements[:] = rng.choice(np.array([0.0, -0.0, np.nan], dtype), count)
        elements = elements.astype(dtype)
    return elements


def fill_token(rng: Rng, kind: Type, zarr_format: int) -> str:
    """Return the JSON text of a random fill value."""
    if zarr_format == 2 and rng.random() < 0.15:
        return "null"
    if kind.kind == "f":
        return _float_token(rng, kind.dtype.itemsize, zarr_format)
    if kind.kind == "c":
        part = kind.dtype.itemsize // 2
        tokens = [_float_token(rng, part, zarr_format) for _ in range(2)]
        return f"[{tokens[0]}, {tokens[1]}]"
    if kind.kind == "b":
        return str(rng.choice(["true", "false"]))
    if kind.kind in "iu":
        limits = np.iinfo(kind.dtype)
        values = [0, 1, int(limits.min), int(limits.max)]
        return str(values[rng.integers(0, 4)])
    if kind.kind in "mM":
        return str(rng.choice(['"NaT"', "0", "1234567890123", "-5"]))
    if kind.kind == "U":
        length = kind.dtype.itemsize // 4
        return json.dumps(str(rng.choice(["", "a", "é中😀"]))[:length])
    return _bytes_token(rng, kind, zarr_format)


def _float_token(rng: Rng, size_bytes: int, zarr_format: int) -> str:
    tokens = ["0.0", "-0.0", "0", "1.5", "-3", '"NaN"', '"NaN"']
    tokens += ['"Infinity"', '"-Infinity"', "6.1e1"]
    if size_bytes > 2:
        tokens += ["1e20", "9.969209968386869e+36"]
    if zarr_format == 3:
        tokens += [_nan_bits(rng, size_bytes)] * 3
    return str(rng.choice(tokens))


def _nan_bits(rng: Rng, size_bytes: int) -> str:
    """Return a quiet NaN with a payload as a quoted hexadecimal string."""
    quiet = {2: 0x7E00, 4: 0x7FC00000, 8: 0x7FF8000000000000}[size_bytes]
    bits = quiet | int(rng.choice([0, 1, 0x15]))
    return f'"0x{bits:0{2 * size_bytes}x}"'


def _bytes_token(rng: Rng, kind: Type, zarr_format: int) -> str:
    """Return base64 of an element, or the object form of a v3 struct."""
    is_struct = kind.dtype.fields is not None
    if zarr_format == 3 and is_struct and kind.v3["name"] == "struct":
        members = {
            name: 0 if field.kind in "iu" else False
            for name, (field, *_) in kind.dtype.fields.items()
        }
        for name, (field, *_) in kind.dtype.fields.items():
            if field.kind == "f":
                members[name] = 1.25
            if field.kind == "c":
                members[name] = [0.5, -2.0]
            if field.kind in "iu":
                members[name] = int(rng.integers(0, 100))
        return json.dumps(members)
    element = _random_bits(rng, kind, 1)
    if rng.random() < 0.3:
        element = np.zeros(1, kind.dtype)
    if is_struct and zarr_format == 3:
        element = element.astype(kind.dtype.newbyteorder("<"))
    return json.dumps(base64.b64encode(element.tobytes()).decode())


def has_nan_payload(token: str) -> bool:
    """True for a NaN that only v3 can write down."""
    plain = ("0x7e00", "0x7fc00000", "0x7ff8000000000000")
    return any(
        part.strip(' []"').startswith("0x") and part.strip(' []"') not in plain
        for part in token.split(",")
    )
