"""The plugin: Hydra's ``Sweeper`` interface over the parts of this package.

Hydra imports this module whenever it looks for plugins, so that what takes time to import is imported where it is used.
"""

import importlib
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from hydra.utils import get_method
from omegaconf import DictConfig, OmegaConf, flag_override

from hydra_plugins.resolve_sweeper._options import (
    Options,
    ResolveError,
    check_function,
    checked_options,
    register_options,
)

if TYPE_CHECKING:
    from hydra_plugins.resolve_sweeper._grid import Grid
    from hydra_plugins.resolve_sweeper._resolution import Resolution

register_options()

log = logging.getLogger("hydra_plugins.resolve_sweeper")


class ResolveSweeper(Sweeper):
    """Adds seeds to the comparisons that are still open; docs/resolve.md describes it."""

    def __init__(self, **options: Any) -> None:
        """``options`` are those of :class:`~hydra_plugins.resolve_sweeper._options.ResolveSweeperConf`."""
        self._given = options

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Check the options, and make the launcher.

        Raises:
            ResolveError: if an option cannot be used. Hydra wraps what is raised when it makes an object, and not this.
        """
        plain = OmegaConf.to_container(OmegaConf.create(self._given), resolve=True)
        self._options: Options = checked_options(cast(dict[str, Any], plain))
        self.config, self.hydra_context = config, hydra_context
        self._on_sweep_end = _end_hook(config)
        # A launcher with such a hook calls it after each batch, and a sweep has one end: it is called here.
        before = OmegaConf.to_container(config.hydra.launcher, resolve=False)
        assert isinstance(before, dict)
        if self._on_sweep_end is not None:
            _set_end_hook(config, None)
        self.launcher: Launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )
        if self._on_sweep_end is not None:
            _set_end_hook(config, before["on_sweep_end"])

    def sweep(self, arguments: list[str]) -> list[Sequence[JobReturn]]:
        """Run what the plan and the values so far ask for.

        Returns:
            The batches of jobs that this command handed to the launcher, as Hydra's own sweeper does.

        Raises:
            ResolveError: if there is nothing to compare, or another plan lies in the sweep's directory.
            Exception: in the end, that of a job that failed, as with Hydra's own sweeper.
        """
        from hydra_plugins.resolve_sweeper._resolution import Resolution

        assert self.config is not None
        options, directory = self._options, Path(str(self.config.hydra.sweep.dir))
        measure = _function(options.measure)
        grid, base = self._read_grid(arguments)
        resolution = Resolution(grid, options, measure, directory, base)
        resolution.announce()
        returned: list[Sequence[JobReturn]] = []
        while resolution.is_open:
            returned.append(self._run(resolution, directory))
        if returned and self._on_sweep_end is not None:
            _call(self._on_sweep_end, directory)
        failure = _first_failure(returned)  # Hydra prints a line for it, and the answer comes last
        resolution.tell_answer()
        if failure is not None:
            raise failure
        return returned

    def _read_grid(self, arguments: Sequence[str]) -> "tuple[Grid, DictConfig]":
        """The grid with its references, and the configuration without its factors."""
        from hydra_plugins.resolve_sweeper._grid import read_grid, with_references

        assert self.hydra_context is not None
        assert self.config is not None
        loader = self.hydra_context.config_loader
        written = [f"{key}={_written(values)}" for key, values in self._options.params.items()]
        overrides = OverridesParser.create(config_loader=loader).parse_overrides([*written, *arguments])
        grid = read_grid(overrides, self._options.seed_key)
        try:
            base = loader.load_sweep_config(self.config, list(grid.fixed))
        except Exception:  # a choice that the application leaves to its user; anything else is raised again here
            base = loader.load_sweep_config(self.config, grid.overrides(0, self._options.first_seed))
        grid = with_references(grid, self._options.reference, base)
        return self._filtered(grid), base

    def _filtered(self, grid: "Grid") -> "Grid":
        """The grid without the settings that the filter drops."""
        from hydra_plugins.grid_sweeper import combination_filter
        from hydra_plugins.resolve_sweeper._grid import without

        assert self.hydra_context is not None
        assert self.config is not None
        expression, seed = self._options.filter, self._options.first_seed
        if expression is None:
            return grid
        swept = [f"{factor.key}={','.join(factor.levels)}" for factor in grid.factors]
        said = [*grid.fixed, f"{grid.seed_key}={seed}", *swept]
        keeps = combination_filter(expression, said, self.hydra_context.config_loader, self.config)
        return without(grid, expression, keeps, seed)

    def _run(self, resolution: "Resolution", directory: Path) -> Sequence[JobReturn]:
        """Run the next look's jobs."""
        assert self.config is not None
        batch = resolution.next_batch()
        self.validate_batch_is_legal(batch)
        resolution.record.write_plan()
        OmegaConf.save(self.config, directory / "multirun.yaml")
        try:
            results = self.launcher.launch(batch, initial_job_idx=resolution.jobs)
        except BaseException:
            resolution.record.discard_unless_started()
            raise
        if not resolution.take(results):
            # A mistake, most likely; the same command tries again.
            raise _first_failure([results]) or ResolveError(
                f"{directory}: no run of this look has a result, so that there is nothing to go on with"
            )
        return results


def _written(values: Any) -> str:
    if isinstance(values, bool) or values is None:
        return "null" if values is None else str(values).lower()
    return ",".join(map(_written, values)) if isinstance(values, list) else str(values)


def _function(path: str | None) -> Callable[[Path], float] | None:
    if path is None:
        return None
    module, _, name = path.rpartition(".")
    try:
        # Not Hydra's get_method, which prints an error of its own.
        found: Callable[[Path], float] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ResolveError(
            f"hydra.sweeper.measure={path}: must be a function: {' '.join(str(error).split())}"
        ) from None
    return found


def _end_hook(config: DictConfig) -> str | None:
    value = OmegaConf.select(config, "hydra.launcher.on_sweep_end", default=None)
    try:
        return check_function(value)
    except ValueError as error:
        raise ResolveError(f"hydra.launcher.on_sweep_end={value}: must be {error}") from None


def _set_end_hook(config: DictConfig, value: Any) -> None:
    with flag_override(config.hydra, ["readonly", "struct"], values=False):
        config.hydra.launcher.on_sweep_end = value


def _call(path: str, directory: Path) -> None:
    is_interrupted = False
    try:
        get_method(path)(directory)
    except KeyboardInterrupt:
        is_interrupted = True
    except (Exception, SystemExit) as error:
        # The runs are what matters; a hook can be repeated.
        log.warning("warning: hydra.launcher.on_sweep_end=%s: %s: %s", path, type(error).__name__, error)
    if is_interrupted:
        log.info("interrupted: hydra.launcher.on_sweep_end=%s did not end; all jobs have", path)
        sys.exit(130)


def _first_failure(batches: Sequence[Sequence[JobReturn]]) -> Exception | None:
    """What the first job that failed has raised."""
    for results in batches:
        for result in results:
            try:
                _ = result.return_value  # raises it
            except Exception as error:
                return error
    return None
