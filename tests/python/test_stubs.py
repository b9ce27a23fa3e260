"""What type checkers are told of the native part is what there is."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

import rechunk
from rechunk import _core

STUB = ast.parse(Path(rechunk.__file__).with_name("_core.pyi").read_text())


def functions(node: ast.Module | ast.ClassDef) -> dict[str, ast.FunctionDef]:
    """Return those of a module or a class, by name."""
    return {
        inner.name: inner
        for inner in node.body
        if isinstance(inner, ast.FunctionDef)
    }


def parameters(function: ast.FunctionDef) -> list[str]:
    """Return names and defaults, such as "max_chains=256"."""
    names = [argument.arg for argument in function.args.args]
    defaults = [ast.unparse(value) for value in function.args.defaults]
    first = len(names) - len(defaults)
    return names[:first] + [
        f"{name}={value}" for name, value in zip(names[first:], defaults)
    ]


def native(function: Any) -> ast.FunctionDef:
    """Return the signature that nanobind knows."""
    text, _, defaults = function.__nb_signature__[0]
    code = re.sub(r"\\(\d+)", lambda hit: repr(defaults[int(hit[1])]), text)
    parsed = ast.parse(f"{code}: ...").body[0]
    assert isinstance(parsed, ast.FunctionDef)
    return parsed


def public(owner: Any) -> set[str]:
    """Return the names that an object shows."""
    return {name for name in vars(owner) if not name.startswith("_")}


CLASSES = {
    node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)
}


def test_the_stub_has_the_names_of_the_module() -> None:
    """Functions, and the classes with their methods."""
    assert {*functions(STUB), *CLASSES} == public(_core)
    for name, node in CLASSES.items():
        told = set(functions(node)) - {"__init__"}
        assert told == public(getattr(_core, name))


@pytest.mark.parametrize(
    "owner, node",
    [
        (_core, STUB),
        *((getattr(_core, name), node) for name, node in CLASSES.items()),
    ],
)
def test_functions_take_what_the_stub_says(owner: Any, node: Any) -> None:
    """Names, order and defaults."""
    for name, told in functions(node).items():
        function = getattr(owner, name)
        if isinstance(function, property):
            continue
        there = native(function)
        assert parameters(told) == parameters(there), name
