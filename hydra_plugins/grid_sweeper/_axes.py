"""The axes of a grid: each a key, or keys that go together, and the rows of values that it runs through."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hydra_plugins.grid_sweeper._options import GridError, spelled
from hydra_plugins.grid_sweeper._swept_keys import Level, SweptKey

Combination = Sequence[Level]
"""A level of each key, in the order of the keys."""


@dataclass(frozen=True)
class Axis:
    """Some keys, and what they are set to together."""

    places: tuple[int, ...]
    """Of its keys, among all keys."""
    rows: Sequence[tuple[Level, ...]]
    """Of levels, one for each of its keys."""


def axes_of(keys: Sequence[SweptKey], zipped: Sequence[Sequence[str]]) -> list[Axis]:
    """An axis for each group of keys that go together, and for each other key that has values.

    They are in the order in which the first key of each stands, so that a later one varies faster.

    Raises:
        GridError: if keys cannot go together.
    """
    place_of = {key.name: place for place, key in enumerate(keys)}
    groups = [_group(names, keys, place_of, zipped) for names in zipped]
    grouped = {place for group in groups for place in group}
    groups += [(place,) for place, key in enumerate(keys) if place not in grouped and key.interval is None]
    return [
        Axis(group, list(zip(*(keys[place].levels for place in group), strict=True)))
        for group in sorted(groups, key=lambda group: group[0])
    ]


def _group(
    names: Sequence[str], keys: Sequence[SweptKey], place_of: dict[str, int], zipped: Sequence[Sequence[str]]
) -> tuple[int, ...]:
    option = f"hydra.sweeper.zip={spelled(list(map(list, zipped)))}"
    for name in names:
        if name not in place_of:
            raise GridError(f"{option}: {name} is not swept over; {', '.join(place_of) or 'nothing'} is")
        if keys[place_of[name]].interval is not None:
            raise GridError(f"{option}: {keys[place_of[name]].line} has no values that could be counted off")
    counts = {name: len(keys[place_of[name]].levels) for name in names}
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise GridError(f"{option}: must have equally many values: {said}")
    return tuple(sorted(place_of[name] for name in names))


def number_of(axes: Sequence[Axis]) -> int:
    """How many combinations there are."""
    return math.prod(len(axis.rows) for axis in axes)


def combinations(axes: Sequence[Axis]) -> Iterator[Combination]:
    """All of them, the last axis varying fastest, as with Hydra's basic sweeper."""
    places = [place for axis in axes for place in axis.places]
    # Keys that go together may stand apart.
    order = None if places == sorted(places) else sorted(range(len(places)), key=places.__getitem__)
    for rows in itertools.product(*(axis.rows for axis in axes)):
        levels = [level for row in rows for level in row]
        yield levels if order is None else [levels[place] for place in order]
