"""The options of ``hydra/launcher=ray``: those of the workstation launcher that mean something there, and Ray's."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from hydra_plugins.workstation_launcher._declared_options import (
    checked,
    configuration_node,
    option,
    register_node,
    suggested,
    table_of,
)
from hydra_plugins.workstation_launcher._options import OptionError, Options, number, refuse_of_a_workstation

_BYTES = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def _address(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("auto, local, or the address of a cluster")
    return value


def _memory(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value * 2**30
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT])B?", value) if isinstance(value, str) else None
    if found is None or float(found[1]) <= 0:
        raise ValueError("a number of gigabytes, or a number with K, M, G or T, or null")
    return int(float(found[1]) * _BYTES[found[2]])


def _resources(value: Any) -> dict[str, float]:
    numbers = value.values() if isinstance(value, Mapping) else [None]
    if not all(isinstance(each, int | float) and not isinstance(each, bool) and each > 0 for each in numbers):
        raise ValueError("a mapping of names to numbers above 0, such as {licence: 1}")
    return {str(name): float(each) for name, each in value.items()}


@dataclass(frozen=True, kw_only=True)
class RayOptions(Options):
    """The checked options."""

    address: str = option(
        "auto",
        _address,
        "`auto`: the cluster that is there (`RAY_ADDRESS`, or one started on this machine), else one of this machine "
        "for this sweep alone. `local`: always such a one. Or a cluster's address.",
    )
    cpus: float = option(1, number(), "A job's share of the cores.", aliases=("num_cpus", "cpus_per_task", "cores"))
    gpus: float = option(
        0, number(), "A job's GPUs; with `0.5` two jobs share one.", aliases=("num_gpus", "gpus_per_task")
    )
    memory: int | None = option(
        None, _memory, "A job's memory: gigabytes, or with a unit (`500M`).", aliases=("mem", "memory_gb")
    )
    """Bytes."""
    resources: Mapping[str, float] = option({}, _resources, "A job's share of what nodes have under names of your own.")


def suggest_key(name: str) -> str | None:
    """The option that somebody means who writes ``hydra.launcher.<name>``, which is none, if that can be guessed."""
    return suggested(RayOptions, name)


RayLauncherConf = configuration_node(
    "RayLauncherConf",
    RayOptions,
    "hydra_plugins.workstation_launcher.ray_launcher.RayLauncher",
    "hydra/launcher=ray",
    suggest_key=staticmethod(suggest_key),
)


def checked_ray_options(given: Mapping[str, Any]) -> RayOptions:
    """The options as Hydra hands them over, checked.

    Raises:
        OptionError: if one of them cannot be used, or is none.
    """
    refuse_of_a_workstation(given, "ray", "cpus, gpus and memory")
    return checked(RayOptions, given, "hydra.launcher", OptionError)


def ray_options_table() -> str:
    """The table of Ray's own options in the documentation, in Markdown."""
    return table_of(RayOptions, without={entry.name for entry in fields(Options)})


def register_ray_options() -> None:
    """Make the options of ``hydra/launcher=ray`` known to Hydra; ``conf`` has that one."""
    register_node("hydra/launcher", "ray_options", RayLauncherConf, "workstation_launcher")
