"""Values at equal ratios, rounded as a person would write them: ``logspace(1e-4,1e-1,7)``."""

import itertools
import math
from decimal import Decimal

from hydra.core.override_parser.types import ChoiceSweep

_FEWEST_DIGITS = 2
_MOST_DIGITS = 15
_EXACT_DIGITS = 4
"""A value that has no more digits than these by itself stays as it is: 128 between 16 and 256."""
_ROUNDING_ERROR = 1e-10
"""Of a value that is computed through logarithms."""


class LogSpace(ChoiceSweep):
    """What Hydra's grammar makes of ``logspace``: a choice among its values."""


def logspace(start: int | float, stop: int | float, n: int) -> LogSpace:
    """The function of Hydra's grammar, for :func:`logarithmic_values`."""
    return LogSpace(list=list(logarithmic_values(start, stop, n)))


def logarithmic_values(start: float, stop: float, n: int) -> list[int | float]:
    """``n`` values from ``start`` to ``stop``, both as they are given, each about the same multiple of the one before.

    Those between have two significant digits, or as many as it takes for all to differ; one that is a number of up to
    four digits by itself keeps them. Between two whole numbers all are whole.

    Raises:
        ValueError: saying what is allowed.
    """
    if n < 2:
        raise ValueError(f"n={n}: must be a whole number, at least 2")
    for name, end in (("start", start), ("stop", stop)):
        if not 0 < end < math.inf:
            raise ValueError(f"{name}={end}: must be a number above 0")
    if start == stop:
        raise ValueError(f"start and stop are both {start}: must differ")
    whole = isinstance(start, int) and isinstance(stop, int)
    low, high = math.log(start), math.log(stop)
    exact = [math.exp(low + (high - low) * place / (n - 1)) for place in range(1, n - 1)]
    for digits in range(_FEWEST_DIGITS, _MOST_DIGITS + 1):
        values = [start, *(_rounded(value, digits, whole=whole) for value in exact), stop]
        if _goes_one_way(values):
            return values
    kind = "whole numbers" if whole else "numbers"
    more = f"; logspace({float(start)},{stop},{n}) has fractions" if whole else ""
    raise ValueError(f"there are no {n} different {kind} from {start} to {stop}{more}")


def _rounded(value: float, digits: int, *, whole: bool) -> int | float:
    short = _significant(value, _EXACT_DIGITS)
    if abs(short - value) > _ROUNDING_ERROR * value:
        short = _significant(value, digits)
    return round(short) if whole else short


def _significant(value: float, digits: int) -> float:
    return float(f"{Decimal(value):.{digits - 1}e}")


def _goes_one_way(values: list[int | float]) -> bool:
    rises = {later > earlier for earlier, later in itertools.pairwise(values) if later != earlier}
    return len(rises) == 1 and len(set(values)) == len(values)
