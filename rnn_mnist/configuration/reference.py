"""Every key as people read it, from its declaration: for ``--help`` and for the documentation."""

import textwrap
from collections.abc import Iterator, Mapping

from hydra_plugins.grid_sweeper import described_options as grid_options
from hydra_plugins.optuna_sweeper import described_options as optuna_options
from hydra_plugins.resolve_sweeper import described_options as resolve_options
from hydra_plugins.workstation_launcher import described_options as launcher_options
from rnn_mnist.catalogues.keys import DeclaredKey, Role
from rnn_mnist.configuration.change import written
from rnn_mnist.configuration.schema import SELECTED_BY, declared_keys, options

WIDTH = 80
_ROLES = {
    Role.identity: "",
    Role.resolved: "Runs are told apart by the key that it decides.",
    Role.circumstance: "Not part of what a run is.",
}


def as_text(*groups: str) -> str:
    """For a terminal of 80 columns: a section a group, two lines or more a key. Without ``groups`` all of them."""
    lines: list[str] = []
    for title, entries in _text_sections():
        if groups and title.partition(":")[0] not in groups:
            continue
        lines += ["", *textwrap.wrap(f"== {title} ==", WIDTH, subsequent_indent="   "), ""]
        for setting, about in entries:
            lines += textwrap.wrap(setting, WIDTH, subsequent_indent="    ")
            lines += textwrap.wrap(about, WIDTH, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(lines)


def groups() -> list[str]:
    """What :func:`as_text` can be asked for."""
    return [title.partition(":")[0] for title, _ in _text_sections()]


def _text_sections() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Title, and what is set and what that means, of each group: of keys, of the launcher and of our sweepers."""
    for title, keys in _sections():
        yield (
            title,
            [
                (f"{name}={_default(by_option)}", f"{_first(by_option).allowed}: {_meaning(name, by_option)}")
                for name, by_option in keys.items()
            ],
        )
    for title, node, described in (
        ("launcher: how a sweep runs, with -m", "hydra.launcher", launcher_options()),
        ("grid: what of a grid is run, with -m", "hydra.sweeper", grid_options()),
        ("resolve: seeds where a comparison is open, with hydra/sweeper=resolve", "hydra.sweeper",
         resolve_options()),
        ("optuna: a search instead of a grid, with hydra/sweeper=optuna", "hydra.sweeper", optuna_options()),
    ):  # fmt: skip
        yield (
            title,
            [(f"{node}.{name}={default}", text.replace("`", "")) for name, default, text in described],
        )


def as_page() -> str:
    """``docs/keys.md``, whole: a table a group. ``python -m rnn_mnist.configuration.reference`` prints it."""
    lines = [
        "# Keys",
        "",
        "Every key of the configuration, with its default, what is allowed and what it does. This page is made from",
        "the keys' declarations, as `rnn-mnist train --help` is.",
        "",
    ]
    for title, keys in _sections():
        lines += [f"## {title}", "", "| key | default | allowed | meaning |", "| --- | --- | --- | --- |"]
        for name, by_option in keys.items():
            cells = (f"`{name}`", _default(by_option), _first(by_option).allowed, _meaning(name, by_option))
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
        lines.append("")
    return "\n".join(lines)


def _sections() -> Iterator[tuple[str, dict[str, dict[str, DeclaredKey]]]]:
    sections: dict[str, dict[str, dict[str, DeclaredKey]]] = {}
    for name, by_option in declared_keys().items():
        if name not in SELECTED_BY:
            group = name.partition(".")[0] if "." in name else "run"
            sections.setdefault(group, {})[name] = by_option
    for group in SELECTED_BY.values():
        sections.setdefault(group, {})
    for group, keys in sections.items():
        title = f"{group}: {', '.join(options(group))}" if group in SELECTED_BY.values() else group
        yield title, keys


def _first(by_option: Mapping[str, DeclaredKey]) -> DeclaredKey:
    return next(iter(by_option.values()))


def _default(by_option: Mapping[str, DeclaredKey]) -> str:
    defaults = {option: written(each.default) for option, each in by_option.items()}
    common = next(iter(defaults.values()))
    others = [f"{option} {default}" for option, default in defaults.items() if default != common]
    return f"{common} ({', '.join(others)})" if others else common


def _meaning(name: str, by_option: Mapping[str, DeclaredKey]) -> str:
    declared = _first(by_option).declared
    text = declared.meaning[0].upper() + declared.meaning[1:] + "."
    group = name.partition(".")[0]
    if group in SELECTED_BY.values() and len(by_option) < len(options(group)):
        text += f" Only with {' or '.join(f'{group}={option}' for option in by_option)}."
    return f"{text} {_ROLES[declared.role]}".rstrip()


if __name__ == "__main__":
    print(as_page(), end="")
