"""Style as a test: arrows between folders, lengths, names, marks.

Run as a program it prints what it finds and exits 1; pytest runs it too.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = ROOT / "include/rechunk"
LONGEST_FILE = 400
LONGEST_FUNCTION = 70

CLI_MAY_INCLUDE = {
    "base/byte_size.h",
    "plan/chunk_spec.h",
    "codec/codec_spec_text.h",
}
# The library names options; the command alone has flags.
WORDS = re.compile(r'"(?:[^"\\\n]|\\.)*"|//.*')
FLAG = re.compile(r"--[a-z][a-z-]+|`rechunk [a-z]+")
OPTION = re.compile(r'\boption(?:_on)?\(\s*"(\w+)"')
ROW = re.compile(r'\{"(\w+)", &Options::(\w+)')
MEMBER = re.compile(
    r"^  [\w:<>, ]+? (\w+(?:, \w+)*)(?: = [^;]*)?;", re.MULTILINE
)
INCLUDE = re.compile(r'^#include "([a-z_/]+)/([a-z_0-9]+\.h)"', re.MULTILINE)
FOLDER = re.compile(r"^rechunk_folder\(([^)]+)\)", re.MULTILINE)
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
VAGUE = re.compile(r"\b(class|struct) \w*(Manager|Helper|Util)\b")


def tracked(*patterns: str) -> list[Path]:
    """Files that git knows, by pattern."""
    command = ["git", "ls-files", "--", *patterns]
    names = subprocess.check_output(command, cwd=ROOT, text=True).split()
    return [ROOT / name for name in names if (ROOT / name).exists()]


def arrows() -> dict[str, set[str]]:
    """What each folder of src/ may include, besides itself: from CMake."""
    cmake = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    found: dict[str, set[str]] = {"executors": set()}
    for folder, *words in map(str.split, FOLDER.findall(cmake)):
        names = words[1:] if words[:1] == ["DEPENDS"] else []
        allowed = {folder}
        for name in names:
            if name == "LIBRARIES":
                break
            allowed |= found[name.replace("zarr_", "zarr/")]
        found[folder] = allowed
    return found


ARROWS = arrows()


def include_faults(path: Path, text: str) -> list[str]:
    """Includes against the arrows of CMakeLists.txt."""
    where = path.relative_to(ROOT)
    own = where.parent.relative_to("src") if where.parts[0] == "src" else None
    faults = []
    for folder, header in INCLUDE.findall(text):
        name = f"{folder}/{header}"
        if own and str(own) != ".":
            allowed = ARROWS[str(own)] | {str(own), "rechunk"}
            if folder not in allowed:
                faults.append(f"{own} must not include {name}")
        allowed_in_cli = folder in ("cli", "rechunk") or name in CLI_MAY_INCLUDE
        if where.parts[0] == "cli" and not allowed_in_cli:
            faults.append(f"cli must not include {name}")
    return faults


def orphans() -> list[str]:
    """Sources that no header is named like, and no header names."""
    headers = tracked("src/*.h", "include/*.h")
    found = []
    for path in tracked("src/*.cc"):
        near = [h for h in headers if h.parent in (path.parent, PUBLIC)]
        named = any(h.stem == path.stem for h in near)
        if not named and not path.stem.endswith("_test"):
            named = any(path.name in h.read_text() for h in near)
        if not named and not path.stem.endswith("_test"):
            found.append(f"{path.relative_to(ROOT)}: no header names it")
    return found


def function_faults(text: str) -> list[str]:
    """Functions that are too long: from a line that ends in "{" to its end."""
    faults = []
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"^\S.*\)( const| noexcept| override)* \{$", line):
            start = number
        elif line == "}" and start:
            if number - start >= LONGEST_FUNCTION:
                faults.append(f"line {start}: a function of {number - start}")
            start = None
    return faults


def option_names() -> set[str]:
    """The members of `Options`."""
    text = (PUBLIC / "options.h").read_text(encoding="utf-8")
    body = text.split("struct Options {")[1].split("\n};")[0]
    lists = MEMBER.findall(body)
    return {name for names in lists for name in names.split(", ")}


def wording_faults(text: str) -> list[str]:
    """Flags and commands in the library, and options that it has not."""
    words = " ".join(WORDS.findall(text))
    faults = [f"a flag or command: {flag}" for flag in FLAG.findall(words)]
    unknown = set(OPTION.findall(text)) - option_names()
    return faults + [f"no option is called {name}" for name in unknown]


def table_faults() -> list[str]:
    """Members of `Options` without a row of their name in its table."""
    rows = ROW.findall((PUBLIC / "options.h").read_text(encoding="utf-8"))
    missing = option_names() - {name for name, _ in rows} - {"notes"}
    faults = [f"options.h: {name} has no row" for name in missing]
    wrong = [name for name, member in rows if name != member]
    return faults + [f"options.h: {name} is another member" for name in wrong]


def cpp_faults(path: Path) -> list[str]:
    """Everything this file holds against one C++ file."""
    text = path.read_text(encoding="utf-8")
    faults = include_faults(path, text) + function_faults(text)
    in_library = path.relative_to(ROOT).parts[0] in ("src", "include")
    if in_library and path != PUBLIC / "wording.h":
        faults += wording_faults(text)
    if path.suffix == ".h":
        if not text.startswith("//"):
            faults.append("a header begins with what it is")
        if "#pragma once" not in text:
            faults.append("no #pragma once")
    if "using namespace" in text:
        faults.append("using namespace")
    if VAGUE.search(text):
        faults.append("a vague name")
    return faults


def all_faults() -> list[str]:
    """Return one line per fault."""
    faults = orphans() + table_faults()
    sources = tracked("*.h", "*.cc", "*.py")
    for path in sources:
        text = path.read_text(encoding="utf-8")
        found = [] if path.suffix == ".py" else cpp_faults(path)
        if len(text.splitlines()) > LONGEST_FILE:
            found.append(f"more than {LONGEST_FILE} lines")
        if path != Path(__file__).resolve() and MARKS.search(text):
            found.append("a mark that something is missing")
        faults += [f"{path.relative_to(ROOT)}: {fault}" for fault in found]
    return faults


def test_the_style_holds() -> None:
    """The whole tree follows STYLE.md."""
    assert all_faults() == []


if __name__ == "__main__":
    print("\n".join(all_faults()))
    sys.exit(1 if all_faults() else 0)
