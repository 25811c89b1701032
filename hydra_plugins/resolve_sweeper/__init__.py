"""A Hydra sweeper that adds seeds only to the comparisons that are still open.

    python app.py -m hydra/sweeper=resolve learning_rate=0.1,0.01,0.001 hydra.sweeper.margin=0.1

Any Hydra application can use it; docs/resolve.md describes it. The modules whose names begin with an underscore are
left alone by Hydra's search for plugins, which would run the others a second time and so double their classes.
"""

from collections.abc import Iterator

PLAN = "resolve.json"
"""In the folder of a sweep: what is compared, and what each look has found."""


def described_options() -> Iterator[tuple[str, str, str]]:
    """Name, default and description of each option."""
    from hydra_plugins.resolve_sweeper._options import Options
    from hydra_plugins.workstation_launcher import described

    return described(Options)
