"""The sweeper's options, each declared once: Hydra's configuration, checked values and the documentation's table."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hydra.errors import CompactHydraException

from hydra_plugins.optuna_sweeper._conditions import Condition, read_conditions
from hydra_plugins.workstation_launcher import (
    check_function,
    checked,
    configuration_node,
    option,
    register_node,
    table_of,
)


class SearchError(CompactHydraException):
    """What its user can act on: an option, a space or a study that cannot be used; the message is one line."""


SAMPLERS = ("tpe", "random", "qmc", "cmaes", "gp", "grid", "nsgaii")
PRUNERS = ("median", "hyperband", "patient")
_DIRECTIONS = ("minimize", "maximize")


def _whole(least: int, *, absent: bool = False) -> Callable[[Any], int | None]:
    def check(value: Any) -> int | None:
        if absent and value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{'null or ' if absent else ''}a whole number, at least {least}")
        return value

    return check


def _rate(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1 or math.isnan(value):
        raise ValueError("a number from 0 to 1")
    return float(value)


def _name(*allowed: str, absent: bool = False) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        if absent and value is None:
            return None
        if value not in allowed:
            raise ValueError(f"{'null, ' if absent else ''}{', '.join(allowed[:-1])} or {allowed[-1]}")
        return str(value)

    return check


def _directions(value: Any) -> tuple[str, ...]:
    given = value if isinstance(value, list | tuple) else [value]
    if not given or any(each not in _DIRECTIONS for each in given):
        raise ValueError("minimize or maximize, or a list with one of them for each objective")
    return tuple(given)


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) and each for each in value):
        raise ValueError("a list of names, such as [accuracy,parameters]")
    return tuple(value)


def _text(value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or not value):
        raise ValueError("null or a text")
    return value


def _key(value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or not value or set(value) & set("= ,")):
        raise ValueError("null or a key of the configuration")
    return value


def _mapping(what: str) -> Callable[[Any], dict[str, Any]]:
    def check(value: Any) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise ValueError(f"a mapping {what}")
        return {str(key): each for key, each in value.items()}

    return check


@dataclass(frozen=True, kw_only=True)
class Options:
    """The checked options."""

    params: Mapping[str, Any] = option(
        None,
        _mapping("of keys to what is searched, such as {optimizer.lr: 'tag(log,interval(1e-4,1e-1))'}"),
        "The space, as on the command line: `choice`, `range`, `interval`, `tag(log, …)`, lists with commas.",
    )
    conditions: tuple[Condition, ...] = option(
        None,
        read_conditions,
        "When a key is searched at all: a mapping of keys to expressions over the configuration, such as "
        "`{model.dropout: 'model.num_layers > 1'}`. A key whose condition is false keeps the configuration's value.",
    )
    n_trials: int | None = option(
        None,
        _whole(1, absent=True),
        "Trials in all, those of earlier commands included. `null`: 20, or the whole grid with `sampler=grid`.",
        aliases=("trials", "budget"),
    )
    n_jobs: int = option(
        2,
        _whole(1),
        "Trials in a batch, with a launcher that only works in batches; `hydra/launcher=workstation` fills its slots.",
        aliases=("batch_size", "max_batch_size"),
    )
    direction: tuple[str, ...] = option(
        "minimize", _directions, "`minimize` or `maximize`; with several objectives a list.", aliases=("directions",)
    )
    objectives: tuple[str, ...] = option(
        [],
        _names,
        "Names of what is searched for, for `measure` and for people. Empty: what the task returns, a number or "
        "several.",
    )
    measure: str | None = option(
        None,
        check_function,
        "Dotted path of a function from the directory of a run and the name of an objective to a number; one that "
        "is not finite, or an exception, says that the trial failed. `null`: what the task returns; if that is a "
        "mapping, its values of the names in `objectives`.",
    )
    sampler: str = option(
        "tpe",
        _name(*SAMPLERS),
        "`tpe` (with constant liar, for trials side by side), `random`, `qmc`, `cmaes` (needs the package cmaes), "
        "`gp`, `nsgaii`: Optuna's; `grid`: every combination, in order.",
    )
    sampler_options: Mapping[str, Any] = option(
        None, _mapping("of arguments, such as {n_startup_trials: 5}"), "Further arguments of Optuna's sampler."
    )
    seed: int | None = option(None, _whole(0, absent=True), "Of the sampler; `null` draws another each time.")
    pruner: str | None = option(
        None,
        _name(*PRUNERS, absent=True),
        "`median`, `hyperband`, `patient` (around `median`): Optuna's, for tasks that report values. `null`: none.",
    )
    pruner_options: Mapping[str, Any] = option(
        None,
        _mapping("of arguments, such as {n_startup_trials: 5}"),
        "Further arguments of Optuna's pruner; `patience` (3) and `min_delta` are those of `patient`.",
    )
    reports: str | None = option(
        None,
        _name(*_DIRECTIONS, absent=True),
        "Which reported values are good, if they are of another kind than the objective. `null`: as `direction`.",
    )
    storage: str | None = option(
        None,
        _text,
        "An URL of Optuna's, such as `sqlite:///studies.db`. `null`: `optuna.journal` in the sweep's folder.",
    )
    study_name: str | None = option(None, _text, "In the storage. `null`: the sweep's folder.")
    seed_key: str | None = option(
        None,
        _key,
        "The key of the configuration that makes one run a repetition of another; `null`: there is none, and nothing "
        "is repeated. What the space says of it does not count.",
    )
    first_seed: int = option(0, _whole(0), "The seed of the trials; the first of them with `replicates`.")
    replicates: int = option(
        1,
        _whole(1),
        "Runs of a trial, with different seeds; its value is their mean. A pruner is asked after each of them, and "
        "not within.",
    )
    remeasure: int = option(
        3,
        _whole(0),
        "How many of the best settings are measured again in the end, with fresh seeds; none without `seed_key`.",
    )
    remeasure_seeds: int = option(5, _whole(2), "With how many seeds.")
    max_failure_rate: float = option(
        0.0, _rate, "The largest share of failed trials with which the command still ends as a success."
    )

    @property
    def measures_again(self) -> bool:
        """Whether the best settings are measured again."""
        return self.seed_key is not None and self.remeasure > 0


OptunaSweeperConf = configuration_node(
    "OptunaSweeperConf", Options, "hydra_plugins.optuna_sweeper.sweeper.OptunaSweeper", "hydra/sweeper=optuna"
)


def checked_options(given: Mapping[str, Any]) -> Options:
    """The options as Hydra hands them over, checked.

    Raises:
        SearchError: if one of them cannot be used, or is none, or two do not go together.
    """
    options = checked(Options, given, "hydra.sweeper", SearchError, _spelled)
    count = len(options.direction)
    if options.objectives and len(options.objectives) != count:
        raise SearchError(
            f"hydra.sweeper.direction={_spelled(list(options.direction))}: one for each of hydra.sweeper.objectives="
            f"{_spelled(list(options.objectives))}"
        )
    if options.measure is not None and not options.objectives:
        raise SearchError(f"hydra.sweeper.measure={options.measure}: hydra.sweeper.objectives names what it measures")
    if options.pruner is not None and count > 1:
        raise SearchError(f"hydra.sweeper.pruner={options.pruner}: with one objective only, and there are {count}")
    if options.replicates > 1 and options.seed_key is None:
        raise SearchError(f"hydra.sweeper.replicates={options.replicates}: needs hydra.sweeper.seed_key")
    return options


def _spelled(value: Any) -> str:
    """As Hydra reads it."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def options_table() -> str:
    """The table of the options in the documentation, in Markdown."""
    return table_of(Options)


def register_options() -> None:
    """Make the options known to Hydra, for ``hydra/sweeper/optuna.yaml`` here or in an application's own folder."""
    register_node("hydra/sweeper", "optuna_options", OptunaSweeperConf, "optuna_sweeper")
