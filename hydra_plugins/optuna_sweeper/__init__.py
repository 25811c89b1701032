"""A Hydra sweeper that searches with Optuna: it streams, prunes, and goes on where it was stopped.

    python app.py -m hydra/sweeper=optuna 'learning_rate=tag(log,interval(1e-4,1e-1))' hydra.sweeper.n_trials=30

Any Hydra application can use it, with any launcher; docs/optuna.md describes it. The modules whose names begin with an
underscore are left alone by Hydra's search for plugins, which would run the others a second time.
"""

from collections.abc import Iterator

JOURNAL = "optuna.journal"
"""In the folder of a sweep: the study, unless ``hydra.sweeper.storage`` has it elsewhere."""
ANSWER = "search.json"
"""In the folder of a sweep: the trials' end, and what their best settings came to when they were measured again."""


def described_options() -> Iterator[tuple[str, str, str]]:
    """Name, default and description of each option."""
    from hydra_plugins.optuna_sweeper._options import Options
    from hydra_plugins.workstation_launcher import described

    return described(Options)
