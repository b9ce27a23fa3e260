"""Whether other processes can have an object."""

from __future__ import annotations

import io
import pickle
from typing import Any


class _Nowhere(io.RawIOBase):
    """Takes bytes, and keeps none."""

    def write(self, data: Any) -> int:
        """All of them."""
        return memoryview(data).nbytes


def try_pickling(value: Any) -> None:
    """Raises what pickling raises; keeps nothing in memory."""
    pickle.Pickler(_Nowhere(), protocol=5).dump(value)
