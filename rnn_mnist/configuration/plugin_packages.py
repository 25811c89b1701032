"""Hydra's plugins that are packages of their own: what to install for a launcher or a sweeper that is not here."""

from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True)
class PluginPackage:
    """A package with options of one of Hydra's groups."""

    name: str
    """As pip installs it."""
    group: str
    options: tuple[str, ...]
    """What can be chosen once it is installed."""
    called: tuple[str, ...] = ()
    """What people write who mean one of them."""
    own_extra: bool = False
    """Whether the plugin itself is here, and wants a package that an extra of this project brings."""

    @property
    def installed(self) -> bool:
        """Whether it can be imported; it is not."""
        if self.own_extra:
            return find_spec(self.name) is not None
        return find_spec("hydra_plugins") is not None and find_spec(f"hydra_plugins.{self._module}") is not None

    @property
    def how(self) -> str:
        """The command that installs it."""
        return f"pip install 'rnn-mnist[{self.name}]'" if self.own_extra else f"pip install {self.name}"

    @property
    def _module(self) -> str:
        return self.name.replace("-", "_")


_PACKAGES = (
    PluginPackage("optuna", "hydra/sweeper", ("optuna",), ("tpe",), own_extra=True),
    PluginPackage("hydra-ax-sweeper", "hydra/sweeper", ("ax",)),
    PluginPackage("hydra-nevergrad-sweeper", "hydra/sweeper", ("nevergrad",)),
    PluginPackage("hydra-joblib-launcher", "hydra/launcher", ("joblib",)),
    PluginPackage("hydra-submitit-launcher", "hydra/launcher", ("submitit_slurm", "submitit_local"), ("submitit",)),
    PluginPackage("hydra-ray-launcher", "hydra/launcher", ("ray_aws",)),
    PluginPackage("hydra-rq-launcher", "hydra/launcher", ("rq",)),
    PluginPackage("hydra-colorlog", "hydra/job_logging", ("colorlog",)),
    PluginPackage("hydra-colorlog", "hydra/hydra_logging", ("colorlog",)),
)


def how_to_get(group: str, option: str) -> str | None:
    """What to do for an option that Hydra does not have; None if no package is known that brings it."""
    for package in _PACKAGES:
        if package.group != group or option not in (*package.options, *package.called):
            continue
        if option in package.options:
            return None if package.installed else f"not installed; {package.how}"
        brought = " or ".join(f"{group}={each}" for each in package.options)
        return f"no such option; {brought}{'' if package.installed else f', after {package.how}'}"
    return None
