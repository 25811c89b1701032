"""Entry point: train one run, or with ``-m`` a sweep of runs.

    python -m rnn_mnist.train model=gru
    python -m rnn_mnist.train -m model.num_layers=1,2,3

Nothing that takes time to import is imported here, so that Ctrl-C is met from the start.
"""

import os
import sys
import traceback
from collections.abc import MutableMapping
from typing import NoReturn

from rnn_mnist import shell
from rnn_mnist.ctrl_c import is_interruption


def main() -> NoReturn:
    """Run the command line; exits with 0, 1 or 130."""
    sys.exit(shell.run(_train, interrupted="interrupted; the same command carries on from the last whole epoch"))


def _train() -> int:
    show_everything = os.environ.get("HYDRA_FULL_ERROR") == "1"
    # With this switch Hydra raises instead of printing its own many-line reports.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    _bound_spinning(os.environ)
    try:
        _run_hydra()
    except BrokenPipeError:
        raise
    except Exception as error:
        if is_interruption(error):
            raise
        from hydra_plugins.workstation_launcher import already_shown
        from rnn_mnist.configuration.mistakes import explain_error, print_error

        if show_everything:
            traceback.print_exc()
            return 1
        if already_shown(error):
            return 1
        line = explain_error(error)
        if line is None:
            raise
        print_error(line)
        return 1
    return 0


def _bound_spinning(environment: MutableMapping[str, str]) -> None:
    """Let threads of PyTorch that wait for one another sleep soon, unless the user has said how long they shall not.

    GNU OpenMP, which reads it when PyTorch is imported, spins 300,000 times, milliseconds in which another process that
    holds a core is kept from ending its turn: beside three busy processes on two cores a step of an LSTM 2x128 took
    130 ms instead of 73. Ten thousand cost nothing on a quiet machine (``scripts/benchmark.py against`` measures both).
    """
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", "10000")


def _run_hydra() -> None:
    import hydra

    from rnn_mnist.configuration.command_line import UsageError, check_command_line, help_of_group, is_sweep
    from rnn_mnist.configuration.compose import CONFIG_DIR, config_dir_of, register
    from rnn_mnist.configuration.hydra_versions import MAIN
    from rnn_mnist.task import job_identity, task

    config_dir = config_dir_of(sys.argv[1:])
    try:
        if text := help_of_group(sys.argv[1:], config_dir):
            print(text)
            return
        sys.argv[1:] = check_command_line(sys.argv[1:], config_dir)
    except UsageError as error:
        shell.fail(str(error))
        sys.exit(2)
    register(job_identity, config_dir)
    try:
        hydra.main(config_path=str(CONFIG_DIR), config_name="config", **MAIN)(task)()
    finally:
        if is_sweep(sys.argv[1:]):
            from rnn_mnist.configuration.foreign_launcher import say_how_to_see_the_answer

            say_how_to_see_the_answer(sys.argv[1:], config_dir)


if __name__ == "__main__":
    shell.leave(main)
