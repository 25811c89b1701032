"""What a look at the values so far settles: arithmetic over arrays, for one sweep or for thousands of simulated ones.

Every array may have leading axes ``...`` of simulations. A contrast is a level against the reference of its factor, and
its difference in one seed is a mean over all combinations of the other factors' levels: one value a seed, whatever the
correlation between the settings of a seed, so that a t statistic of these is valid.

Two kinds of errors are kept at ``alpha`` each, over all contrasts and all looks: to call different what is equal, and
to call equivalent what differs by the margin or more. Both follow from repeated confidence intervals (Jennison &
Turnbull 1989, JRSS B 51:305-361), by a step-down in the manner of Holm for each kind (Ye, Li, Liu & Yao 2013,
Statistics in Medicine 32:1112-1124; Maurer & Bretz 2013, Statistics in Biopharmaceutical Research 5:311-320): the
first of ``m`` contrasts at ``alpha / m``, the next at ``alpha / (m - 1)``. What ended as equivalent does not make it
easier to find a difference, for it is no rejected hypothesis of equality: there the divisor counts found differences
alone, and for equivalences those alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from hydra_plugins.resolve_sweeper._sequential import critical_t

FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
IntArray = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

_NO_SPREAD = 1e-12
"""Of the largest difference: a smaller standard deviation is rounding."""


class Code(IntEnum):
    """What is known of a contrast."""

    open = 0
    higher = 1
    lower = -1
    equivalent = 2


@dataclass(frozen=True)
class Design:
    """What is settled before the first run."""

    looks: tuple[int, ...]
    """Seeds at each look, increasing; the last is the most that there can be."""
    alpha: float
    margin: float | None
    """The largest difference that does not matter, in the measure's unit; None: no contrast ends as equivalent, unless
    its settings give the very same values."""

    @property
    def fractions(self) -> tuple[float, ...]:
        """Of the most seeds, at each look."""
        return tuple(count / self.looks[-1] for count in self.looks)


@dataclass(frozen=True)
class Judgement:
    """The contrasts after a look; each array is ``[..., contrast]``."""

    codes: IntArray
    """:class:`Code` of each."""
    means: FloatArray
    """Of the differences by seed; NaN where there is none."""
    low: FloatArray
    high: FloatArray
    """The repeated confidence interval by which the contrast was settled, or was not: it excludes zero where the code
    is higher or lower, and lies within the margin where it is equivalent. Infinite where a look can say nothing yet."""
    seeds: IntArray
    """Differences by seed that there are."""


def by_seed_differences(values: FloatArray, contrasts: Sequence[tuple[Sequence[int], Sequence[int]]]) -> FloatArray:
    """The difference of each contrast in each seed.

    Args:
        values: what was measured; NaN where a run failed or was not made; ``[..., setting, seed]``.
        contrasts: for each the settings of its level, and those of the reference in the same contexts.

    Returns:
        Means over the contexts, ``[..., contrast, seed]``; NaN in a seed that lacks a value.
    """
    return np.stack(
        [
            values[..., list(level), :].mean(-2) - values[..., list(reference), :].mean(-2)
            for level, reference in contrasts
        ],
        axis=-2,
    )


def judge(differences: FloatArray, codes: IntArray, look: int, design: Design) -> Judgement:
    """Settle what can be settled at a look.

    Args:
        differences: as :func:`by_seed_differences` gives them, with NaN for what is missing; ``[..., contrast, seed]``,
            of which the first ``design.looks[look]`` seeds are used.
        codes: of :class:`Code`, as the look before left them; what is not open stays as it is; ``[..., contrast]``.
        look: from 0.
        design: of the whole.
    """
    so_far = differences[..., : design.looks[look]]
    present = ~np.isnan(so_far)
    seeds = present.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(present, so_far, 0).sum(-1) / seeds
        squares = np.where(present, (so_far - means[..., None]) ** 2, 0).sum(-1)
        errors = np.sqrt(squares / (seeds - 1) / seeds)
        largest = np.abs(np.where(present, so_far, 0)).max(-1, initial=0)
        same = (seeds >= 2) & (squares <= (_NO_SPREAD * largest) ** 2)
        critical = _critical(present, look, design)
        codes = codes.copy()
        halves = np.full(means.shape, np.nan)

        def at_level(*kinds: Code) -> FloatArray:
            """Half the interval's width, at the level that found differences (or equivalences) leave to the others."""
            found = np.isin(codes, kinds).sum(-1, keepdims=True).clip(max=codes.shape[-1] - 1)
            table = np.broadcast_to(found[..., None], (*codes.shape, 1))
            return np.asarray(np.take_along_axis(critical, table, -1)[..., 0] * errors)

        def settle(now: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]", code: IntArray, half: FloatArray) -> bool:
            codes[now], halves[now] = np.broadcast_to(code, codes.shape)[now], half[now]
            return bool(now.any())

        while True:
            half = at_level(Code.higher, Code.lower)
            if not settle((codes == Code.open) & ~same & (np.abs(means) > half), np.sign(means).astype(int), half):
                break
        identical = (codes == Code.open) & same & (largest == 0)
        settle(identical, np.asarray(int(Code.equivalent)), np.zeros(means.shape))
        while design.margin is not None:
            half = at_level(Code.equivalent)
            inside = np.abs(means) + half < design.margin
            if not settle((codes == Code.open) & ~same & inside, np.asarray(int(Code.equivalent)), half):
                break
        wider = np.fmax(at_level(Code.higher, Code.lower), at_level(Code.equivalent))
        halves = np.where(codes == Code.open, np.where(same | np.isnan(wider), np.inf, wider), halves)
    return Judgement(codes, means, means - halves, means + halves, seeds)


def _critical(present: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]", look: int, design: Design) -> FloatArray:
    """Critical t of each contrast, by how many contrasts are settled already; ``[..., contrast, settled]``."""
    contrasts = present.shape[-2]
    history = np.stack([present[..., :count].sum(-1) for count in design.looks[: look + 1]], axis=-1)
    distinct, place = np.unique(history.reshape(-1, look + 1), axis=0, return_inverse=True)
    fractions = design.fractions[: look + 1]
    table = np.array(
        [
            [
                critical_t(tuple(map(int, counts)), fractions, design.alpha / (contrasts - settled))
                for settled in range(contrasts)
            ]
            for counts in distinct
        ]
    )
    return table[place.reshape(-1)].reshape(*present.shape[:-1], contrasts)
