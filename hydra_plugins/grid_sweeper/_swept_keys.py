"""What a command line and ``hydra.sweeper.params`` say, key by key: values, or an interval of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, QuotedString, Transformer

from hydra_plugins.grid_sweeper._key_names import bare
from hydra_plugins.grid_sweeper._options import GridError, spelled


@dataclass(frozen=True)
class Level:
    """A value of a key."""

    override: str
    """As a job gets it: ``+x=1``."""
    raw: Any
    """As Hydra's parser has it."""

    @property
    def value(self) -> Any:
        """In Python: texts without their quotes."""
        if isinstance(self.raw, QuotedString):
            return self.raw.text
        if isinstance(self.raw, list | dict):
            return OverridesParser.create().parse_override(self.override).value()
        return self.raw


@dataclass(frozen=True)
class SweptKey:
    """A key that is set, to one value or to several."""

    key: str
    """As it is overridden: ``model.num_layers``, ``+x``, ``db@backup``."""
    line: str
    """What was said of it."""
    levels: tuple[Level, ...]
    """Empty for an interval."""
    interval: IntervalSweep | None = None

    @property
    def name(self) -> str:
        """Without a plus sign."""
        return bare(self.key)

    @property
    def is_swept(self) -> bool:
        """Whether it has other than one value."""
        return len(self.levels) != 1


def read_keys(params: Mapping[str, Any], arguments: Sequence[str], loader: ConfigLoader | None) -> list[SweptKey]:
    """The keys in the order in which they were first said; what the command line says of a key counts.

    Args:
        params: ``hydra.sweeper.params``.
        arguments: the overrides of the command line.
        loader: which knows the options that a ``glob`` finds.

    Raises:
        GridError: if the command line has a key twice, or one is swept over nothing.
        HydraException: if Hydra cannot read an override.
    """
    parser = OverridesParser.create(config_loader=loader)
    written = parser.parse_overrides([f"{key}={_written(values)}" for key, values in params.items()])
    typed = parser.parse_overrides(list(arguments))
    _refuse_twice(written, "hydra.sweeper.params")
    _refuse_twice(typed, "the command line")
    latest: dict[tuple[str, bool], Override] = {}
    for override in (*written, *typed):
        latest[_identity(override)] = override
    return [_read(override) for override in latest.values()]


def _identity(override: Override) -> tuple[str, bool]:
    # A key may be deleted first, and be added then.
    return bare(override.get_key_element()), override.is_delete()


def _refuse_twice(overrides: Iterable[Override], where: str) -> None:
    seen: dict[tuple[str, bool], Override] = {}
    for override in overrides:
        first = seen.setdefault(_identity(override), override)
        if first is not override:
            raise GridError(
                f"{first.input_line} and {override.input_line}: {where} sets {_identity(override)[0]} twice, and only "
                "the second would count; keep one"
            )


def _read(override: Override) -> SweptKey:
    key, line = override.get_key_element(), str(override.input_line)
    value = override.value()
    if isinstance(value, IntervalSweep):
        return SweptKey(key, line, (), value)
    if not override.is_sweep_override():
        return SweptKey(key, line, (Level(f"{key}={override.get_value_element_as_str()}", value),))
    try:
        levels = tuple(Level(f"{key}={Transformer.str(raw)}", raw) for raw in override.sweep_iterator())
    except (TypeError, ValueError) as error:
        raise GridError(f"{line}: {' '.join(str(error).split())}") from None
    if not levels:
        raise GridError(f"{line}: the sweep is empty")
    return SweptKey(key, line, levels)


def _written(values: Any) -> str:
    """What a study's file says of a key; in YAML a list of values is written in two ways."""
    return ",".join(map(spelled, values)) if isinstance(values, list) else spelled(values)
