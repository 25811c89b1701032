"""The launcher ``slurm``: a sweep whose jobs run on a Slurm cluster."""

import importlib.util
import shutil
from collections.abc import Mapping
from typing import Any

from hydra_plugins.workstation_launcher import _display as display
from hydra_plugins.workstation_launcher._devices import Plan, Slot
from hydra_plugins.workstation_launcher._gpus import RESTRICTION
from hydra_plugins.workstation_launcher._held import find_held
from hydra_plugins.workstation_launcher._options import OptionError
from hydra_plugins.workstation_launcher._place import Place
from hydra_plugins.workstation_launcher._server_start import Setup
from hydra_plugins.workstation_launcher._slurm_options import (
    SlurmOptions,
    checked_slurm_options,
    register_slurm_options,
)
from hydra_plugins.workstation_launcher._slurm_queue import largest_array
from hydra_plugins.workstation_launcher._sweep import Job
from hydra_plugins.workstation_launcher.launcher import WorkstationLauncher

register_slurm_options()


class SlurmLauncher(WorkstationLauncher):
    """Runs the jobs of a sweep on a Slurm cluster; docs/clusters.md describes it."""

    _options: SlurmOptions
    streams = False
    _detaches = False

    def _checked(self, given: Mapping[str, Any]) -> SlurmOptions:
        return checked_slurm_options(given)

    def _plan(self, jobs: int) -> Plan:
        options = self._options
        if not options.dry_run:
            _check_that_it_is_here()
        asks_for_gpus = options.gpus or any(name.startswith(("gres", "gpus")) for name in options.additional_parameters)
        slot = Slot("slurm", {} if asks_for_gpus else {RESTRICTION: ""})
        return Plan(
            (slot,) * max(1, min(jobs, options.array_parallelism)), options.threads_per_job or options.cpus, 0.0
        )

    def _new_place(self, setup: Setup) -> Place:
        from hydra_plugins.workstation_launcher._slurm_place import SlurmPlace

        return SlurmPlace(setup, self._options, self._directory, self._directory.name or "sweep", display.tell)

    def _hold(self, jobs: list[Job]) -> None:
        if not self._options.dry_run:
            largest_array()  # it answers, or that is said before anything is written
        find_held(jobs, "slurm", self._directory)


def _check_that_it_is_here() -> None:
    """Refuse to submit where that cannot be, before anything is written."""
    if importlib.util.find_spec("submitit") is None:
        raise OptionError("hydra/launcher=slurm needs the submitit library: pip install submitit")
    if shutil.which("sbatch") is None:
        raise OptionError("hydra/launcher=slurm: Slurm is not here: there is no sbatch")
