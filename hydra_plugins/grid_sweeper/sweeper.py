"""The plugin: Hydra's ``Sweeper`` interface over the parts of this package.

Hydra imports this module whenever it looks for plugins, so that it imports nothing that takes time.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.grid_sweeper._jobs import jobs_of
from hydra_plugins.grid_sweeper._options import Options, checked_options, register_options
from hydra_plugins.grid_sweeper._swept_keys import read_keys
from hydra_plugins.grid_sweeper._unswept_keys import UnsweptKeys

register_options()


class GridSweeper(Sweeper):
    """Runs a grid, less what its options leave out; docs/grid.md describes it."""

    def __init__(self, **options: Any) -> None:
        """``options`` are those of :class:`~hydra_plugins.grid_sweeper._options.GridSweeperConf`."""
        self._given = options

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Check the options, and make the launcher.

        Raises:
            GridError: if an option cannot be used. Hydra wraps what is raised when it makes an object, and not this.
        """
        plain = OmegaConf.to_container(OmegaConf.create(self._given), resolve=True)
        self._options: Options = checked_options(cast(dict[str, Any], plain))
        self.config, self.hydra_context = config, hydra_context
        self.launcher: Launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> list[Sequence[JobReturn]]:
        """Run the jobs, in batches where ``max_batch_size`` says so.

        Returns:
            The batches' results, as Hydra's basic sweeper does.

        Raises:
            GridError: if there is no grid, or nothing is left of it. Nothing is written then.
            Exception: that of the first job of a batch that failed, as with Hydra's basic sweeper.
        """
        assert self.config is not None
        jobs = self._jobs(arguments)
        directory = Path(str(self.config.hydra.sweep.dir))
        directory.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(self.config, directory / "multirun.yaml")
        returned: list[Sequence[JobReturn]] = []
        begun = 0
        for batch in self._batches(jobs):
            self.validate_batch_is_legal(batch)
            results = self.launcher.launch(batch, initial_job_idx=begun)
            for result in results:
                _ = result.return_value  # raises what a job that failed has raised
            begun += len(batch)
            returned.append(results)
        return returned

    def _jobs(self, arguments: Sequence[str]) -> list[list[str]]:
        assert self.hydra_context is not None
        assert self.config is not None
        loader = self.hydra_context.config_loader
        keys = read_keys(self._options.params, arguments, loader)
        return jobs_of(keys, self._options, UnsweptKeys(loader, self.config, keys).value)

    def _batches(self, jobs: list[list[str]]) -> Iterator[list[list[str]]]:
        size = self._options.max_batch_size or len(jobs)
        for first in range(0, len(jobs), size):
            yield jobs[first : first + size]
