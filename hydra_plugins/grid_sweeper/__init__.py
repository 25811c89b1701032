"""A Hydra sweeper for grids that a product cannot say: keys that go together, a filter, points drawn at random.

    python app.py -m hydra/sweeper=grid width=16,32 lr=0.1,0.05 hydra.sweeper.zip=[[width,lr]]

Any Hydra application can use it; docs/grid.md describes it. A grid with none of its options is that of Hydra's basic
sweeper, job for job. Whoever imports this package, as Hydra does when it looks for plugins, can write
``lr=logspace(1e-4,1e-1,7)``, with any sweeper. The modules whose names begin with an underscore are left alone by
Hydra's search for plugins, which would run the others a second time and so double their classes.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from hydra_plugins.grid_sweeper._hydra_internals import add_function
from hydra_plugins.grid_sweeper._logspace import LogSpace, logspace

__all__ = ["LogSpace", "combination_filter", "described_options"]

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from omegaconf import DictConfig

add_function("logspace", logspace)


def described_options() -> Iterator[tuple[str, str, str]]:
    """Name, default and description of each option."""
    from hydra_plugins.grid_sweeper._options import Options
    from hydra_plugins.workstation_launcher import described

    return described(Options)


def combination_filter(
    expression: str, overrides: Sequence[str], loader: "ConfigLoader", master: "DictConfig"
) -> Callable[[Sequence[str]], bool]:
    """For other sweepers: from the overrides of a job to whether an expression keeps it.

    Args:
        expression: as ``hydra.sweeper.filter``.
        overrides: of the sweep, in the order of a job's.
        loader: Hydra's.
        master: the sweep's configuration, with its ``hydra`` node.

    Raises:
        CompactHydraException: in a line, if that cannot be said of a job.
    """
    from hydra_plugins.grid_sweeper._jobs import keeps_of

    return keeps_of(expression, overrides, loader, master)
