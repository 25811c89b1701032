"""Points drawn at random, none twice: rows of values of some axes, and values within intervals."""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from hydra.core.override_parser.types import IntervalSweep

from hydra_plugins.grid_sweeper._axes import Axis, number_of
from hydra_plugins.grid_sweeper._options import GridError
from hydra_plugins.grid_sweeper._swept_keys import Level, SweptKey

_MOST_TRIES = 100_000
"""Points in a row that are no new ones, or are dropped, before no more are looked for."""
_DIGITS = 4
"""Of a value within an interval: a value is rounded to some ten thousandth of what there is to choose from."""


def draw(
    axes: Sequence[Axis],
    intervals: Sequence[tuple[int, SweptKey]],
    number: int,
    seed: int,
    accepts: Callable[[Axis], bool],
) -> tuple[Axis, int]:
    """Draw points.

    A larger number with the same seed gives the same points first.

    Args:
        axes: whose combinations are drawn from.
        intervals: the keys that have one, with their places among all keys.
        number: how many points.
        seed: of the generator.
        accepts: whether a point, as an axis with one row, is to be kept.

    Returns:
        The points as one axis, with fewer rows where there are no more, and how many were dropped on the way.

    Raises:
        GridError: if an interval cannot be drawn from.
    """
    for _, key in intervals:
        _check(key)
    generator = random.Random(seed)
    places = (*chain.from_iterable(axis.places for axis in axes), *(place for place, _ in intervals))
    order = sorted(range(len(places)), key=places.__getitem__)
    places = tuple(places[place] for place in order)
    rows: dict[tuple[str, ...], tuple[Level, ...]] = {}
    dropped, in_vain = 0, 0
    for drawn in _drawn(axes, intervals, generator):
        row = tuple(drawn[place] for place in order)
        name = tuple(level.override for level in row)
        if name not in rows and accepts(Axis(places, [row])):
            rows[name] = row
            in_vain = 0
        else:
            dropped += name not in rows
            in_vain += 1
        if len(rows) == number or in_vain == _MOST_TRIES:
            break
    return Axis(places, list(rows.values())), dropped


def _drawn(
    axes: Sequence[Axis], intervals: Sequence[tuple[int, SweptKey]], generator: random.Random
) -> Iterator[tuple[Level, ...]]:
    total = number_of(axes)
    if not intervals:
        yield from (_row(axes, index) for index in _shuffled(total, generator))
        return
    while True:
        row = _row(axes, int(generator.random() * total))
        yield (*row, *(_within(key, generator.random()) for _, key in intervals))


def _shuffled(total: int, generator: random.Random) -> Iterator[int]:
    """The numbers below ``total``, each once; a shuffle (Fisher & Yates) that keeps only what it has moved.

    It uses ``random()`` alone, which Python promises to keep the same for a seed.
    """
    moved: dict[int, int] = {}
    for place in range(total):
        other = place + int(generator.random() * (total - place))
        yield moved.get(other, other)
        moved[other] = moved.get(place, place)


def _row(axes: Sequence[Axis], index: int) -> tuple[Level, ...]:
    """The combination at a place in the product, the last axis varying fastest."""
    levels: list[tuple[Level, ...]] = []
    for axis in reversed(axes):
        index, place = divmod(index, len(axis.rows))
        levels.append(axis.rows[place])
    return tuple(chain.from_iterable(reversed(levels)))


def _check(key: SweptKey) -> None:
    low, high, logarithmic = _ends(key)
    if not low < high or not math.isfinite(high - low):
        raise GridError(f"{key.line}: the first number must be below the second")
    if logarithmic and low <= 0:
        raise GridError(f"{key.line}: must be above 0, because of the tag log")


def _ends(key: SweptKey) -> tuple[float, float, bool]:
    """Those of its interval, and whether its logarithm is what is drawn evenly."""
    interval = key.interval
    assert interval is not None
    assert interval.start is not None
    assert interval.end is not None
    return interval.start, interval.end, "log" in interval.tags


def _within(key: SweptKey, part: float) -> Level:
    """The value at a part of an interval, in [0, 1); whole where both ends are, as in ``int(interval(1,8))``."""
    low, high, logarithmic = _ends(key)
    whole = isinstance(low, int) and isinstance(high, int)
    top = high + 1 if whole else high
    value = low * (top / low) ** part if logarithmic else low + (top - low) * part
    if whole:
        rounded: int | float = min(math.floor(value), high)
    elif logarithmic:
        more = max(0, math.ceil(-math.log10(math.log(high / low))))
        rounded = float(f"{value:.{_DIGITS - 1 + more}e}")
    else:
        rounded = round(value, _DIGITS - math.floor(math.log10(high - low)))
    if not whole and not low <= rounded < high:
        rounded = value
    return Level(f"{key.key}={rounded}", rounded)


def examples(interval: IntervalSweep) -> str:
    """Three values of an interval, as they are typed."""
    low, high = float(interval.start or 0), float(interval.end or 0)
    parts = (0.25, 0.5, 0.75)
    if "log" in interval.tags and 0 < low < high:
        return ",".join(f"{low * (high / low) ** part:.3g}" for part in parts)
    return ",".join(f"{low + (high - low) * part:.3g}" for part in parts)
