"""What functions of a sweep (``range``, ``glob``, ``choice``, ``interval``, ``logspace``) are given on a command line.

Hydra refuses some of it in words of its own grammar, and does something else with the rest: an empty range is a sweep
of no jobs, and ``glob(*)`` finds the files that others are built from.
"""

from collections.abc import Sequence
from dataclasses import fields
from itertools import islice

from hydra.core.override_parser.types import ChoiceSweep, Glob, IntervalSweep, Override, QuotedString, RangeSweep, Sweep
from hydra.errors import HydraException
from omegaconf import MISSING

from hydra_plugins.grid_sweeper import LogSpace
from rnn_mnist.configuration import schema
from rnn_mnist.configuration.resolution import ConfigError

_MOST_SPELLED = 20


def check_values(text: str, override: Override) -> None:
    """Refuse a list with a function among its values, which Hydra's parser lets pass and nothing else can read.

    Raises:
        ConfigError: with the values written out.
    """
    value = override.value()
    if not isinstance(value, ChoiceSweep) or not any(_is_function(entry) for entry in value.list):
        return
    names = dict.fromkeys(_function_name(entry) for entry in value.list if _is_function(entry))
    options = usable_options(override.key_or_group)
    spelled = list(dict.fromkeys(each for entry in value.list for each in _values(entry, options)))
    if any(isinstance(entry, IntervalSweep) for entry in value.list):
        raise ConfigError(f"{text}: interval cannot be mixed with values; list those that are to be tried")
    remedy = f": {override.get_key_element()}={','.join(spelled[:_MOST_SPELLED])}" if spelled else ""
    more = ",…" if len(spelled) > _MOST_SPELLED else ""
    raise ConfigError(f"{text}: {' and '.join(names)} cannot be mixed with values{remedy}{more}")


def written_out(text: str, override: Override, groups: Sequence[str]) -> str:
    """A sweep's override as it is given to Hydra: a ``glob`` as the options that it finds; anything else as it is.

    Args:
        text: as it was typed.
        override: what Hydra's parser makes of it.
        groups: whose options can be chosen.

    Raises:
        ConfigError: if it is a sweep over nothing.
    """
    if not override.is_sweep_override():
        return text
    value, key = override.value(), override.key_or_group
    if isinstance(value, IntervalSweep):
        return text
    if isinstance(value, Glob):
        options = usable_options(key)
        if not options:
            raise ConfigError(f"{text}: glob is for a choice among options: {', '.join(groups)}")
        found = value.filter(options)
        if not found:
            raise ConfigError(f"{text}: the sweep is empty; there are {', '.join(options)}")
        return f"{override.get_key_element()}={','.join(found)}"
    if isinstance(value, ChoiceSweep) and any(isinstance(entry, Glob) for entry in value.list):
        return text
    try:
        empty = next(iter(override.sweep_string_iterator()), None) is None
    except (ValueError, TypeError, HydraException) as error:
        raise ConfigError(f"{text}: {' '.join(str(error).split())}") from error
    if empty:
        raise ConfigError(f"{text}: the sweep is empty{_why_empty(value)}")
    return text


def usable_options(group: str) -> list[str]:
    """The options of a group of the schema that need no key of their own to be set, sorted as Hydra sorts them.

    There are none for a key that is no group.
    """
    if group not in schema.SELECTORS:
        return []
    selector = schema.SELECTORS[group]
    return sorted(
        name
        for name, node in schema.options(group).items()
        if not any(entry.default == MISSING for entry in fields(node) if entry.name != selector)
    )


def _is_function(entry: object) -> bool:
    return isinstance(entry, Sweep | Glob)


def _function_name(entry: object) -> str:
    names = {
        RangeSweep: "range",
        IntervalSweep: "interval",
        Glob: "glob",
        LogSpace: "logspace",  # a kind of choice
        ChoiceSweep: "choice",
    }
    return next((name for kind, name in names.items() if isinstance(entry, kind)), "a sweep")


def _values(entry: object, options: Sequence[str]) -> list[str]:
    """The values that one entry of a list stands for, as they are typed."""
    if isinstance(entry, Glob):
        return entry.filter(list(options))
    if isinstance(entry, ChoiceSweep):
        return [value for each in entry.list for value in _values(each, options)]
    if isinstance(entry, RangeSweep):
        return [str(value) for value in islice(entry.range(), _MOST_SPELLED + 1)]
    if isinstance(entry, Sweep):
        return []
    if isinstance(entry, QuotedString):
        return [entry.with_quotes()]
    if entry is None:
        return ["null"]
    return [str(entry).lower() if isinstance(entry, bool) else str(entry)]


def _why_empty(value: object) -> str:
    if not isinstance(value, RangeSweep):
        return ""
    if not value.start:
        return "; range(3) is 0,1,2"
    return f"; range(a,b) goes from a up to, and not including, b: {value.start} to {value.stop}"
