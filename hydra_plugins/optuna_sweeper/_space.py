"""The space that overrides span, in the grammar of Hydra's sweeps: what a trial chooses, and how that is written."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep, Sweep

from hydra_plugins.optuna_sweeper._options import SearchError


class Suggests(Protocol):
    """Optuna's ``Trial``, as far as it is needed."""

    def suggest_categorical(self, name: str, choices: Sequence[str]) -> Any:
        """One of some values."""

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """A whole number, both ends included."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """A number, both ends included."""


@dataclass(frozen=True)
class Listed:
    """A key with a list of values."""

    key: str
    """As it is overridden: ``model.num_layers``, ``+x``, ``model``."""
    values: tuple[str, ...]
    """As Hydra writes them in an override."""

    def suggest(self, trial: Suggests) -> str:
        """The value that a trial has."""
        return str(trial.suggest_categorical(name_of(self.key), self.values))

    def parameter(self, value: str) -> Any:
        """What Optuna calls a value."""
        return value

    @property
    def text(self) -> str:
        """For people, and for telling one space from another."""
        return ",".join(self.values)


@dataclass(frozen=True)
class Stepped:
    """A key with numbers at even distances, as of ``range``."""

    key: str
    values: tuple[str, ...]
    """Increasing, at least two; as Hydra writes them."""
    is_whole: bool
    is_log: bool

    def suggest(self, trial: Suggests) -> str:
        """The value that a trial has."""
        low, step, high = self._ends
        name = name_of(self.key)
        found: float
        if self.is_whole:
            found = trial.suggest_int(name, int(low), int(high), step=int(step), log=self.is_log)
        else:
            found = trial.suggest_float(name, low, high, step=step)
        return self.values[round((found - low) / step)]

    def parameter(self, value: str) -> Any:
        """What Optuna calls a value."""
        return int(value) if self.is_whole else float(value)

    @property
    def _ends(self) -> tuple[float, float, float]:
        low, high = float(self.values[0]), float(self.values[-1])
        return low, (high - low) / (len(self.values) - 1), high

    @property
    def text(self) -> str:
        """For people, and for telling one space from another."""
        values = self.values if len(self.values) <= 4 else (*self.values[:2], "…", self.values[-1])
        inner = ",".join(values)
        return f"log {inner}" if self.is_log else inner


@dataclass(frozen=True)
class Between:
    """A key with all numbers between two."""

    key: str
    low: float
    high: float
    is_whole: bool
    is_log: bool

    def suggest(self, trial: Suggests) -> str:
        """The value that a trial has: exactly what Optuna has drawn."""
        name = name_of(self.key)
        if self.is_whole:
            return str(trial.suggest_int(name, int(self.low), int(self.high), log=self.is_log))
        return repr(float(trial.suggest_float(name, self.low, self.high, log=self.is_log)))

    @property
    def text(self) -> str:
        """For people, and for telling one space from another."""
        inner = f"{self.low:g} to {self.high:g}{' (whole)' if self.is_whole else ''}"
        return f"log {inner}" if self.is_log else inner


Dimension = Listed | Stepped | Between


@dataclass(frozen=True)
class Space:
    """What is searched, and what all trials share, in the order in which it was given."""

    entries: tuple[Dimension | str, ...]
    """Dimensions, and overrides that are the same for all."""
    seed_key: str | None = None
    """As it is overridden."""
    first_seed: int = 0
    listed_seeds: str | None = None
    """What the space says of the seed, which does not count."""

    @property
    def dimensions(self) -> list[Dimension]:
        """The keys that are searched."""
        return [entry for entry in self.entries if not isinstance(entry, str)]

    @property
    def fixed(self) -> list[str]:
        """The overrides that all trials share."""
        return [entry for entry in self.entries if isinstance(entry, str)]

    def overrides(self, chosen: Mapping[str, str]) -> list[str]:
        """Those of a trial, without its seed; a key that was not chosen keeps the configuration's value.

        Args:
            chosen: values by key.
        """
        found = []
        for entry in self.entries:
            if isinstance(entry, str):
                found.append(entry)
            elif entry.key in chosen:
                found.append(f"{entry.key}={chosen[entry.key]}")
        return found

    @property
    def first(self) -> dict[str, str]:
        """A choice of a value for each key."""
        return {
            each.key: str(each.low if not each.is_whole else int(each.low))
            if isinstance(each, Between)
            else each.values[0]
            for each in self.dimensions
        }

    def setting(self, overrides: Sequence[str]) -> str:
        """What of the overrides of a trial is its own, for people."""
        return " ".join(override for override in overrides if override not in self.fixed) or "(defaults)"

    def with_seed(self, overrides: Sequence[str], place: int) -> list[str]:
        """The overrides of a run, with the seed at a place among the seeds, if there is a key of seeds."""
        return list(overrides) if self.seed_key is None else [f"{self.seed_key}={self.first_seed + place}", *overrides]

    def combinations(self) -> list[dict[str, str]]:
        """Every choice of listed values, the last key's varying fastest, as with Hydra's own sweeper.

        Raises:
            SearchError: if there is a key with numbers without end.
        """
        lists = []
        for dimension in self.dimensions:
            if isinstance(dimension, Between):
                raise SearchError(
                    f"hydra.sweeper.sampler=grid: {name_of(dimension.key)} is an interval; give a range or a list"
                )
            lists.append([(dimension.key, value) for value in dimension.values])
        return [dict(combination) for combination in itertools.product(*lists)]

    def parameters(self, chosen: Mapping[str, str]) -> dict[str, Any]:
        """Chosen values by the names and in the types that Optuna has for them."""
        return {
            name_of(dimension.key): dimension.parameter(chosen[dimension.key])
            for dimension in self.dimensions
            if dimension.key in chosen and not isinstance(dimension, Between)
        }


def name_of(key: str) -> str:
    """What a key is called in a study: without a plus sign."""
    return key.lstrip("+")


def read_space(overrides: Iterable[Override], seed_key: str | None, first_seed: int = 0) -> Space:
    """The space that overrides span. A later override replaces an earlier one of its key.

    Raises:
        SearchError: if one of them cannot be searched.
    """
    latest: dict[str, Override] = {}
    for override in overrides:
        key = override.get_key_element()
        latest.pop(key, None)
        latest[key] = override
    entries: list[Dimension | str] = []
    seeds = None
    for key, override in latest.items():
        if seed_key is not None and name_of(key) == name_of(seed_key):
            seed_key = key
            if override.is_sweep_override():
                seeds = str(override.input_line).partition("=")[2]
            else:
                first_seed = _seed(override)
        elif override.is_sweep_override():
            dimension = read_dimension(override)
            entries.append(dimension)
        elif override.is_delete():
            entries.append(str(override.input_line))
        else:
            entries.append(f"{key}={override.get_value_element_as_str()}")
    return Space(tuple(entries), seed_key, first_seed, seeds)


def read_dimension(override: Override) -> Dimension | str:
    """What an override spans; with one value alone, that override.

    Raises:
        SearchError: if it cannot be searched.
    """
    key, sweep, line = override.get_key_element(), override.value(), override.input_line
    assert isinstance(sweep, Sweep)
    is_log = "log" in sweep.tags
    if isinstance(sweep, IntervalSweep):
        return _between(key, sweep, str(line), is_log=is_log)
    values = tuple(dict.fromkeys(override.sweep_string_iterator()))
    if not values:
        raise SearchError(f"{line}: there is nothing in it")
    if len(values) == 1:
        return f"{key}={values[0]}"
    if not isinstance(sweep, RangeSweep):
        if is_log:
            raise SearchError(f"{line}: log is for interval and range; a list has no scale")
        return Listed(key, values)
    ordered = tuple(sorted(values, key=float))
    is_whole = all(isinstance(end, int) for end in (sweep.start, sweep.stop, sweep.step))
    step = float(ordered[1]) - float(ordered[0])
    if is_log and (not is_whole or step != 1 or float(ordered[0]) < 1):
        raise SearchError(f"{line}: log is for ranges of whole numbers from 1 on, one by one; or for an interval")
    return Stepped(key, ordered, is_whole, is_log)


def _between(key: str, sweep: IntervalSweep, line: str, *, is_log: bool) -> Between:
    low, high = sweep.start, sweep.end
    is_whole = isinstance(low, int) and isinstance(high, int)
    if low is None or high is None or not float(low) < float(high):
        raise SearchError(f"{line}: the first end must be below the second")
    if is_log and low <= 0:
        raise SearchError(f"{line}: log needs ends above 0")
    return Between(key, float(low), float(high), is_whole, is_log)


def _seed(override: Override) -> int:
    value = override.value()
    if isinstance(value, bool) or not isinstance(value, int):
        raise SearchError(f"{override.input_line}: must be a whole number")
    return value
