"""The best settings of a search measured again, with seeds that it has not seen: searching flatters its winner."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

from hydra_plugins.optuna_sweeper._options import Options
from hydra_plugins.optuna_sweeper._outcome import End, Outcome
from hydra_plugins.optuna_sweeper._study import Study, overrides_of

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Job:
    """A run of a setting with a fresh seed."""

    place: int
    """Among all runs that measure again, from 0."""
    trial: int
    """The one that had the setting."""
    overrides: list[str]
    seed: int
    """Its place among the seeds; those of the trials come first."""


@dataclass(frozen=True)
class Interval:
    """A mean over seeds, with its interval by Student's t."""

    mean: float
    low: float | None
    """None with fewer than two values."""
    high: float | None


class Again:
    """The runs that measure the best settings again."""

    def __init__(self, settings: Sequence[tuple[int, list[str], Sequence[float]]], options: Options) -> None:
        """``settings``: number, overrides and values of each trial, the best first."""
        self.settings = list(settings)
        self._seeds, self._replicates = options.remeasure_seeds, options.replicates
        self._outcomes: dict[tuple[int, int], Outcome] = {}
        self._waiting: deque[Job] = deque()

    def begin(self, rows: Sequence[dict[str, Any]]) -> None:
        """Take in what :meth:`rows` gave an earlier command; the other runs are to be done."""
        for row in rows:
            self._outcomes[row["trial"], row["seed"]] = Outcome(End(row["end"]), tuple(row["values"]), row["reason"])
        # The seed varies slowest, so that every setting has a result early.
        for place, seed in enumerate(range(self._replicates, self._replicates + self._seeds)):
            for rank, (trial, overrides, _) in enumerate(self.settings):
                if (trial, seed) not in self._outcomes:
                    self._waiting.append(Job(place * len(self.settings) + rank, trial, overrides, seed))

    def next(self) -> Job | None:
        """The next run; None if none waits."""
        return self._waiting.popleft() if self._waiting else None

    def note(self, place: int, outcome: Outcome) -> None:
        """How a run came out."""
        seed, rank = divmod(place, len(self.settings))
        self._outcomes[self.settings[rank][0], self._replicates + seed] = outcome

    @property
    def left(self) -> int:
        """Runs that have not ended."""
        return sum((trial, seed) not in self._outcomes for trial, _, _ in self.settings for seed in self._all_seeds)

    @property
    def is_over(self) -> bool:
        """Whether all have ended."""
        return self.left == 0

    @property
    def _all_seeds(self) -> range:
        return range(self._replicates, self._replicates + self._seeds)

    def outcomes(self, trial: int) -> list[Outcome]:
        """Of a trial's setting, by seed."""
        return [self._outcomes[trial, seed] for seed in self._all_seeds if (trial, seed) in self._outcomes]

    def rows(self) -> list[dict[str, Any]]:
        """What is kept."""
        return [
            {"trial": trial, "seed": seed, **asdict(outcome), "values": list(outcome.values)}
            for (trial, seed), outcome in self._outcomes.items()
        ]


def choose(study: Study, options: Options) -> Again | None:
    """The best settings, to be measured again; None if no trial was completed."""
    settings = [(trial.number, overrides_of(trial) or [], trial.values) for trial in study.best]
    if not settings:
        return None
    again = Again(settings[: options.remeasure], options)
    again.begin(study.measured_again)
    return again


def interval(values: Sequence[float]) -> Interval:
    """The mean of values by seed, and where it lies with 95 % confidence (Student's t)."""
    if len(values) < 2:
        return Interval(fmean(values), None, None)
    from scipy.stats import t

    mean = fmean(values)
    half = float(t.ppf(0.5 + _CONFIDENCE / 2, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half)
