"""What is asked before a single run has a directory; Hydra calls it, as ``hydra.callbacks`` says."""

import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from rnn_mnist.configuration.compose import typed
from rnn_mnist.configuration.mistakes import explain_error, print_error
from rnn_mnist.runs.run import Run
from rnn_mnist.task import check_ready, forget_jobs


class BeforeRun(Callback):  # type: ignore[misc, unused-ignore]
    """Ends the program, with the mistake on standard error, while nothing is written."""

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:  # noqa: ARG002 - Hydra names it
        """Called with the composed configuration of a sweep."""
        forget_jobs()

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Called with the composed configuration, and its ``hydra`` node.

        Raises:
            SystemExit: with status 1. Any other exception Hydra would turn into a warning.
        """
        try:
            resolved = typed(config)
            completed = Run(Path(config.hydra.run.dir), resolved.former_ids).completed(resolved.run_id)
            if not (completed and resolved.config.resume):
                check_ready(config)
        except Exception as error:
            line = explain_error(error)
            if line is None:
                return  # what is a bug comes up again where it keeps its traceback
            print_error(line)
            sys.exit(1)
