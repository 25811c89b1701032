"""Single overrides: what Hydra takes and should not, and what it refuses without saying what is meant."""

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override
from hydra.errors import HydraException

from rnn_mnist.configuration import schema
from rnn_mnist.configuration.choices import groups, options, study_folders
from rnn_mnist.configuration.resolution import ConfigError
from rnn_mnist.configuration.studies import GROUP, check_study
from rnn_mnist.configuration.suggestions import did_you_mean, meant_choices, meant_overrides
from rnn_mnist.configuration.sweep_values import check_values, written_out

_FILTER = "hydra.sweeper.filter="


def check_overrides(overrides: Iterable[str], config_dir: Path | None = None) -> None:
    """Refuse what Hydra takes, or refuses without saying which override or which study it was, or what is meant.

    Raises:
        ConfigError: naming the override and what is allowed.
        yaml.YAMLError: if a study that is chosen is no YAML.
    """
    parser = OverridesParser.create()
    for text in overrides:
        if any("\ud800" <= character <= "\udfff" for character in text):
            # Python hands on the bytes of an argument that it cannot decode as lone surrogates, which no file can hold.
            raise ConfigError(f"{text}: not text in this locale's encoding; LC_ALL=C.UTF-8 reads UTF-8")
        try:
            override = parser.parse_override(text)
        except HydraException:  # Hydra meets it too, and its exception names it
            _check_unreadable(text, config_dir)
            continue
        if override.is_delete():
            _check_deletion(text, override)
            continue
        check_values(text, override)
        if override.key_or_group in groups():
            _check_choice(text, override, config_dir)
        else:
            _check_key(text, override, config_dir)


def _check_unreadable(text: str, config_dir: Path | None) -> None:
    """What is no override is often half of one: an option, a key, or both with another sign between them."""
    if "=" in text:
        if text.endswith(","):
            raise ConfigError(f"{text}: no comma at the end: {text.rstrip(',')}")
        return
    key, colon, value = text.partition(":")
    if not key.replace(".", "_").isidentifier():
        return
    choices = {group: options(group, config_dir) for group in groups()}
    meant = meant_choices(text, choices) or meant_overrides(key, value if colon else "...")
    if meant:
        raise ConfigError(f"{text}: must be key=value; {did_you_mean(meant)}")


def _check_deletion(text: str, override: Override) -> None:
    key = override.key_or_group
    if key != GROUP and not key.startswith("hydra"):
        instead = f"{key}=<option>" if key in schema.SELECTORS else f"{key}=<value>"
        raise ConfigError(f"{text}: keys cannot be deleted, for a run needs them all; {instead} sets it")


def _check_choice(text: str, override: Override, config_dir: Path | None) -> None:
    group, value = override.key_or_group, override.value()
    if group == GROUP and override.is_sweep_override():
        raise ConfigError(
            f"{text}: must be one study, for Hydra ignores the grids of several; give each a command of its own"
        )
    choices = value.list if isinstance(value, ChoiceSweep) else [value]
    if any(choice is None or isinstance(choice, int | float) for choice in choices):
        raise ConfigError(
            f"{text}: a choice must be a string or a list of strings; allowed: {', '.join(options(group, config_dir))}"
        )
    if group != GROUP and isinstance(value, list):
        raise ConfigError(f"{text}: must be one option; a sweep over several is {group}={','.join(map(str, value))}")
    if group == GROUP:
        for name in value if isinstance(value, list) else choices:
            check_study(str(name), study_folders(config_dir))


def _check_key(text: str, override: Override, config_dir: Path | None) -> None:
    """Refuse a key that is not there but elsewhere; of others Hydra says it, and lists what there is."""
    key = override.key_or_group
    known = schema.declared_keys()
    # A group of the user's own folder is Hydra's business.
    own_group = config_dir is not None and (config_dir / key).is_dir()
    if key in known or "/" in key or key.partition(".")[0] == "hydra" or own_group:
        return
    section, _, leaf = key.rpartition(".")
    beside = [name.rpartition(".")[2] for name in known if section and name.startswith(f"{section}.")]
    if any(name.startswith(f"{key}.") for name in known) or difflib.get_close_matches(leaf, beside, n=1):
        return
    meant = meant_overrides(key, text.partition("=")[2])
    if meant:
        raise ConfigError(f"{key}: no such key; {did_you_mean(meant)}")


def with_filter_quoted(overrides: Iterable[str]) -> list[str]:
    """The overrides, ``hydra.sweeper.filter`` within the quotes that Hydra wants around ``==``, ``<`` and the like."""
    return [_quoted(text) if text.lstrip("+").startswith(_FILTER) else text for text in overrides]


def _quoted(text: str) -> str:
    try:
        OverridesParser.create().parse_override(text)
    except HydraException:
        key, _, value = text.partition("=")
        escaped = re.sub(r'(\\*)("|$)', lambda found: 2 * found[1] + ('\\"' if found[2] else ""), value)
        return f'{key}="{escaped}"'
    return text


def for_sweep(overrides: Sequence[str]) -> list[str]:
    """The overrides of a sweep as Hydra is to have them, a ``glob`` as the options that it finds.

    Raises:
        ConfigError: if one is a sweep over nothing.
    """
    parser = OverridesParser.create()
    parsed: dict[str, Override] = {}
    for text in overrides:
        try:
            parsed[text] = parser.parse_override(text)
        except HydraException:  # Hydra meets it too, and its exception names it
            continue
    for override in parsed.values():
        # Other sweepers may read a glob themselves.
        if override.key_or_group == "hydra/sweeper" and override.value() not in (None, "basic", "grid"):
            return list(overrides)
    return [written_out(text, parsed[text], groups()) if text in parsed else text for text in overrides]
