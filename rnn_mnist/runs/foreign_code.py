"""Code that a run's configuration names: what lies among the runs themselves is not imported when they are read."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

from rnn_mnist.configuration.schema import Config
from rnn_mnist.errors import ExpectedError


class ForeignCodeError(ExpectedError):
    """A run that came with code of its own."""


def named_code(config: Config) -> Iterator[tuple[str, str]]:
    """The keys of a configuration that name code of a user's own, and the dotted paths."""
    for key, path in (
        ("model.module", getattr(config.model, "module", None)),
        ("data.loader", getattr(config.data, "loader", None)),
    ):
        if isinstance(path, str):
            yield key, path


def refuse_code_beside(key: str, path: str, run: Path) -> None:
    """Refuse a dotted path that leads into the folder of a sweep, or only by way of a folder that holds it.

    ``python -m`` has the working folder on Python's path, and there any folder is a package: ``outputs.depth.code``
    would be what somebody has put into a sweep that he passed on. Code of the user's own lies elsewhere. Nothing is
    imported here.

    Args:
        key: of the configuration, for the message.
        path: ``package.module.Name`` or ``package.module:Name``.
        run: the directory of the run that names it.

    Raises:
        ForeignCodeError: if it does.
    """
    sweep = run.resolve().parent
    first, *others = path.replace(":", ".").split(".")
    for location, is_package in _places(first):
        steps = [location, *(location.joinpath(*others[: count + 1]) for count in range(len(others)))]
        if any(step.resolve().is_relative_to(sweep) for step in steps) or (
            not is_package and sweep.is_relative_to(location.resolve())
        ):
            raise ForeignCodeError(f"{run}: {key}={path} lies among the runs, and is not imported from there")


def _places(name: str) -> Iterator[tuple[Path, bool]]:
    """Where a module of the highest level lies, and whether that is more than a folder without ``__init__.py``."""
    try:
        found = importlib.util.find_spec(name) if name else None
    except (ImportError, ValueError):  # the second of a module that was made without any file
        found = None
        file = getattr(sys.modules.get(name), "__file__", None)
        if file is not None:
            yield Path(file), True
    if found is None:
        return
    if found.submodule_search_locations is not None:
        for location in found.submodule_search_locations:
            yield Path(location), found.origin is not None
    elif found.origin is not None:
        yield Path(found.origin), True
