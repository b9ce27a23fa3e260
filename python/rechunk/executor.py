"""The interface of what runs a plan."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from rechunk.plan import Plan

T = TypeVar("T")


class Executor(ABC, Generic[T]):
    """Runs plans on an engine. T: the engine's own type of plan."""

    #: True if running a plan already keeps other runs away from its target.
    leads: bool = False

    @abstractmethod
    def prepare_plan(self, specs: Plan) -> T:
        """The plan for the engine, with the commit. Starts nothing.

        A `Plan` is an iterable of `StagedCopySpec`, and also has `steps`.
        """

    def check_plan(self, plan: T, **kwargs: Any) -> None:
        """Called before the run begins; raises if it cannot run it so."""

    @abstractmethod
    def execute_plan(self, plan: T, **kwargs: Any) -> dict[str, Any] | None:
        """Runs such a plan to its end. Keywords are the engine's.

        Returns the result of the commit step, if the engine returns it.
        """
