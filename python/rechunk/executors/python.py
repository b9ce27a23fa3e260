"""The reference: loops and slices, no native code; slow, easy to read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rechunk.errors import RechunkError, StorageError
from rechunk.executor import Executor
from rechunk.plan import Plan
from rechunk.specs import CopySpec


def copy(spec: CopySpec, name: str) -> None:
    """Carries out one stage of an array."""
    source, target = _opened(spec.source), _opened(spec.target)
    for region in spec.regions():
        try:
            target[region] = source[region]
        except RechunkError:
            raise
        except Exception as error:
            box = ", ".join(f"{axis.start}:{axis.stop}" for axis in region)
            raise StorageError(
                f"copying [{box}] of {name or 'the array'}: {error}"
            ) from error


def _opened(array: Any) -> Any:
    """Handles open once for many slices."""
    return array.open() if hasattr(array, "open") else array


class PythonExecutor(Executor[Callable[[], dict[str, Any]]]):
    """Moves elements with slices, through zarr-python; the tests' oracle."""

    def prepare_plan(self, specs: Plan) -> Callable[[], dict[str, Any]]:
        """A function that does everything."""

        def run() -> dict[str, Any]:
            specs.prepare()
            for staged in specs:
                for stage in staged.stages:
                    copy(stage, staged.name)
            return specs.commit(by_journal=False)

        return run

    def execute_plan(
        self, plan: Callable[[], dict[str, Any]], **kwargs: Any
    ) -> dict[str, Any]:
        """Calls the function."""
        if kwargs:
            raise TypeError(
                f"executor 'python' takes no keywords, not {sorted(kwargs)}"
            )
        return plan()
