"""What is said after a sweep by a launcher that knows no end of a sweep: Joblib's, Submitit's, Hydra's own."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from rnn_mnist.configuration.compose import sweep_directory
from rnn_mnist.errors import ExpectedError

_LAUNCHER = "hydra/launcher"
_WITH_AN_END = ("rnn_mnist", "workstation", "slurm", "ray")


def say_how_to_see_the_answer(arguments: Sequence[str], config_dir: Path | None) -> None:
    """Print the commands that give the table and the figures, if another launcher was chosen and runs are there.

    Args:
        arguments: of ``train``, all but the program's name.
        config_dir: that ``--config-dir`` names.
    """
    overrides = [argument for argument in arguments if "=" in argument and not argument.startswith("-")]
    launcher = _chosen_launcher(overrides)
    if launcher is None or launcher in _WITH_AN_END:
        return
    try:
        directory = sweep_directory(overrides, config_dir)
    except ExpectedError:  # which Hydra has met too
        return
    if not any(directory.glob("*/manifest.json")):
        return
    folder = shlex.quote(str(directory))
    print(f"{_LAUNCHER}={launcher} leaves no table and no figures; they come with:")
    print(f"  rnn-mnist compare {folder}")
    print(f"  rnn-mnist report {folder}")


def _chosen_launcher(overrides: Sequence[str]) -> str | None:
    parser = OverridesParser.create()
    for text in overrides:
        try:
            override = parser.parse_override(text)
        except HydraException:
            continue
        if override.key_or_group == _LAUNCHER and not override.is_delete():
            return str(override.value())
    return None
