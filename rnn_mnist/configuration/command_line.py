"""What a command line of ``train`` says that Hydra would leave unheard, misread, or refuse with its list of flags."""

import shlex
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from textwrap import fill, indent
from typing import Any, NoReturn

from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from hydra_plugins.workstation_launcher import typed_command
from rnn_mnist.configuration.choices import study_folders
from rnn_mnist.configuration.overrides import check_overrides, for_sweep, with_filter_quoted
from rnn_mnist.configuration.plugin_packages import how_to_get
from rnn_mnist.configuration.reference import WIDTH, as_text, groups
from rnn_mnist.configuration.resolution import ConfigError
from rnn_mnist.configuration.studies import GROUP, questions
from rnn_mnist.configuration.suggestions import meant_overrides

FLAGS = frozenset(
    flag
    for flags in (
        ("--help", "-h", "--hydra-help", "--version", "--info", "-i", "--shell-completion", "-sc"),
        ("--cfg", "-c", "--resolve", "--package", "-p", "--run", "-r", "--multirun", "-m", "--experimental-rerun"),
        ("--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd"),
    )
    for flag in flags
)
"""Hydra's own."""

# Flags after which Hydra starts nothing.
_ASKS = ("help", "hydra_help", "cfg", "info", "shell_completion", "experimental_rerun")
# Of whole sweeps: without -m Hydra reads them, and does nothing with them.
_OF_SWEEPS = ("hydra.launcher.", "hydra.sweeper.", "hydra.sweep.")
_GROUPS_OF_SWEEPS = ("hydra/launcher", "hydra/sweeper")


class UsageError(ConfigError):
    """A command line that cannot be taken apart; exit code 2."""


def help_of_group(arguments: Sequence[str], config_dir: Path | None = None) -> str | None:
    """What ``--help GROUP`` prints: the keys of a group, or the studies with their questions; else None.

    Raises:
        UsageError: if there is no such group.
    """
    words = [argument for argument in arguments if argument not in ("--help", "-h")]
    if len(words) != 1 or len(arguments) != 2 or words[0].startswith("-") or "=" in words[0]:
        return None
    (group,) = words
    if group == GROUP:
        asked = questions(study_folders(config_dir)).items()
        return "\n".join(
            f"{GROUP}={name}\n{indent(fill(question, WIDTH - 4), '    ')}".rstrip() for name, question in asked
        )
    if group not in groups():
        raise UsageError(f"--help {group}: no such group; there are {', '.join([*groups(), GROUP])}")
    return as_text(group).strip()


def check_command_line(arguments: Sequence[str], config_dir: Path | None = None) -> list[str]:
    """Refuse what a command line cannot mean; returns it as Hydra is to have it.

    Nothing is composed, written or started.

    Args:
        arguments: all but the program's name.
        config_dir: that ``--config-dir`` names.

    Raises:
        UsageError: if a flag is none of Hydra's, or stands where Hydra cannot take it.
        ConfigError: naming what was typed and what to type instead.
        yaml.YAMLError: if a study that is chosen is no YAML.
    """
    if "--version" in arguments:
        return list(arguments)
    arguments = with_filter_quoted(arguments)
    _refuse_keys_as_flags(arguments)
    flags, words = _taken_apart(arguments)
    _refuse_split_values(words)
    check_overrides(words, config_dir)
    if flags.shell_completion:
        return list(arguments)
    overrides = dict(_parsed(words))
    _refuse_repeated_keys(words)
    for override in overrides.values():
        _refuse_missing_plugin(override)
    if any(getattr(flags, name) for name in _ASKS):
        return list(arguments)
    if is_sweep(arguments):
        for text, override in overrides.items():
            _refuse_place_of_single_run(text, override)
        given = dict(zip(words, for_sweep(words), strict=True))
        return [given.get(argument, argument) for argument in arguments]
    for text, override in overrides.items():
        _refuse_without_multirun(text, override, arguments)
    return list(arguments)


def _refuse_keys_as_flags(arguments: Sequence[str]) -> None:
    """``--num_layers 3``, ``--lr=0.1``, ``-seed=1``: before argparse takes one for short for a flag of Hydra's."""
    for place, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if not name.startswith("-") or name in FLAGS or name.strip("-").isdecimal() or not name.strip("-"):
            continue
        following = arguments[place + 1] if place + 1 < len(arguments) else ""
        if not equals and following and not following.startswith("-") and "=" not in following:
            argument, value = f"{argument} {following}", following
        meant = meant_overrides(name, value or None)
        if meant:
            typed = " or ".join(each if "=" in each else f"{each}=..." for each in meant)
            raise UsageError(f"{argument}: a key is typed without dashes: {typed}")


def _taken_apart(arguments: Sequence[str]) -> tuple[Any, list[str]]:
    """Hydra's flags, and the overrides."""
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise UsageError(f"{message}; --help lists keys and options")

    parser.error = refuse  # type: ignore[method-assign]
    flags, left = parser.parse_known_args(list(arguments))
    unknown = [word for word in left if word.startswith("-") and word != "--"]
    if unknown:
        raise UsageError(f"{unknown[0]}: no such option; a key is typed as key=value, and --help lists all")
    if left:
        first = "-m" if flags.multirun else "options"
        ordered = _options_first(arguments, [*flags.overrides, *left])
        raise UsageError(f"{left[0]}: stands after an option that follows a key; put {first} first: {_typed(ordered)}")
    return flags, list(flags.overrides)


def _options_first(arguments: Sequence[str], words: Sequence[str]) -> list[str]:
    remaining = list(words)
    options = []
    for argument in arguments:
        if argument in remaining:
            remaining.remove(argument)
        else:
            options.append(argument)
    return [*options, *words]


def _typed(arguments: Sequence[str]) -> str:
    """The command with other arguments, as a shell takes it."""
    program = typed_command()
    return shlex.join([*program[: len(program) - len(sys.argv[1:])], *arguments])


def _refuse_split_values(words: Sequence[str]) -> None:
    """A space within an override makes two words of it, neither of which need be one."""
    for place, (word, following) in enumerate(pairwise(words)):
        if not (_is_rest(following) and (_is_open(word) or following.startswith((",", "=")))):
            continue
        parts = [word, following]
        for rest in words[place + 2 :]:
            if not _is_rest(rest) and not _is_open(parts[-1]):
                break
            parts.append(rest)
        joined = "".join(parts)
        where = "in it"
        if "=" in (word[-1], following[0]) or word.endswith("="):
            where = "around ="
        elif "," in (word[-1], following[0]):
            where = "after the comma" if word.endswith(",") else "before the comma"
        no = "no space" if "comma" in where else "no spaces"
        raise ConfigError(f"{' '.join(parts)}: {no} {where}: {shlex.quote(joined)}")


def _is_rest(word: str) -> bool:
    """Whether a word is no override, but may be the end of one."""
    return word.startswith(("=", ",")) or ("=" not in word and not word.startswith("~"))


def _is_open(word: str) -> bool:
    """Whether an override must go on after this word."""
    return word.endswith((",", "=", ":")) or any(word.count(a) > word.count(b) for a, b in ("()", "[]", "{}"))


def _parsed(words: Sequence[str]) -> Iterator[tuple[str, Override]]:
    parser = OverridesParser.create()
    for text in words:
        try:
            yield text, parser.parse_override(text)
        except HydraException:  # Hydra meets it too, and its exception names it
            continue


def _refuse_repeated_keys(words: Sequence[str]) -> None:
    """Of two overrides of one key Hydra takes the later, also where only the earlier is a sweep."""
    seen: dict[str, str] = {}
    for text, override in _parsed(words):
        key = override.get_key_element().lstrip("+~")
        if key in seen:
            raise ConfigError(f"{seen[key]} and {text}: both set {key}, and only the second would count; keep one")
        seen[key] = text


def _refuse_missing_plugin(override: Override) -> None:
    value = _value(override)
    for choice in value if isinstance(value, list) else [value]:
        remedy = how_to_get(override.key_or_group, str(choice))
        if remedy is not None:
            raise ConfigError(f"{override.key_or_group}={choice}: {remedy}")


def _value(override: Override | None) -> Any:
    return None if override is None or override.is_delete() else override.value()


def _refuse_without_multirun(text: str, override: Override, arguments: Sequence[str]) -> None:
    key = override.key_or_group
    named = key == "sweep" and _value(override) is not None
    if named or key.startswith(_OF_SWEEPS) or key in _GROUPS_OF_SWEEPS:
        raise ConfigError(f"{text}: is of sweeps, and this is one run; put -m first: {_typed(['-m', *arguments])}")
    if override.is_sweep_override():
        raise ConfigError(f"{text}: several values are a sweep; put -m first: {_typed(['-m', *arguments])}")


def _refuse_place_of_single_run(text: str, override: Override) -> None:
    if override.key_or_group.startswith("hydra.run."):
        instead = text.replace("hydra.run.", "hydra.sweep.", 1)
        raise ConfigError(f"{text}: is of a single run, and -m starts a sweep: {instead}")


def is_sweep(arguments: Sequence[str]) -> bool:
    """Whether a command line that :func:`check_command_line` has passed starts a sweep."""
    if "--version" in arguments:
        return False
    flags = get_args_parser().parse_known_args(list(arguments))[0]
    asks = any(getattr(flags, name) for name in _ASKS)
    return not asks and bool(flags.multirun or "hydra.mode=MULTIRUN" in arguments)
