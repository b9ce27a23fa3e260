"""--overwrite where the new target cannot take the old one's place, or may.

Mounts are made in a namespace of their own, which root may have; elsewhere
these tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import stat
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import zarr

from binary import SANITIZER, Rechunk
from compare import assert_same_elements, read
from trees import assert_only, tree_hash

RNG = np.random.default_rng(1616)
CHUNKS = ("--chunks", "7,7")
IN_PLACE = "--overwrite-in-place"
NOBODY = 65534
PATIENCE_SECONDS = 60


def run(*command: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE_SECONDS,
    )
    assert not SANITIZER.search(done.stderr), done
    return done


def run_mounted(
    mounts: str, *command: object, after: str = ":"
) -> subprocess.CompletedProcess[str]:
    """Run a command where something is mounted that nobody else sees."""
    if run("unshare", "-m", "true").returncode != 0:
        pytest.skip("mounting needs root, and a machine that allows it")
    script = f'{mounts} || exit 99; "$@"; code=$?; {after}; exit $code'
    done = run("unshare", "-m", "sh", "-c", script, "sh", *command)
    if done.returncode == 99:
        pytest.skip(f"this machine mounts nothing: {done.stderr}")
    return done


def assert_refused(done: subprocess.CompletedProcess[str], cause: str) -> None:
    """It says why, and names the other way."""
    assert done.returncode == 1, done
    assert cause in done.stderr, done
    assert f"hint: {IN_PLACE}" in done.stderr, done


@pytest.mark.parametrize("kind", ["bind", "tmpfs"])
def test_a_mount_point_is_refused(
    rechunk: Rechunk, place: Path, kind: str
) -> None:
    """Also one whose folder lies on the same disk; in place it is written."""
    target, disk = place / "g/b", place / "disk"
    target.rename(disk)
    target.mkdir()
    mounts, after = f"mount --bind {disk} {target}", ":"
    if kind == "tmpfs":
        mounts = f"mount -t tmpfs none {target} && cp -r {disk}/. {target}"
        after = f"rm -r {disk} && cp -r {target} {disk}"
    before = tree_hash(disk)
    command = (rechunk.path, "run", place / "a", target, *CHUNKS)
    done = run_mounted(mounts, *command, "--overwrite", after=after)
    assert_refused(done, f"replacing {target}: it is a mount point")
    assert tree_hash(disk) == before
    assert_only(place, "a", "g", "disk")
    assert_only(place / "g", "b", "zarr.json")
    done = run_mounted(mounts, *command, IN_PLACE, after=after)
    assert done.returncode == 0, done
    assert_same_elements(read(place / "a"), read(disk))
    assert_only(place / "g", "b", "zarr.json")


def test_a_disk_without_room_for_both_is_refused(
    rechunk: Rechunk, place: Path
) -> None:
    """Before anything is written; in place there is room."""
    small, kept = place / "small", place / "kept"
    small.mkdir()
    noise = RNG.integers(0, 256, (700, 1000), dtype="u1")
    for name, chunks in (("n", (10, 1000)), ("o", (70, 100))):
        zarr.create_array(
            place / name, data=noise, chunks=chunks, compressors=None
        )
    mounts = (
        f"mount -t tmpfs -o size=1200k none {small} && "
        f"cp -r {place}/o {small}/t"
    )
    after = f"cp -r {small} {kept}"
    words = ("run", place / "n", small / "t", "--chunks", "50,50")
    done = run_mounted(mounts, rechunk.path, *words, "--overwrite", after=after)
    assert_refused(done, "beside the old one until it is complete")
    assert_only(kept, "t")
    assert tree_hash(kept / "t") == tree_hash(place / "o")
    shutil.rmtree(kept)
    done = run_mounted(mounts, rechunk.path, *words, IN_PLACE, after=after)
    assert done.returncode == 0, done
    assert_same_elements(read(place / "n"), read(kept / "t"))


def test_a_folder_that_may_not_be_written_is_refused(
    rechunk: Rechunk, place: Path
) -> None:
    """The target belongs to the user, the folder around it does not."""
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    binary, target = place / "rechunk", place / "g/b"
    shutil.copy(rechunk.path, binary)
    for path in (target, *target.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    before = tree_hash(place / "g")
    command = (
        *("setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"),
        *(binary, "run", place / "a", target, *CHUNKS),
    )
    done = run(*command, "--overwrite")
    assert done.returncode == 1, done
    assert "you may not write to the folder around it" in done.stderr
    # Not as the way out: its journal needs that folder, too.
    assert "choose a target elsewhere" in done.stderr
    assert IN_PLACE in done.stderr
    assert run(*command, IN_PLACE).returncode == 1
    assert tree_hash(place / "g") == before
    # A folder in which everybody may only rename what is their own.
    (place / "g").chmod(0o1777)
    for path in (target, *target.rglob("*")):
        os.chown(path, 0, 0)
        path.chmod(path.stat().st_mode | 0o666)
    assert_refused(run(*command, "--overwrite"), "it belongs to somebody else")
    assert tree_hash(place / "g") == before
    assert_only(place / "g", "b", "zarr.json")
    for path in (target, *target.rglob("*")):
        path.chmod(0o777)
    done = run(*command, IN_PLACE)
    assert done.returncode == 0, done
    assert_same_elements(read(place / "a"), read(target))
    assert_only(place / "g", "b", "zarr.json")


def acl_of(user: int) -> bytes:
    """Return an ACL that lets one more user read and enter."""
    no_id = 0xFFFFFFFF
    entries = (
        *((0x01, 7, no_id), (0x02, 5, user), (0x04, 5, no_id)),
        *((0x10, 5, no_id), (0x20, 0, no_id)),
    )
    return struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", *entry) for entry in entries
    )


@pytest.mark.parametrize("which", ["g/b", "g"])
def test_owner_mode_and_acl_stay(
    rechunk: Rechunk, place: Path, which: str
) -> None:
    """Of an array, and of a group."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    target = place / which
    os.chown(target, NOBODY, 1234)
    target.chmod(0o2750)
    access, default = "system.posix_acl_access", "system.posix_acl_default"
    try:
        os.setxattr(target, access, acl_of(4321))
        os.setxattr(target, default, acl_of(4322))
    except OSError:
        access = ""
    before = target.stat()
    acls = {n: os.getxattr(target, n) for n in (access, default) if access}
    rechunk.ok("run", place / "a", target, *CHUNKS, "--overwrite")
    assert_same_elements(read(place / "a"), read(target))
    after = target.stat()
    assert after.st_ino != before.st_ino
    assert (after.st_uid, after.st_gid) == (NOBODY, 1234)
    assert stat.S_IMODE(after.st_mode) == stat.S_IMODE(before.st_mode)
    if not access:
        pytest.skip("owner and mode stay; this disk has no ACLs")
    for name, acl in acls.items():
        assert os.getxattr(target, name) == acl
