"""The parts of a run, and small ones that are packed together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

#: Array, stage, and tasks [first, stop) of it.
Tasks = tuple[int, int, int, int]

_SMALL_BYTES = 1 << 20
_MOST_TOGETHER = 64
# Fewer small arrays than this are no trouble.
_MANY = 32


@dataclass(frozen=True)
class Step:
    """A part of a run whose tasks are independent of each other.

    `kind`: "prepare", "copy", "release" or "commit". The step has the tasks
    [first, stop) of a stage of an array; `array` and `stage` are indices into
    `Plan.describe()`. `after`: indices of the steps that must end before this
    one; all are smaller. `others`: tasks of other, small arrays that this step
    copies, too.
    """

    kind: str
    array: int
    stage: int
    first: int
    stop: int
    after: tuple[int, ...]
    others: tuple[Tasks, ...] = ()

    @property
    def tasks(self) -> Tasks:
        """Without others."""
        return (self.array, self.stage, self.first, self.stop)

    def part(self, first: int, stop: int) -> Step:
        """The same with fewer tasks."""
        return replace(self, first=first, stop=stop)


def packed(steps: list[Step], size_of: Callable[[Step], int]) -> list[Step]:
    """The same steps; many small copies become fewer steps.

    Only copies for which nothing but the commit waits are packed. A group may
    have thousands of coordinates, and each of them would be a step.
    """
    # The last step is the commit, which waits for all.
    awaited = {before for step in steps[:-1] for before in step.after}
    small = [
        number
        for number, step in enumerate(steps)
        if step.kind == "copy"
        and step.after == (0,)
        and number not in awaited
        and size_of(step) <= _SMALL_BYTES
    ]
    if len(small) < 2 * _MANY:
        return steps
    length = min(_MOST_TOGETHER, len(small) // _MANY)
    pack_of = {number: place // length for place, number in enumerate(small)}
    result: list[Step] = []
    made: dict[int, int] = {}  # Packs, where they stand.
    places: list[int] = []
    for number, step in enumerate(steps):
        after = tuple(dict.fromkeys(places[before] for before in step.after))
        pack = pack_of.get(number)
        if pack is not None and pack in made:
            place = made[pack]
            others = (*result[place].others, step.tasks)
            result[place] = replace(result[place], others=others)
            places.append(place)
            continue
        if pack is not None:
            made[pack] = len(result)
        places.append(len(result))
        result.append(replace(step, after=after))
    return result
