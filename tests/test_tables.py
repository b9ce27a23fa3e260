"""The README has what the tables of codecs and of stores have."""

from __future__ import annotations

import re

from binary import ROOT, Rechunk

README = (ROOT / "README.md").read_text(encoding="utf-8")
#: They are no rows: rechunk does what they say of elements.
ARRANGING = {"bytes", "transpose", "sharding_indexed"}


def test_the_readme_lists_the_codecs_that_the_command_has(
    rechunk: Rechunk,
) -> None:
    """All of them, and no others."""
    helped = re.search(r"^Codecs: (.*)\.$", rechunk("--help").stdout, re.M)
    assert helped
    listed = re.search(r"^- Codecs: (.*?)\. Types", README, re.M | re.S)
    assert listed
    assert {*re.findall(r"`(\w+)`", listed[1])} == ARRANGING | {
        *helped[1].split(", ")
    }


def test_the_readme_names_the_places_that_the_command_opens(
    rechunk: Rechunk,
) -> None:
    """In the same words, and no other schemes."""
    helped = re.search(r"lie at (.*)\.$", rechunk("--help").stdout, re.M)
    assert helped
    limits = re.search(r"reads and writes ([^.]*)\.", README)
    assert limits
    assert helped[1] in " ".join(limits[1].split())
    schemes = re.findall(r"\w+://", limits[1])
    assert {*schemes} == {*re.findall(r"\w+://", helped[1])}
