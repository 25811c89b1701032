"""The Python API: what the commands do, with values for arguments and results. Import it from ``rnn_mnist``.

A mistake raises :class:`rnn_mnist.errors.ExpectedError` with one line.
Modules are imported when a function that needs them is called; only :func:`train`, :func:`explain` and
:func:`load_model` need PyTorch.
"""

import signal
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnn_mnist.errors import ExpectedError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure

    from rnn_mnist.analysis.reading.results import Runs
    from rnn_mnist.configuration.resolution import Resolved
    from rnn_mnist.configuration.schema import Config
    from rnn_mnist.explain.tensors import Explanation
    from rnn_mnist.training.trained_model import TrainedModel


def compose(overrides: Sequence[str] = (), config_dir: Path | str | None = None) -> "Config":
    """The configuration that a command with these overrides would run, typed and checked.

    Args:
        overrides: as on the command line: ``["model=gru", "optimizer.lr=0.01"]``.
        config_dir: a folder with studies of your own, ``experiment/*.yaml``; those of ``./studies`` need none.

    Raises:
        ExpectedError: if it cannot be composed or run, with key, value and what is allowed.
    """
    return _checked(overrides, config_dir).config


def train(overrides: Sequence[str], directory: Path | str, config_dir: Path | str | None = None) -> dict[str, Any]:
    """Train one run in this process, carry it on, or recognize it as completed.

    Args:
        overrides: as on the command line.
        directory: of the run's files. It need not exist, and must not hold another run.
        config_dir: as for :func:`compose`, and so below.

    Returns:
        What ``result.json`` holds: ``best_epoch``, ``val_accuracy``, ``test_accuracy`` (fractions), ``test_loss``,
        ``parameters``, ``train_seconds`` and more.

    Raises:
        ExpectedError: if the run cannot be made here, or diverges.
    """
    from rnn_mnist.runs.run import Run
    from rnn_mnist.training.one_run import train_run

    checked = _checked(overrides, config_dir)
    for warning in checked.warnings:
        warnings.warn(warning, stacklevel=2)
    train_run(checked, Path(directory), list(overrides))
    return Run(Path(directory)).result()


def sweep(overrides: Sequence[str], config_dir: Path | str | None = None) -> Path:
    """Run a sweep as ``rnn-mnist train -m`` does, in a process of its own, whose lines are printed as they come.

    Args:
        overrides: as on the command line: ``["model.num_layers=1,2,3", "seed=range(5)"]``.
        config_dir: with studies of your own.

    Returns:
        The sweep's directory, for :func:`load_runs`.

    Raises:
        ExpectedError: if the command fails, or a run did; the other runs are there nevertheless.
    """
    from rnn_mnist.configuration.compose import sweep_directory

    directory = sweep_directory(overrides, None if config_dir is None else Path(config_dir))
    options = [] if config_dir is None else ["--config-dir", str(config_dir)]
    command = [sys.executable, "-m", "rnn_mnist.train", "-m", *options, *overrides]
    last = ""
    # In a session of its own it gets no Ctrl-C but the one below, in a terminal and in a notebook alike.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                print(line, end="")
                last = line.strip() or last
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            print(process.communicate()[0], end="")
            raise
    if process.returncode != 0:
        raise ExpectedError(f"{directory}: the sweep ended with exit code {process.returncode}: {last}")
    return directory


def load_runs(*directories: Path | str) -> "Runs":
    """The runs of one or several sweeps, from their own files; also of a sweep that is unfinished.

    Args:
        directories: each the directory of a sweep, of several sweeps, or of a single run.

    Returns:
        ``frame``, a row a run with every configuration key as a column; ``records``, the same as values; ``problems``
        and ``duplicates``, a line for each run that was left out and why.

    Raises:
        ExpectedError: if a directory does not exist or there is no run in it.
    """
    from rnn_mnist.analysis.reading.results import load_runs as load

    return load(*directories)


def summarize(
    runs: "Runs", by: Sequence[str], metric: str = "test_accuracy", confidence: float = 0.95
) -> "pd.DataFrame":
    """Number, mean, spread and interval of each combination of levels of ``by``, a row each.

    See :func:`rnn_mnist.analysis.statistics.summary.summarize`.
    """
    from rnn_mnist.analysis.statistics.summary import summarize as summarize_frame

    return summarize_frame(runs.frame, by, metric, confidence)


def compare(
    runs: "Runs",
    factors: Sequence[str] | None = None,
    *,
    references: Mapping[str, Any] | None = None,
    metric: str = "test_accuracy",
    confidence: float = 0.95,
    margin: float | None = None,
    by: str | None = None,
    all_pairs: bool = False,
    anytime: bool = False,
) -> "pd.DataFrame":
    """Each level of each factor against the factor's reference, with interval, p-value, power and verdict, a row each.

    Nobody keeps here how often a growing sweep is looked at: ``anytime=True`` gives intervals that hold regardless.

    See :func:`rnn_mnist.analysis.statistics.effects.effects`.
    """
    from rnn_mnist.analysis.statistics.effects import effects

    return effects(
        runs.frame,
        factors,
        references,
        metric,
        confidence=confidence,
        margin=margin,
        by=by,
        all_pairs=all_pairs,
        anytime=anytime,
    )


def importance(
    runs: "Runs", factors: Sequence[str] | None = None, metric: str = "test_accuracy", seed: int = 0
) -> "pd.DataFrame":
    """The share of the metric's variance that each factor and interaction accounts for, a row each, largest first.

    See :func:`rnn_mnist.analysis.statistics.importance.importance`.
    """
    from rnn_mnist.analysis.statistics.importance import importance as shares

    return shares(runs.frame, factors, metric, seed)


def plot(
    runs: "Runs",
    kind: str,
    *,
    factor: str | None = None,
    hue: str | None = None,
    facet: str | None = None,
    metric: str = "test_accuracy",
    setting: str | None = None,
) -> "Figure":
    """A figure, as ``rnn-mnist plot --kind`` draws it; ``rnn-mnist plot --help`` says what the kinds show.

    Args:
        runs: from :func:`load_runs`.
        kind: ``effect``, ``forest``, ``learning_curves`` ...
        factor: the key along the axis; None leaves it to the kind, and so below.
        hue: the key that sets colours.
        facet: the key with a panel for each level.
        metric: a numeric column of ``runs.frame``.
        setting: for ``confusion``: a setting's label or id.

    Raises:
        ExpectedError: if the kind, a key, the metric or the setting is not there; the message says what is.
    """
    from rnn_mnist.analysis.plots.figure_kind import Request, Sweep
    from rnn_mnist.analysis.plots.figures import draw

    return draw(Sweep(runs.frame), Request(kind, factor, hue, facet, metric, setting)).figure


def report(runs: "Runs", path: Path | str) -> Path:
    """Write one self-contained HTML file, as ``rnn-mnist report`` does, and return its path.

    Args:
        runs: from :func:`load_runs`.
        path: of the file; folders above it are made.

    Raises:
        ExpectedError: if no run is completed.
    """
    from rnn_mnist.analysis.report.render import write_report

    write_report(runs, Path(path))
    return Path(path)


def explain(overrides: Sequence[str] = (), config_dir: Path | str | None = None) -> "Explanation":
    """What a configured model is: shapes, weights, equations, the order of states, and what each parameter does.

    Args:
        overrides: as on the command line.
        config_dir: with studies of your own.

    Returns:
        ``module``, the line that builds it; ``tensors`` and ``weights``, a row each with name and shape; ``equations``;
        ``own_state``, lines that pass a state of one's own; ``diagram.lines(width)``, ``notes`` and more.

    Raises:
        ExpectedError: if the configuration cannot be composed or run.
    """
    from rnn_mnist.explain.tensors import explain as explain_config

    return explain_config(_checked(overrides, config_dir).config)


def load_model(directory: Path | str, device: str = "cpu") -> "TrainedModel":
    """The network of a completed run, with the weights of its best epoch, ready to predict.

    ``load_model("outputs/.../run").predict(image)`` gives the probability of each class, ``[10]``.

    Args:
        directory: of the run.
        device: ``cpu``, ``cuda``, ``mps`` or ``auto``.

    Raises:
        ExpectedError: if the directory is not that of a completed run, or its files cannot be read.
    """
    from rnn_mnist.training.trained_model import load_trained_model

    return load_trained_model(Path(directory), device)


def read_digit(path: Path | str) -> "np.ndarray":
    """A picture of one digit, of any size, as MNIST has its digits: uint8 ``[28, 28]``, white on black, centred.

    See :func:`rnn_mnist.data.digit_image.read_digit`.

    Raises:
        ExpectedError: if the file is no picture, or all of it is alike.
    """
    from rnn_mnist.data.digit_image import read_digit as read

    return read(path)


def _checked(overrides: Sequence[str], config_dir: Path | str | None) -> "Resolved":
    from rnn_mnist.configuration.compose import compose_checked

    return compose_checked(overrides, None if config_dir is None else Path(config_dir))
