"""The instruments of benchmarks/: the floor, the draws and the figures."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import ROOT, Rechunk, binary_path
from trees import data_files

sys.path.append(str(ROOT / "benchmarks"))
import bench
import empty_folders
import page_peers
import random_workloads
import report
import steady_memory
from summary import summarise
from workloads import WORKLOADS, from_json, to_json

LAYOUTS = {
    "chunks": ({"chunks": (7, 40, 33)}, ["--chunks", "20,11,9"]),
    "no codec": (
        {"chunks": (7, 40, 33), "zarr_format": 2, "compressors": None},
        ["--chunks", "20,11,9"],
    ),
    "shards": (
        {"chunks": (7, 10, 11), "shards": (7, 40, 33)},
        ["--chunks", "20,5,9", "--shards", "20,20,18"],
    ),
}


def contents(store: Path) -> dict[str, bytes]:
    """Return the encoded objects of a store."""
    return {key: path.read_bytes() for key, path in data_files(store).items()}


@pytest.fixture
def floor() -> Path:
    """Return the program that measures the floor."""
    program = binary_path().parent / "benchmarks" / "rechunk_floor"
    if not program.exists():
        pytest.skip(f"{program} is not built")
    return program


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_floor_decodes_and_encodes_every_object_once(
    layout: str, floor: Path, rechunk: Rechunk, tmp_path: Path
) -> None:
    """With all of the target in its pool it writes the target again."""
    options, flags = LAYOUTS[layout]
    source, target, output = (tmp_path / name for name in "abc")
    values = np.random.default_rng(9).integers(0, 99, (41, 40, 33), "u2")
    values[14:28] = 0  # missing chunks
    array = zarr.create_array(
        source, shape=values.shape, dtype="u2", fill_value=0, **options
    )
    array[...] = values
    rechunk("run", source, target, *flags)
    done = subprocess.run(
        [floor, source, target, output, "--threads", "3"],
        check=True,
        stdout=subprocess.PIPE,
    )
    facts = json.loads(done.stdout)
    assert facts["objects_read"] == len(data_files(source))
    written, wanted = contents(output), contents(target)
    assert written == wanted
    assert facts["objects_written"] == len(wanted)


def test_draws_are_repeatable_and_can_be_done() -> None:
    """A seed gives the same legal workloads again, another gives others."""
    for number in range(60):
        workload = random_workloads.draw(5, number)
        assert workload == random_workloads.draw(5, number)
        assert workload == from_json(to_json(workload))
        assert workload != random_workloads.draw(6, number)
        assert workload.source_chunks != workload.target_chunks
        assert workload.raw_bytes < 2 * random_workloads.LARGEST_BYTES
        for chunk, shard in zip(
            workload.target_chunks, workload.target_objects, strict=True
        ):
            assert shard % chunk == 0
        object_bytes = math.prod(workload.target_chunks)
        assert workload.memory("table") > object_bytes


def test_stamps_tell_sources_apart() -> None:
    """No two workloads share data by mistake."""
    stamps = [workload.stamp() for workload in WORKLOADS]
    assert len(set(stamps)) == len(WORKLOADS)


def run(tool: str, repetition: int, seconds: float, **more: object) -> dict:
    """Return a run as it stands in the records."""
    return {
        "workload": "W4",
        "memory_bytes": 100_000_000,
        "threads": 2,
        "tool": tool,
        "repetition": repetition,
        "failure": None,
        "seconds": seconds,
        "cpu_seconds": 2 * seconds,
        "peak_bytes": 140_000_000,
        "objects": 64,
        "stored_bytes": 1000,
        **more,
    }


def test_ratios_are_those_of_one_turn() -> None:
    """Each run is divided by the floor that ran beside it."""
    clocks = [{"seconds": s, "cpu_seconds": s} for s in (1.0, 2.0, 4.0)]
    runs = [run("floor", i, 9, clock=clock) for i, clock in enumerate(clocks)]
    runs += [run("rechunk", i, s) for i, s in enumerate((2.0, 3.0, 10.0))]
    runs += [run("dask", 0, 7.0), run("cubed", 0, 1, failure="exit 1: no")]
    tools = {"dask": {"interpreted": True, "bare_seconds": 2, "bare_bytes": 0}}
    content = {
        "runs": runs,
        "tools": tools,
        "workloads": {"W4": {"raw_bytes": 1}},
    }
    (case,) = summarise(content)
    ratio = case.tools["rechunk"].ratio
    assert (ratio.median, ratio.low, ratio.high) == (2.0, 1.5, 2.5)
    assert case.tools["rechunk"].over_limit
    assert case.tools["dask"].ratio.median == 5
    assert case.tools["cubed"].failure == "exit 1: no"
    assert case.tools["cubed"].seconds is None


def test_turns_rotate_and_keep_a_ratio_together() -> None:
    """Each tool comes first once; rechunk runs right beside the floor."""
    tools = ["floor", "rechunk", "dask", "cubed"]
    turns = [bench.in_turn(tools, repetition) for repetition in range(3)]
    for turn in turns:
        assert sorted(turn) == sorted(tools)
        assert abs(turn.index("floor") - turn.index("rechunk")) == 1
    assert {turn[0] for turn in turns} >= {"floor", "dask", "cubed"}
    assert bench.in_turn(["dask"], 7) == ["dask"]


def test_the_page_tells_of_a_peer_where_rechunk_refuses() -> None:
    """Then there is nothing to divide by: the row has seconds."""
    refusal = "exit 1: hint: give at least 200 MB"
    at = {"workload": "W4", "memory_bytes": 50_000_000}
    content = {
        "runs": [
            run("rechunk", 0, 2.0),
            run("tensorstore", 0, 5.0),
            {**run("rechunk", 0, 0.1, failure=refusal), **at},
            {**run("tensorstore", 0, 6.0), **at},
        ],
        "tools": {},
        "workloads": {
            "W4": {"raw_bytes": 400_000_000, "table_bytes": 100_000_000}
        },
    }
    lines = page_peers.memory_section(content, summarise(content))
    assert "| W4 | 1/8 | 50 | exit 1 | 6.00 s (140) |" in lines
    ahead = page_peers.ahead_section(content, summarise(content))
    assert "| W4 | tensorstore | 100 | 2.50 | 140 | tensorstore 2.50 |" in ahead


def test_a_page_without_pictures_says_where_the_full_results_are(
    tmp_path: Path,
) -> None:
    """The archive has them all; what git keeps has no broken link."""
    at = {"table_bytes": 100_000_000, "raw_bytes": 400_000_000}
    layout = {
        "title": "",
        "shape": [9, 9],
        "dtype": "<f4",
        "codec": None,
        "zarr_format": 3,
        "target_format": 3,
        "ratio": 1.0,
    }
    for side in ("source", "target"):
        layout |= {f"{side}_chunks": [3, 9], f"{side}_shards": None}
    content = {
        "machine": {
            "cpu": "",
            "cores": 2,
            "memory_bytes": 2**30,
            "kernel": "",
            "commit": "",
            "codec_libraries": [],
        },
        "date": "2030-01-01T00:00",
        "random_seed": 7,
        "runs": [run("rechunk", 0, 2.0), run("tensorstore", 0, 5.0)],
        "tools": {},
        "workloads": {"W4": {**at, **layout}},
    }
    (tmp_path / "new.json").write_text(json.dumps(content))
    (tmp_path / "new.md").write_text("with pictures")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "time.svg").write_text("<svg/>")
    archive = report.publish("new", tmp_path, tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    assert "![" not in page
    assert "build/bench/LABEL.zip" in page
    assert "| W4 | tensorstore | 100 | 2.50 | 140 | tensorstore 2.50 |" in page
    with zipfile.ZipFile(archive) as asset:
        assert set(asset.namelist()) == {"new.json", "new.md", "new/time.svg"}
        assert json.loads(asset.read("new.json")) == content


MEASURE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import measure
held = b"x" * (200 << 20)
done = measure.run(sys.argv[3:], float(sys.argv[2]))
print(json.dumps(vars(done)))
"""


def measured(limit_seconds: float, *command: str) -> dict:
    """Return what a process that holds 200 MiB measures."""
    line = [sys.executable, "-c", MEASURE, str(ROOT / "benchmarks")]
    line += [str(limit_seconds), *command]
    done = subprocess.run(line, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def test_a_peak_is_that_of_the_command() -> None:
    """Not that of the process that measures it."""
    done = measured(60, "echo", "7")
    assert (done["exit_code"], done["output"]) == (0, "7\n")
    assert 0 < done["peak_bytes"] < 50 << 20
    assert not done["timed_out"]


def test_a_command_is_ended_at_the_limit() -> None:
    """With all that it started."""
    done = measured(0.2, "sh", "-c", "sleep 60; echo never")
    assert done["timed_out"]
    assert done["seconds"] < 30
    assert done["output"] == ""


def test_runs_take_turns_in_folders(tmp_path: Path) -> None:
    """Each folder is there, and used again after all others."""
    count = empty_folders.FOLDERS
    folders = [
        empty_folders.next_folder(tmp_path / "targets")
        for _ in range(2 * count)
    ]
    assert all(folder.is_dir() for folder in folders)
    assert len(set(folders)) == count
    assert folders[:count] == folders[count:]


def test_memory_is_held_while_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One page of each block, by a process that ends."""
    monkeypatch.setattr(steady_memory, "KEPT_BYTES", 64 << 20)
    with steady_memory.steady_memory() as keeper:
        status = Path(f"/proc/{keeper}/status").read_text()
        held = int(status.split("RssAnon:")[1].split()[0]) * 1024
        assert held < 32 << 20
    assert not Path(f"/proc/{keeper}").exists()
