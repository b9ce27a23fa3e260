"""Ten million chunks: plans stay small and tasks start at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engines import ENGINES

# What one process does; prints seconds and growth of its memory.
SCRIPT = """
import contextlib, importlib, json, sys, time
from pathlib import Path

name, source, target = sys.argv[1:]
import numpy, zarr
if name != "threads" and name != "python":
    importlib.import_module({"beam": "apache_beam"}.get(name, name))
import rechunk, rechunk.plan
from rechunk.executors import get_executor

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024

class First(Exception):
    pass

def first(*_):
    raise First

executor = get_executor(name)
stack = contextlib.ExitStack()
if name == "prefect":
    from prefect import flow, task
    from prefect.testing.utilities import prefect_test_harness

    stack.enter_context(prefect_test_harness(server_startup_timeout=120))
    flow(lambda: task(lambda: 1).submit().result(), name="warm")()
before = peak()
begin = time.monotonic()
rechunked = rechunk.rechunk(
    source, (100_000, 1, 1), "2GB", target, executor=executor
)
plan = rechunked.plan
prepared = time.monotonic()
if name == "threads":
    rechunk.plan.Plan.run_native = first
else:
    rechunk.plan.Plan.prepare = first
    rechunk.plan.Plan.run = first
try:
    rechunked.execute(**({"scheduler": "sync"} if name == "dask" else {}))
except Exception as error:
    if "First" not in repr(error) + str(type(error)):
        raise
started = time.monotonic()
print(json.dumps({
    "tasks": [s["tasks"] for s in rechunked.describe()["arrays"][0]["stages"]],
    "objects": rechunked.describe()["arrays"][0]["stages"][0]["objects_read"],
    "prepare": prepared - begin,
    "start": started - prepared,
    "growth": peak() - before,
}))
stack.close()
"""
OF_PREFECT = {
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}


@pytest.mark.parametrize(
    "executor", sorted({"python", *(way.executor for way in ENGINES.values())})
)
def test_ten_million_chunks(tmp_path: Path, executor: str) -> None:
    """Seconds, and 200 MB, whatever the executor."""
    source = tmp_path / "source"
    source.mkdir()
    document = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [1_000_000, 100, 1000],
        "data_type": "float32",
        "chunk_grid": {
            "name": "regular",
            "configuration": {"chunk_shape": [10, 10, 10]},
        },
        "chunk_key_encoding": {"name": "default"},
        "fill_value": 0,
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "attributes": {},
    }
    (source / "zarr.json").write_text(json.dumps(document))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, executor, source, tmp_path / "target"],
        env={
            **os.environ,
            **OF_PREFECT,
            "PREFECT_HOME": str(tmp_path / "home"),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["objects"] >= 10**7
    assert told["prepare"] < 10
    assert told["start"] < 15
    assert told["growth"] < 200e6
