"""Runs that were killed or failed go on, in another process, on any engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from compare import assert_same_elements
from engines import ENGINES
from rechunk import Rechunked, RechunkError, rechunk
from rechunk.errors import InvalidArgumentError
from recording import NotingArray
from trees import assert_only, files, tree_hash

Run = Callable[..., None]
SECONDS = 60
MAPS_OF_A_TASK = 6
# One way at least to run each executor.
RESUMED = [
    name
    for name, engine in ENGINES.items()
    if not engine.slow or name == "prefect"
]
KILLED = {
    "threads": "threads",
    "dask-threads": "dask",
    "dask-processes": "dask",
    "beam": "beam",
}
SCRIPT = """
import sys
from engines import ENGINES
from test_resume import plan
from pathlib import Path

if __name__ == "__main__":
    engine = ENGINES[sys.argv[1]]
    engine.run(plan(Path(sys.argv[2]), engine.executor), None, {})
"""
CLIENT = """
import os, sys
from contextlib import nullcontext
from pathlib import Path

from distributed import Client, LocalCluster
from test_resume import plan

if __name__ == "__main__":
    folder, address = sys.argv[1:]
    made = nullcontext(address) if address else LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    )
    with made as cluster, Client(cluster, set_as_default=False) as client:
        print(*client.run(os.getpid).values(), flush=True)
        plan(Path(folder), "dask").execute(scheduler=client)
"""


def make_source(folder: Path, maps: int = 60) -> np.ndarray:
    """Write a source in so many chunks; return its elements."""
    elements = np.random.default_rng(5).normal(size=(maps, 80, 90))
    zarr.create_array(folder / "source", data=elements, chunks=(1, 80, 90))
    return elements


def plan(folder: Path, executor: str, **options: Any) -> Rechunked:
    """Plan it so that there are many tasks, which take some time."""
    return rechunk(
        folder / "source",
        (6, 20, 30),
        "8MB",
        folder / "target",
        executor=executor,
        threads=2,
        codec="zstd:19",
        **options,
    )


def records(folder: Path) -> list[int]:
    """The first tasks of the batches that are done, of the only stage."""
    done = folder / "target.rechunk/done/0/0"
    return [int(path.name.split("-")[0]) for path in done.glob("*-*")]


def fail(folder: Path, run: Callable[[], object]) -> None:
    """Run into a damaged chunk, but not before a task is done."""
    chunk = folder / "source/c/50/0/0"
    whole = chunk.read_bytes()
    chunk.write_bytes(b"damaged")
    for _ in range(20):  # Dask takes tasks in any order.
        with pytest.raises(RechunkError, match="c/50/0/0"):
            run()
        time.sleep(0.5)  # Tasks beside the one that failed may still end.
        if records(folder):
            break
    chunk.write_bytes(whole)


def objects(folder: Path) -> dict[str, tuple[int, int]]:
    """The whole objects of the target; another one for each new writing.

    Those of a run that replaces it lie beside it until it ends.
    """
    new = [*folder.glob(".target.rechunk-new/*"), folder / "target"]
    return {
        name: (path.stat().st_ino, path.stat().st_mtime_ns)
        for name, path in files(new[0]).items()
        if not name.endswith((".partial", "zarr.json"))
    }


def assert_resumed(
    folder: Path, before: dict[str, tuple[int, int]], status: dict[str, Any]
) -> None:
    """Objects of tasks that were done are those that were there before."""
    after = objects(folder)
    kept = sum(before[name] == after[name] for name in before)
    assert kept >= len(after) * status["tasks_done"] // status["tasks"] > 0


@pytest.mark.parametrize("engine", RESUMED)
def test_a_failed_run_is_gone_on_with_by_another_plan(
    run: Run, tmp_path: Path, engine: str
) -> None:
    """As another process would make it; what is done is not done again."""
    elements = make_source(tmp_path)
    name = ENGINES[engine].executor
    fail(tmp_path, lambda: run(engine, plan(tmp_path, name)))
    again = plan(tmp_path, name)
    status, before = again.status(), objects(tmp_path)
    assert status["state"] == "stopped"
    run(engine, again)
    assert_resumed(tmp_path, before, status)
    assert again.status()["state"] == "complete"
    assert_same_elements(zarr.open_array(tmp_path / "target")[...], elements)
    assert_only(tmp_path, "source", "target")


@pytest.mark.parametrize("engine", KILLED)
def test_a_killed_run_is_gone_on_with(
    run: Run, tmp_path: Path, engine: str
) -> None:
    """The process that called execute() dies, its workers soon after."""
    elements = make_source(tmp_path, 240)
    (tmp_path / "script.py").write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, tmp_path / "script.py", engine, tmp_path],
        start_new_session=True,
    )
    wait_for_records(tmp_path, process, 1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    again = plan(tmp_path, KILLED[engine])
    status, before = again.status(), objects(tmp_path)
    assert status["state"] == "stopped"
    assert 0 < status["tasks_done"] < status["tasks"]
    run(engine, again)
    assert_resumed(tmp_path, before, status)
    assert_same_elements(zarr.open_array(tmp_path / "target")[...], elements)
    assert_only(tmp_path, "source", "target", "script.py")


def start_client(
    folder: Path, address: str = ""
) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a process that executes on a cluster; its workers, if its own."""
    (folder / "script.py").write_text(CLIENT)
    process = subprocess.Popen(
        [sys.executable, folder / "script.py", folder, address],
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    return process, [int(pid) for pid in process.stdout.readline().split()]


def wait_for_records(
    folder: Path, process: subprocess.Popen[Any], count: int
) -> None:
    """Until so many batches of tasks are done."""
    records = folder / "target.rechunk" / "done"
    deadline = time.monotonic() + SECONDS
    # Others, with a longer name, are being written.
    while len(list(records.glob("*/*/*[0-9]-*[0-9]"))) < count:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)


def test_after_a_killed_client_of_dask_the_same_call_goes_on(
    tmp_path: Path, cluster: Any
) -> None:
    """At once, on workers that may still be at the dead client's tasks."""
    elements = make_source(tmp_path)
    process, _ = start_client(tmp_path, cluster.scheduler.address)
    wait_for_records(tmp_path, process, 2)
    process.kill()
    process.wait()
    again = plan(tmp_path, "dask")
    status, before = again.status(), objects(tmp_path)
    assert status["state"] == "stopped"
    assert 0 < status["tasks_done"] < status["tasks"]
    again.execute(scheduler=cluster)
    assert_resumed(tmp_path, before, status)
    assert_same_elements(zarr.open_array(tmp_path / "target")[...], elements)
    assert_only(tmp_path, "source", "target", "script.py")


def test_killed_workers_of_dask_and_then_all_of_it_and_the_command_goes_on(
    tmp_path: Path,
) -> None:
    """The target is that of an undisturbed run on threads, byte for byte."""
    make_source(tmp_path)
    plan(tmp_path, "threads").execute()
    (tmp_path / "target").rename(tmp_path / "expected")
    process, workers = start_client(tmp_path)
    wait_for_records(tmp_path, process, 1)
    os.kill(workers[0], signal.SIGKILL)
    wait_for_records(tmp_path, process, 3)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(0.5)  # Workers end when nobody is there any more.
    status, before = plan(tmp_path, "dask").status(), objects(tmp_path)
    assert 0 < status["tasks_done"] < status["tasks"]
    command(tmp_path, "resume")
    assert_resumed(tmp_path, before, status)
    assert tree_hash(tmp_path / "target") == tree_hash(tmp_path / "expected")
    assert_only(tmp_path, "source", "target", "expected", "script.py")


def test_a_run_goes_on_on_another_engine(tmp_path: Path) -> None:
    """And with the memory and threads of the plan that it began with."""
    elements = make_source(tmp_path)
    fail(
        tmp_path,
        lambda: plan(tmp_path, "dask").execute(scheduler="synchronous"),
    )
    with pytest.raises(InvalidArgumentError, match="unfinished"):
        rechunk(tmp_path / "source", (6, 20, 30), "2MB", tmp_path / "target")
    again = plan(tmp_path, "threads")
    status, before = again.status(), objects(tmp_path)
    again.execute()
    assert_resumed(tmp_path, before, status)
    assert_same_elements(zarr.open_array(tmp_path / "target")[...], elements)


@pytest.mark.parametrize(
    ("name", "keywords"),
    [("threads", {}), ("dask", {"scheduler": "synchronous"})],
)
def test_overwrite_begins_anew_where_the_source_changed(
    tmp_path: Path, name: str, keywords: dict[str, str]
) -> None:
    """And goes on where it is the same."""
    elements = make_source(tmp_path)

    def run() -> None:
        plan(tmp_path, name, overwrite=True).execute(**keywords)

    for change in (False, True):
        fail(tmp_path, run)
        again = plan(tmp_path, name, overwrite=True)
        status, before = again.status(), objects(tmp_path)
        if change:
            read = MAPS_OF_A_TASK * records(tmp_path)[0]
            zarr.open_array(tmp_path / "source", mode="r+")[read] = 4.5
            elements[read] = 4.5
            refused = command(tmp_path, "resume", code=1)
            assert "changed since it was read" in refused.stderr
        assert_same_elements(again.execute(**keywords)[...], elements)
        if not change:
            assert_resumed(tmp_path, before, status)
    assert_only(tmp_path, "source", "target")


def test_a_source_that_changed_is_refused(tmp_path: Path) -> None:
    """By every engine: the process that executes looks first."""
    make_source(tmp_path)
    fail(
        tmp_path,
        lambda: plan(tmp_path, "dask").execute(scheduler="synchronous"),
    )
    number = MAPS_OF_A_TASK * records(tmp_path)[0]
    read = tmp_path / f"source/c/{number}/0/0"
    read.write_bytes(read.read_bytes())
    for name in ("dask", "threads", "beam"):
        with pytest.raises(
            InvalidArgumentError, match=f"c/{number}/0/0 changed"
        ):
            plan(tmp_path, name).execute()
    assert not (tmp_path / "target/zarr.json").exists()


@pytest.mark.parametrize("name", ["threads", "dask"])
def test_two_runs_do_not_write_to_one_target(tmp_path: Path, name: str) -> None:
    """The second is told who is at work, whatever it is run by."""
    elements = make_source(tmp_path)
    slow = NotingArray(tmp_path / "source", tmp_path / "notes", seconds=0.1)
    first = rechunk(
        slow, (60, 10, 10), "8MB", tmp_path / "target", executor=name
    )
    thread = threading.Thread(target=first.execute)
    thread.start()
    while first.status()["state"] != "running":
        assert thread.is_alive()
        time.sleep(0.01)
    assert first.status()["owner"]["pid"] == os.getpid()
    for other in ("threads", "dask", "python"):
        with pytest.raises(
            InvalidArgumentError, match=r"is at work there|exists"
        ):
            plan(tmp_path, other, overwrite=True).execute()
    thread.join()
    assert_same_elements(zarr.open_array(tmp_path / "target")[...], elements)
    assert_only(tmp_path, "source", "target", "notes")


def test_the_command_goes_on_where_the_source_is_a_place(
    tmp_path: Path,
) -> None:
    """And says why it cannot where the source was an object of Python."""
    elements = make_source(tmp_path)
    fail(tmp_path, plan(tmp_path, "threads").execute)
    command(tmp_path, "resume")
    assert_same_elements(zarr.open_array(tmp_path / "target")[...], elements)

    chunk = tmp_path / "source/c/50/0/0"
    whole = chunk.read_bytes()
    chunk.write_bytes(b"damaged")
    array = NotingArray(tmp_path / "source", tmp_path / "notes")
    with pytest.raises(RechunkError):
        rechunk(array, (60, 10, 10), "1MB", tmp_path / "target2").execute()
    chunk.write_bytes(whole)
    refused = command(tmp_path, "resume", "target2", code=1)
    assert "given in Python" in refused.stderr
    command(tmp_path, "discard", "target2")
    assert_only(tmp_path, "source", "target", "notes")


def command(
    folder: Path, word: str, target: str = "target", code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the command that the package carries."""
    path = Path(sys.executable).with_name("rechunk")
    done = subprocess.run(
        [path, word, folder / target], capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    return done


def test_a_durable_run(tmp_path: Path) -> None:
    """A place that is no path cannot be made durable: refused."""
    elements = make_source(tmp_path)
    assert_same_elements(
        plan(tmp_path, "dask", durable=True).execute()[...], elements
    )
    with pytest.raises(NotImplementedError, match="durable"):
        rechunk(
            tmp_path / "source",
            (6, 20, 30),
            "8MB",
            zarr.storage.MemoryStore(),
            durable=True,
        )
