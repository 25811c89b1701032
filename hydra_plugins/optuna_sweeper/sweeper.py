"""The plugin: Hydra's ``Sweeper`` interface over the parts of this package.

Hydra imports this module whenever it looks for plugins, so that what takes time to import is imported where it is used.
"""

import importlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.optuna_sweeper._options import Options, SearchError, checked_options, register_options
from hydra_plugins.workstation_launcher import Pruned

if TYPE_CHECKING:
    from hydra_plugins.optuna_sweeper._outcome import Measure
    from hydra_plugins.optuna_sweeper._search import Search
    from hydra_plugins.optuna_sweeper._space import Space

register_options()

log = logging.getLogger("hydra_plugins.optuna_sweeper")

_OLDEST = (4, 5)


class OptunaSweeper(Sweeper):
    """Searches with Optuna; docs/optuna.md describes it."""

    def __init__(self, **options: Any) -> None:
        """``options`` are those of :class:`~hydra_plugins.optuna_sweeper._options.OptunaSweeperConf`."""
        self._given = options

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Check the options, and make the launcher.

        Raises:
            SearchError: if an option cannot be used. Hydra wraps what is raised when it makes an object, and not this.
        """
        plain = OmegaConf.to_container(OmegaConf.create(self._given), resolve=True)
        self._options: Options = checked_options(cast(dict[str, Any], plain))
        _check_optuna()
        self.config, self.hydra_context = config, hydra_context
        self.launcher: Launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> list[Sequence[JobReturn]]:
        """Run the trials that are left, and measure the best settings again.

        Returns:
            The batches of jobs that this command handed to the launcher; one, if the launcher takes a stream.

        Raises:
            SearchError: if there is nothing to search, or another search lies in the sweep's directory.
            Exception: in the end, that of a job that failed, if more have than ``max_failure_rate`` allows.
        """
        from hydra_plugins.optuna_sweeper._search import Search

        assert self.config is not None
        options, directory = self._options, Path(str(self.config.hydra.sweep.dir))
        measure = _function(options.measure)
        space, base = self._read_space(arguments)
        search = Search(space, options, measure, self._compose, directory, _plan(space, options, base))
        search.announce()
        directory.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(self.config, directory / "multirun.yaml")
        returned = self._run(search)
        failures = [failure for results in returned for result in results if (failure := _failure(result)) is not None]
        if search.is_over:
            search.tell_answer()
        failed, ended = search.failed
        if failures and not search.is_over:
            raise failures[0]
        if failed > options.max_failure_rate * ended:
            raise (
                failures[0]
                if failures
                else SearchError(
                    f"{failed} of {ended} failed, under earlier commands; hydra.sweeper.max_failure_rate allows it"
                )
            )
        return returned

    def _run(self, search: "Search") -> list[Sequence[JobReturn]]:
        assert self.launcher is not None
        launch_stream = getattr(self.launcher, "launch_stream", None)
        if launch_stream is not None and getattr(self.launcher, "streams", False):
            results: Sequence[JobReturn] = launch_stream(search, 0)
            return [results]
        if self._options.pruner is not None and self._options.replicates == 1:
            log.warning(
                "warning: hydra.sweeper.pruner=%s: nothing is pruned, for this launcher hears nothing of running jobs; "
                "hydra/launcher=workstation does",
                self._options.pruner,
            )
        search.begin()
        returned: list[Sequence[JobReturn]] = []
        while not search.is_over:
            for first, batch in _in_sequence(search.next(self._options.n_jobs)):
                results = self.launcher.launch([list(overrides) for overrides in batch], initial_job_idx=first)
                for number, result in enumerate(results, first):
                    search.ended(number, result)
                returned.append(results)
        return returned

    def _read_space(self, arguments: Sequence[str]) -> "tuple[Space, DictConfig]":
        """The space, and the configuration without what is searched."""
        from hydra_plugins.optuna_sweeper._space import name_of, read_space

        assert self.hydra_context is not None
        assert self.config is not None
        options, loader = self._options, self.hydra_context.config_loader
        written = [f"{key}={_written(values)}" for key, values in options.params.items()]
        overrides = OverridesParser.create(config_loader=loader).parse_overrides([*written, *arguments])
        space = read_space(overrides, options.seed_key, options.first_seed)
        if not space.dimensions and options.sampler != "grid":
            raise SearchError(
                "nothing to search: give at least one key a choice, a range or an interval, as in 'key=interval(0,1)'"
            )
        names = [name_of(dimension.key) for dimension in space.dimensions]
        for condition in options.conditions:
            if condition.key not in names:
                raise SearchError(
                    f"hydra.sweeper.conditions: {condition.key} is not searched; {', '.join(names)} "
                    f"{'is' if len(names) == 1 else 'are'}"
                )
        try:
            base = self._compose(space.fixed)
        except Exception:  # a choice that the application leaves to its user; anything else is raised again here
            base = self._compose(space.overrides(space.first))
        return space, base

    def _compose(self, overrides: Sequence[str]) -> DictConfig:
        assert self.hydra_context is not None
        assert self.config is not None
        return self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))


def _in_sequence(jobs: Sequence[tuple[int, Sequence[str]]]) -> Iterator[tuple[int, list[Sequence[str]]]]:
    """Jobs in groups whose numbers follow one another, as a launcher numbers a batch; the number of each first."""
    group: list[Sequence[str]] = []
    first = 0
    for number, overrides in sorted(jobs, key=lambda job: job[0]):
        if group and number != first + len(group):
            yield first, group
            group = []
        if not group:
            first = number
        group.append(overrides)
    if group:
        yield first, group


def _plan(space: "Space", options: Options, base: DictConfig) -> dict[str, Any]:
    """All that makes trials comparable; what of it changes makes another search."""
    from hydra_plugins.optuna_sweeper._space import name_of

    plan: dict[str, Any] = {f"search of {name_of(each.key)}": each.text for each in space.dimensions}
    plan |= {f"condition of {each.key}": each.text for each in options.conditions}
    plan |= {
        "direction": ",".join(options.direction),
        "objectives": ",".join(options.objectives),
        "measure": str(options.measure),
        "seed_key": str(options.seed_key),
        "first_seed": space.first_seed,
        "replicates": options.replicates,
        "grid": str(options.sampler == "grid").lower(),
    }
    own = {name_of(each.key) for each in space.dimensions} | {name_of(options.seed_key or "")}
    content = OmegaConf.to_container(base, resolve=False, enum_to_str=True)
    assert isinstance(content, dict)
    del content["hydra"]
    return plan | {key: str(value) for key, value in _flat(content, "") if key not in own}


def _flat(values: dict[Any, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Dotted keys and values, as they are written: an interpolation may depend on the machine and the time."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _written(values: Any) -> str:
    if isinstance(values, bool) or values is None:
        return "null" if values is None else str(values).lower()
    return ",".join(map(_written, values)) if isinstance(values, list) else str(values)


def _check_optuna() -> None:
    try:
        from optuna import __version__
    except ImportError:
        raise SearchError("hydra/sweeper=optuna: not installed; pip install 'rnn-mnist[optuna]'") from None
    if tuple(map(int, __version__.split(".")[:2])) < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        raise SearchError(f"hydra/sweeper=optuna: needs optuna {oldest} or newer, and {__version__} is installed")


def _function(path: str | None) -> "Measure | None":
    if path is None:
        return None
    module, _, name = path.rpartition(".")
    try:
        # Not Hydra's get_method, which prints an error of its own.
        found: Measure = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SearchError(f"hydra.sweeper.measure={path}: must be a function: {' '.join(str(error).split())}") from None
    return found


def _failure(result: JobReturn) -> Exception | None:
    """What a job that failed has raised; a pruned one has not failed."""
    if result.status == JobStatus.COMPLETED:
        return None
    try:
        _ = result.return_value  # raises it
    except Pruned:
        return None
    except Exception as error:
        return error
    return None
