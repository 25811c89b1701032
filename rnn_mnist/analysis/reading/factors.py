"""Which configuration keys a sweep varies, and which of them merely follow others."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from hydra_plugins.workstation_launcher import override_key
from rnn_mnist.analysis.reading.columns import config_keys
from rnn_mnist.analysis.reading.levels import order_levels, plain
from rnn_mnist.catalogues.keys import Role
from rnn_mnist.configuration.schema import SELECTED_BY, SELECTORS, declared, keys_where
from rnn_mnist.errors import ExpectedError

# What an override of a whole group sets first of all.
GROUP_SELECTORS = {group: f"{group}.{key}" for group, key in SELECTORS.items()}


class FactorError(ExpectedError):
    """A factor or a level that the runs do not have; the message names those they have."""


def find_factors(runs: pd.DataFrame, asked: Iterable[str] = ()) -> list[str]:
    """The configuration keys that vary among the runs, in config order, without those that only follow others.

    Keys whose values are draws (``data.split_seed``) are replicates like the seed, but for those ``asked`` for.
    """
    replicates = set(replicate_keys()) - set(asked)
    return [key for key in _divide(runs)[0] if key not in replicates]


def replicate_keys() -> tuple[str, ...]:
    """The keys whose values are draws of one and the same thing, the seed among them."""
    return keys_where(lambda about: about.declared.replicate)


def find_aliases(runs: pd.DataFrame) -> dict[str, list[str]]:
    """The keys that vary but follow from factors, each with those that it follows from.

    So ``model.hidden_size`` follows from cell and ``model.parameter_budget``, and ``model.nonlinearity``, which only
    nn.RNN has, from the cell. Effects of the one and of the other cannot be told apart.
    """
    return _divide(runs)[1]


def resolve_factor(runs: pd.DataFrame, name: str) -> str:
    """The factor that a user's name means: its dotted key, its last part, or a group (``model`` for the cell).

    Raises:
        FactorError: if it does not vary, naming what does.
    """
    factors, aliases = _divide(runs)
    name = GROUP_SELECTORS.get(name, name)
    known = [*factors, *aliases]
    if name in known:
        return name
    endings = [key for key in known if key.rpartition(".")[2] == name]
    if len(endings) == 1:
        return endings[0]
    there = ", ".join(factors) or "none"
    if name in config_keys(runs):
        value = plain(runs[name].iloc[0])
        raise FactorError(f"{name}: is {value} in all {len(runs)} runs; what varies: {there}")
    raise FactorError(f"{name}: no such factor; what varies: {there}")


def levels_of(runs: pd.DataFrame, factor: str) -> list[Any]:
    """The levels of a factor in their order (see :func:`rnn_mnist.analysis.reading.levels.order_levels`)."""
    return order_levels(factor, runs[factor])


def swept_keys(runs: pd.DataFrame) -> set[str]:
    """The configuration keys that some run's command line set, group choices as the key that they select."""
    given = {override_key(override) for overrides in set(runs["overrides"]) for override in overrides or ()}
    return {GROUP_SELECTORS.get(key, key) for key in given}


def _divide(runs: pd.DataFrame) -> tuple[list[str], dict[str, list[str]]]:
    # Nobody knows the configuration of a job that died before it wrote what it was.
    runs = runs[runs["setting_id"].notna()]
    keys = [key for key in config_keys(runs) if _can_matter(key)]
    columns = {key: [plain(value) for value in runs[key].tolist()] for key in keys if _varies(runs[key])}
    varying = [key for key in columns if len(set(columns[key])) > 1]
    swept = swept_keys(runs)
    selectors = set(SELECTED_BY)
    # What was asked for explains what followed from it, and a group's choice explains the keys that came with it.
    preferred = sorted(varying, key=lambda key: (key not in swept, key not in selectors, varying.index(key)))
    factors: list[str] = []
    aliases: dict[str, list[str]] = {}
    for key in preferred:
        sources = _sources(columns, key, factors, explicit=key in swept)
        if sources:
            aliases[key] = sources
        else:
            factors.append(key)
    return sorted(factors, key=varying.index), {key: aliases[key] for key in varying if key in aliases}


def _varies(column: pd.Series) -> bool:
    """Whether a column may have two values: most do not, and are known by their first."""
    first = column.iloc[0] if len(column) else None
    return not bool((column == first).all())


def _can_matter(key: str) -> bool:
    about = declared(key)
    return about is None or about.declared.role != Role.circumstance


def _sources(columns: dict[str, list[Any]], key: str, factors: list[str], *, explicit: bool) -> list[str]:
    """The factors that determine ``key``: a single one if that does, else all together if they do, else none."""
    for factor in factors:
        if _determines([columns[factor]], columns[key]):
            if not explicit:
                return [factor]
            # Two keys that were both asked for are one only if neither varies without the other, and in a random search
            # every number is a level of its own, which says nothing.
            if _determines([columns[key]], columns[factor]) and not _sampled(columns[key]):
                return [factor]
    if not explicit and factors and _determines([columns[factor] for factor in factors], columns[key]):
        needed = list(factors)
        for factor in factors:
            others = [other for other in needed if other != factor]
            if others and _determines([columns[other] for other in others], columns[key]):
                needed = others
        return needed
    return []


def _determines(sources: Iterable[list[Any]], target: list[Any]) -> bool:
    seen: dict[tuple[Any, ...], Any] = {}
    combinations = zip(*sources, strict=True)
    return all(seen.setdefault(source, value) == value for source, value in zip(combinations, target, strict=True))


def _sampled(values: list[Any], fewest: int = 6) -> bool:
    levels = set(values)
    return len(levels) >= fewest and all(isinstance(level, int | float) for level in levels)
