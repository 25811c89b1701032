"""What became of the runs: a value, a failure that counts against the setting, or no result."""

import math
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from hydra.core.utils import JobReturn, JobStatus

from hydra_plugins.resolve_sweeper._decision import FloatArray
from hydra_plugins.resolve_sweeper._grid import Grid
from hydra_plugins.resolve_sweeper._options import ResolveError

Measure = Callable[[Path], float]


class Outcome(StrEnum):
    """How a run came out."""

    value = "value"
    failed = "failed"
    """By its own doing: it counts against its setting."""
    missing = "missing"
    """For whatever reason: it counts for nothing."""


class Outcomes:
    """The outcomes of all runs of a grid."""

    def __init__(self, settings: int, seeds: int) -> None:
        """None yet, of so many settings and at most so many seeds."""
        self.values: FloatArray = np.full((settings, seeds), np.nan)
        """NaN where there is no value; ``[setting, seed]``."""
        self._outcomes: dict[tuple[int, int], Outcome] = {}

    def __len__(self) -> int:
        """Runs that were made."""
        return len(self._outcomes)

    def __contains__(self, run: tuple[int, int]) -> bool:
        """Whether the run of a setting and a place among the seeds was made."""
        return run in self._outcomes

    def note(self, setting: int, seed: int, outcome: Outcome, value: float | None) -> None:
        """Keep what became of a run; ``seed`` is its place, from 0."""
        self._outcomes[setting, seed] = outcome
        self.values[setting, seed] = np.nan if value is None else value

    def count(self, settings: Iterable[int], *outcomes: Outcome) -> int:
        """Runs of some settings with one of these outcomes."""
        chosen = set(settings)
        return sum(setting in chosen and found in outcomes for (setting, _), found in self._outcomes.items())

    def same_for_every_seed(self, settings: Sequence[int]) -> bool:
        """Whether each of some settings has one value, whatever the seed."""
        values = self.values[list(settings)]
        lowest, highest = np.nanmin(values, axis=1), np.nanmax(values, axis=1)
        return bool(np.all(lowest == highest))

    def rows(self, grid: Grid, runs: Iterable[tuple[int, int]], first_seed: int) -> list[dict[str, Any]]:
        """Some runs as the record keeps them."""
        rows = []
        for setting, seed in runs:
            value = self.values[setting, seed]
            rows.append(
                {
                    "setting": grid.levels(setting),
                    "seed": first_seed + seed,
                    "outcome": self._outcomes[setting, seed].value,
                    "value": None if math.isnan(value) else float(value),
                }
            )
        return rows

    def restore(self, grid: Grid, rows: Iterable[dict[str, Any]], first_seed: int) -> None:
        """Take in what :meth:`rows` gave."""
        places = {tuple(grid.levels(setting).items()): setting for setting in range(len(grid.settings))}
        for row in rows:
            setting = places[tuple((factor.key, row["setting"][factor.key]) for factor in grid.factors)]
            self.note(setting, row["seed"] - first_seed, Outcome(row["outcome"]), row["value"])


def outcome_of(result: JobReturn, measure: Measure | None) -> tuple[Outcome, float | None, str | None]:
    """What became of a job, its value, and why it has none.

    Raises:
        ResolveError: if a job that completed has returned no number, and nothing else measures it.
    """
    label = " ".join(result.overrides or ())
    completed = result.status == JobStatus.COMPLETED
    if measure is None:
        if not completed:
            return Outcome.failed, None, None
        value = result.return_value
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            raise ResolveError(
                f"{label}: returned {value!r}, no number; a job must return one, or hydra.sweeper.measure read "
                "one from its directory"
            )
    else:
        try:
            value = measure(Path(str(result.hydra_cfg.hydra.runtime.output_dir)))  # type: ignore[union-attr]
        except Exception as error:  # whatever an application's own code raises where a run has no result
            return Outcome.missing, None, " ".join(str(error).split()) or type(error).__name__
    if not math.isfinite(value):
        return Outcome.failed, None, None
    return Outcome.value, float(value), None
