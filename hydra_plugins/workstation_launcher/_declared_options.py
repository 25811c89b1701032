"""Options of a plugin, declared once as fields of a dataclass: their checks, their table, their registration."""

import difflib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import field, fields, make_dataclass
from typing import Any, TypeVar

from hydra.core.config_store import ConfigStore

Options = TypeVar("Options")


def option(default: Any, check: Callable[[Any], Any], description: str, *, aliases: tuple[str, ...] = ()) -> Any:
    """A field of a dataclass of options.

    Args:
        default: as Hydra's configuration has it.
        check: from what Hydra hands over to the value that the plugin works with; a ``ValueError`` says what is
            allowed.
        description: for the documentation, in Markdown.
        aliases: what other plugins call it, for suggestions.
    """
    return field(metadata={"default": default, "check": check, "description": description, "aliases": aliases})


def flag(value: Any) -> bool:
    """The check of true or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def called(options: type, name: str) -> str | None:
    """The option of that name, or that other plugins call so."""
    for entry in fields(options):
        if name == entry.name or name in entry.metadata["aliases"]:
            return entry.name
    return None


def suggested(options: type, name: str) -> str | None:
    """The option that somebody means who writes ``name``, which is none, if that can be guessed."""
    exact = called(options, name)
    if exact is not None:
        return exact
    names = [each for entry in fields(options) for each in (entry.name, *entry.metadata["aliases"])]
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.7)
    return called(options, close[0]) if close else None


def checked(
    options: type[Options],
    given: Mapping[str, Any],
    node: str,
    error: type[Exception],
    spell: Callable[[Any], str] = str,
) -> Options:
    """The options as Hydra hands them over, checked.

    Args:
        options: the dataclass of their declarations.
        given: by name.
        node: where Hydra's configuration has them: ``hydra.launcher``.
        error: what is raised if one of them cannot be used, or is none; its line names key, value and what is allowed.
        spell: how a value is written in it.
    """
    checks = {entry.name: entry.metadata["check"] for entry in fields(options)}  # type: ignore[arg-type]
    found = {}
    for name, value in given.items():
        if name not in checks:
            meant = suggested(options, name)
            raise error(
                f"{node}.{name}={spell(value)}: no such option"
                f"{f' (did you mean {meant}?)' if meant else ''}; there are {', '.join(checks)}"
            )
        try:
            found[name] = checks[name](value)
        except ValueError as mistake:
            raise error(f"{node}.{name}={spell(value)}: must be {mistake}") from None
    return options(**found)


def configuration_node(name: str, options: type, target: str, chosen_by: str, **attributes: Any) -> type:
    """The node of Hydra's configuration that a plugin's options have: any values, for they are checked later.

    Args:
        name: of the node's class, which is an attribute of the module that declares the options.
        options: the dataclass of their declarations.
        target: dotted path of the plugin's class.
        chosen_by: what somebody types to have it: ``hydra/sweeper=grid``.
        attributes: of the node's class besides.
    """
    node = chosen_by.partition("=")[0].replace("/", ".")
    return make_dataclass(
        name,
        [("_target_", str, field(default=target)), *map(_configuration_field, fields(options))],
        namespace={
            "__module__": options.__module__,
            "__doc__": f"``{node}`` with ``{chosen_by}``: any value, to be checked.",
            **attributes,
        },
    )


def _configuration_field(entry: Any) -> tuple[str, Any, Any]:
    default = entry.metadata["default"]
    return (
        entry.name,
        Any,
        field(default_factory=default.copy) if isinstance(default, list | dict) else field(default=default),
    )


def described(options: type) -> Iterator[tuple[str, str, str]]:
    """Name, default as it is typed, and description (in Markdown) of each option."""
    for entry in fields(options):
        default = entry.metadata["default"]
        written = default if isinstance(default, str) and default else json.dumps(default)
        yield entry.name, written, entry.metadata["description"]


def table_of(options: type, without: Collection[str] = ()) -> str:
    """The table of options in the documentation, in Markdown."""
    rows = [
        f"| `{name}` | `{default}` | {description} |"
        for name, default, description in described(options)
        if name not in without
    ]
    return "\n".join(["| option | default | |", "| --- | --- | --- |", *rows])


def register_node(group: str, name: str, node: type, provider: str) -> None:
    """Make a node of Hydra's configuration known to it, once."""
    store = ConfigStore.instance()
    try:
        known = store.list(group)
    except OSError:
        known = []
    if f"{name}.yaml" not in known:  # Hydra runs a plugin that the app has imported a second time
        store.store(group=group, name=name, node=node, provider=provider)
