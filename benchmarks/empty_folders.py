"""Folders that each run in turn writes to.

ext4 does not give out inodes that were freed within the last minute, and looks
at all of them for each new file: a run whose predecessor's files were removed
would pay for them. So runs take turns in folders that lie in different parts
of the disk.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import itertools
import os
import random
from pathlib import Path

FOLDERS = 128
# From linux/fs.h and ext4's documentation: folders within such a one are not
# kept together.
GET_FLAGS, SET_FLAGS = 0x80086601, 0x40086602
TOP_DIRECTORY = 0x00020000

# Not those again that the process before this one began with.
_turns = itertools.count(random.randrange(FOLDERS))


def next_folder(parent: Path) -> Path:
    """The folder whose turn it is, made if it is missing."""
    if not parent.exists():
        parent.mkdir(parents=True)
        with contextlib.suppress(OSError):  # Other file systems have no flags.
            _spread(parent)
    folder = parent / str(next(_turns) % FOLDERS)
    folder.mkdir(exist_ok=True)
    return folder


def _spread(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        flags = array.array("l", [0])
        fcntl.ioctl(descriptor, GET_FLAGS, flags)
        flags[0] |= TOP_DIRECTORY
        fcntl.ioctl(descriptor, SET_FLAGS, flags)
    finally:
        os.close(descriptor)
