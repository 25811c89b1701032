"""From an exception to one line, with key, value and what is allowed, for what a user can act on.

Our own errors are such lines already, and win over whatever Hydra makes of them. Hydra's and OmegaConf's are read by
their types and attributes. What is left is a bug, and keeps its traceback.
"""

import difflib
import re
import shlex
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    InterpolationResolutionError,
    MissingMandatoryValue,
    OmegaConfBaseException,
    ValidationError,
)

from rnn_mnist.configuration import schema
from rnn_mnist.configuration.plugin_packages import how_to_get
from rnn_mnist.errors import ExpectedError

# What stands for itself in a value without quotes, or has a meaning (hydra/grammar/OverrideLexer.g4).
_NEEDS_QUOTES = re.compile(r"""[^A-Za-z0-9_/\-\\+.$%*@?|:=,(){}\[\]\s"']""")


def explain_error(error: BaseException) -> str | None:
    """One line for what a user can act on; ``None`` for what looks like a bug.

    An error of ours that has several short lines keeps them.
    """
    links = list(_links(error))
    for explain in _EXPLANATIONS:
        for link in links:
            line = explain(link)
            if line is not None:
                return line if explain is _own_error else " ".join(line.split())
    for link in reversed(links):
        # OmegaConf wraps whatever a resolver raises in this very class; bad interpolations are subclasses. Its own
        # resolvers refuse what a user wrote, such as the name of an environment variable; an error in ours is a bug.
        if type(link) is InterpolationResolutionError:
            return str(link).splitlines()[0] if _raised_in("omegaconf", links[-1]) else None
    if isinstance(error, OmegaConfBaseException):
        return str(error).splitlines()[0]  # the others are OmegaConf's own business
    if isinstance(error, HydraException):
        return " ".join(str(error).split())
    # Hydra reports what it cannot do with its flags (--cfg and --info at once) as bare ValueErrors.
    return str(error) if isinstance(error, ValueError) and _raised_in("hydra", error) else None


def print_error(explained: str) -> None:
    """Print what :func:`explain_error` returned on standard error, with as many lines as it has."""
    print(f"error: {explained}", file=sys.stderr)


def _links(error: BaseException) -> Iterator[BaseException]:
    """The error, and what Hydra and OmegaConf have wrapped into it.

    Anything else is what it is: an error that came up while another was handled is not explained by that one.
    """
    link: BaseException | None = error
    while link is not None:
        yield link
        wrapper = isinstance(link, HydraException | OmegaConfBaseException)
        link = (link.__cause__ or link.__context__) if wrapper else None


def _own_error(error: BaseException) -> str | None:
    return str(error) if isinstance(error, ExpectedError) else None


def _missing_option(error: BaseException) -> str | None:
    if not isinstance(error, MissingConfigException) or not error.missing_cfg_file:
        return None
    group, _, option = error.missing_cfg_file.rpartition("/")
    remedy = how_to_get(group, option)
    if remedy is not None:
        return f"{group}={option}: {remedy}"
    options = [name for name in error.options or () if not name.startswith("_")]
    if not options:
        return f"{error.missing_cfg_file}: no such configuration"
    return f"{group}={option}: no such option; allowed: {', '.join(options)}"


def _unreadable_override(error: BaseException) -> str | None:
    if not isinstance(error, OverrideParseException):
        return None
    override = error.override
    key, equals, value = override.partition("=")
    if not equals:
        return f"{override}: must be key=value"
    special = _NEEDS_QUOTES.search(value)
    quoted = f'{key}="{value}"'
    if special and _why_unreadable(quoted) is None:
        return (
            f"{override}: Hydra reads {special.group()} only within quotes, and the shell takes a pair for itself: "
            f"{shlex.quote(quoted)}"
        )
    return f"{override}: not an override that Hydra can read (key=value): {_why_unreadable(override)}"


def _why_unreadable(override: str) -> str | None:
    try:
        OverridesParser.create().parse_override(override)
    except HydraException as error:
        return str(error)
    return None


def _bad_key_or_value(error: BaseException) -> str | None:
    if not isinstance(error, OmegaConfBaseException) or not error.full_key:
        return None
    if isinstance(error, ConfigKeyError | ConfigAttributeError):
        return _unknown_key(error.full_key, error.parent_node)
    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key}: has no value"
    if not isinstance(error, ValidationError):
        return None
    reason = str(error.msg or error).splitlines()[0]
    return f"{error.full_key}={_spelled(error.value)}: {reason[0].lower()}{reason[1:]}"


def _unknown_key(full_key: str, parent: Any) -> str:
    if not isinstance(parent, DictConfig):
        return no_such_key(full_key, [])
    # The workstation launcher's options know what other launchers call them.
    suggest = getattr(OmegaConf.get_type(parent), "suggest_key", None)
    meant = suggest(full_key.rpartition(".")[2]) if suggest else None
    return no_such_key(full_key, [str(key) for key in parent if key not in ("hydra", "_target_")], meant)


def no_such_key(full_key: str, known: list[str], meant: str | None = None) -> str:
    """What to say of a key that is not there: where it would be, or the one that is meant, and which there are."""
    group, _, wrong = full_key.rpartition(".")
    options = [
        f"{group}={name}"
        for name, node in (schema.options(group) if group in schema.SELECTORS else {}).items()
        if wrong in (entry.name for entry in fields(node))
    ]
    close = [meant] if meant else difflib.get_close_matches(wrong, known, n=1)
    hint = ""
    if options:
        hint = f" here, only with {' or '.join(options)}"
    elif close:
        hint = f" (did you mean {close[0]}?)"
    return f"{full_key}: no such key{hint}; {group or 'the configuration'} has: {', '.join(known)}"


def _spelled(value: Any) -> str:
    """As Hydra reads it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _broken_yaml(error: BaseException) -> str | None:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        problem = error.problem or "not YAML"
        if "\\t" in problem:
            problem = "a tab; YAML is indented with spaces"
        return f"{mark.name}: line {mark.line + 1}: {problem}"
    return str(error) if isinstance(error, yaml.YAMLError) else None


def _unusable_file(error: BaseException) -> str | None:
    return f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename is not None else None


_EXPLANATIONS: tuple[Callable[[BaseException], str | None], ...] = (
    _own_error,
    _missing_option,
    _unreadable_override,
    _bad_key_or_value,
    _broken_yaml,
    _unusable_file,
)


def _raised_in(package: str, error: BaseException) -> bool:
    frames = list(traceback.walk_tb(error.__traceback__))
    return bool(frames) and str(frames[-1][0].f_globals.get("__name__")).startswith(f"{package}.")
