"""Each promise names tests that exist."""

from __future__ import annotations

import re

from binary import ROOT

PAGE = ROOT / "docs/promises.md"
NAMED = re.compile(r"`([\w/]+\.(?:py|cc))::([\w.]+)`")


def test_each_promise_names_a_test_that_exists() -> None:
    """So that a promise goes with its proof."""
    promised, excluded = PAGE.read_text().split("## What it does not promise")
    items = re.split(r"^- ", promised, flags=re.MULTILINE)[1:]
    assert len(items) > 10
    for item in items:
        assert NAMED.search(item), f"no test for: {item}"
    for path, name in NAMED.findall(promised + excluded):
        text = (ROOT / path).read_text()
        if path.endswith(".py"):
            pattern = rf"^def {name}\("
        else:
            suite, test = name.split(".")
            pattern = rf"^TEST(_[FP])?\({suite},\s+{test}\)"
        assert re.search(pattern, text, re.MULTILINE), f"{path}::{name}"


def test_no_proof_is_named_otherwise() -> None:
    """A name that the pattern misses would go unchecked."""
    text = PAGE.read_text()
    assert len(NAMED.findall(text)) == text.count("::")
