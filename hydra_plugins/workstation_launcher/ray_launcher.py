"""The launcher ``ray``: a sweep whose jobs run on a Ray cluster."""

import importlib.util
import weakref
from collections.abc import Mapping
from typing import Any

from hydra_plugins.workstation_launcher import _display as display
from hydra_plugins.workstation_launcher._devices import Plan, Slot, available_cores
from hydra_plugins.workstation_launcher._gpus import RESTRICTION
from hydra_plugins.workstation_launcher._options import OptionError
from hydra_plugins.workstation_launcher._place import Place
from hydra_plugins.workstation_launcher._ray_options import RayOptions, checked_ray_options, register_ray_options
from hydra_plugins.workstation_launcher._server_start import Setup
from hydra_plugins.workstation_launcher.launcher import WorkstationLauncher

register_ray_options()


class RayLauncher(WorkstationLauncher):
    """Runs the jobs of a sweep on a Ray cluster; docs/clusters.md describes it."""

    _options: RayOptions
    streams = False

    def _checked(self, given: Mapping[str, Any]) -> RayOptions:
        return checked_ray_options(given)

    def _plan(self, jobs: int) -> Plan:
        options = self._options
        if not options.dry_run and importlib.util.find_spec("ray") is None:
            raise OptionError("hydra/launcher=ray needs Ray: pip install ray")
        # How much a cluster has is known when it is there; it may grow meanwhile.
        at_a_time = (
            max(1, int(available_cores() / options.cpus)) if options.address == "local" and options.cpus else jobs
        )
        slot = Slot("ray", {} if options.gpus else {RESTRICTION: ""})
        threads = options.threads_per_job or max(1, int(options.cpus))
        return Plan((slot,) * max(1, min(jobs, at_a_time)), threads, 0.0)

    def _new_place(self, setup: Setup) -> Place:
        from hydra_plugins.workstation_launcher._ray_place import RayPlace

        place = RayPlace(setup, self._options, display.tell)
        weakref.finalize(self, place.end)
        return place
