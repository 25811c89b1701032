"""Sweeps of known truth, decided by the very functions that the sweeper decides by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hydra_plugins.resolve_sweeper._decision import Code, Design, IntArray, by_seed_differences, judge
from hydra_plugins.resolve_sweeper._sequential import spread_looks


@dataclass(frozen=True)
class Simulated:
    """How the contrasts of all rounds ended; each array is ``[round, contrast]``."""

    codes: IntArray
    seeds: IntArray
    """At which look; the most where it stayed open."""

    def share(self, code: Code, contrast: int = 0) -> float:
        """Of the rounds in which a contrast ended so."""
        return float((self.codes[:, contrast] == code).mean())

    def any_different(self, contrasts: Sequence[int]) -> float:
        """Share of the rounds in which any of some contrasts ended as higher or lower."""
        return float(np.isin(self.codes[:, list(contrasts)], (Code.higher, Code.lower)).any(1).mean())

    def any_equivalent(self, contrasts: Sequence[int]) -> float:
        """Share of the rounds in which any of some contrasts ended as equivalent."""
        return float((self.codes[:, list(contrasts)] == Code.equivalent).any(1).mean())


def simulate(
    effects: Sequence[float],
    *,
    margin: float | None,
    max_seeds: int = 64,
    looks: int = 6,
    correlation: float = 0.0,
    deviations: Sequence[float] | None = None,
    failures: float = 0.0,
    rounds: int = 4000,
    seed: int = 0,
) -> Simulated:
    """Sweeps of one factor: a reference, and a level for each effect.

    Args:
        effects: true differences from the reference, in standard deviations of a run.
        margin: of equivalence, in the same unit.
        max_seeds: of the design.
        looks: of the design, from 5 seeds on.
        correlation: between the settings of a seed.
        deviations: standard deviation of the reference and of each level; 1 if not given.
        failures: share of the runs that have no value.
        rounds: sweeps.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    settings = len(effects) + 1
    spread = np.ones(settings) if deviations is None else np.asarray(deviations, float)
    shared = rng.standard_normal((rounds, 1, max_seeds))
    own = rng.standard_normal((rounds, settings, max_seeds))
    values = spread[:, None] * (correlation**0.5 * shared + (1 - correlation) ** 0.5 * own)
    values += np.array([0.0, *effects])[:, None]
    values[rng.random(values.shape) < failures] = np.nan
    differences = by_seed_differences(values, [((level,), (0,)) for level in range(1, settings)])
    design = Design(spread_looks(looks, 5, max_seeds), 0.05, margin)
    codes = np.zeros(differences.shape[:2], int)
    seeds = np.full(codes.shape, max_seeds)
    for look, count in enumerate(design.looks):
        found = judge(differences, codes, look, design).codes
        seeds[(codes == Code.open) & (found != Code.open)] = count
        codes = found
    return Simulated(codes, seeds)
