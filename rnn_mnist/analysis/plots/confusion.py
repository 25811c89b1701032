"""Which classes a setting takes for which, and the images that most of its runs misread."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, SubFigure

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.figure_kind import FigureKind
from rnn_mnist.analysis.plots.settings import Setting, full_name, group_settings
from rnn_mnist.analysis.plots.source import Source, find_source
from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.levels import short_name
from rnn_mnist.analysis.reading.outcomes import outcomes
from rnn_mnist.analysis.reading.results import completed
from rnn_mnist.analysis.reading.run_directories import ResultsError
from rnn_mnist.analysis.statistics.tested_images import tested_images
from rnn_mnist.catalogues.data_sets import find_data_set
from rnn_mnist.catalogues.metrics import METRICS
from rnn_mnist.catalogues.sequences import IMAGE_SIZE
from rnn_mnist.runs.files import load_predictions
from rnn_mnist.runs.record import State

MISREAD_SHOWN = 24


@dataclass(frozen=True)
class Misread:
    """A test image that runs got wrong.

    Attributes:
        index: its place in the test set.
        image: uint8 ``[28, 28]``.
        label: what it is.
        prediction: what most of those runs took it for.
        wrong: how many runs got it wrong.
    """

    index: int
    image: np.ndarray
    label: int
    prediction: int
    wrong: int


@dataclass(frozen=True)
class ConfusionInfo:
    """What the figure shows.

    Attributes:
        setting: the label of the setting, empty if there is but one.
        choice: how it was chosen, in a sentence; empty where it was asked for, or there is but one.
        classes: their names, in the order of the labels.
        counts: ``[true class, predicted class]``, images summed over the runs.
        runs: how many.
        misread: the images that most runs got wrong, the most often misread first.
    """

    setting: str
    choice: str
    classes: tuple[str, ...]
    counts: np.ndarray
    runs: int
    misread: tuple[Misread, ...]
    source: Source

    @property
    def accuracy(self) -> float:
        """The mean test accuracy of the runs."""
        return float(np.trace(self.counts) / self.counts.sum())


def confusion_info(
    runs: pd.DataFrame, *, factors: Sequence[str], setting: str | None = None, metric: str = "val_accuracy"
) -> ConfusionInfo:
    """The confusions of one setting.

    Args:
        runs: from :func:`rnn_mnist.analysis.reading.results.load_runs`.
        factors: all keys that vary.
        setting: its label (``num_layers=2, bias=true``) or id; None for the best by ``metric``, which is validation so
            that test images do not choose what is shown of them (without validation: test accuracy), among the settings
            in which no run has diverged and which have as many seeds as any.

    Raises:
        ResultsError: if there is no such setting.
        RunFormatError: if the predictions of one of its runs cannot be read.
    """
    completed(runs)
    settings = [entry for entry in group_settings(runs, factors) if (entry.runs["status"] == State.completed).any()]
    chosen, choice = (_find(settings, setting, factors), "") if setting is not None else _best(settings, metric)
    rows = chosen.runs[chosen.runs["status"] == State.completed]
    tested = rows_of(rows)[0]
    data_name = str(tested["data.name"])
    images, labels = tested_images(tested, rows["directory"])
    classes = find_data_set(data_name).classes
    predictions = np.stack([load_predictions(directory) for directory in rows["directory"]])  # [run, image]
    if predictions.shape[1] != len(labels):
        raise ResultsError(f"{rows['directory'].iloc[0]}: {predictions.shape[1]} predictions for {len(labels)} images")
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (np.broadcast_to(labels, predictions.shape), predictions), 1)
    return ConfusionInfo(
        setting=_full_label(chosen, factors) if len(settings) > 1 else "",
        choice=choice,
        classes=classes,
        counts=counts,
        runs=len(rows),
        misread=_most_misread(images, labels, predictions),
        source=find_source(rows),
    )


def _describe(info: ConfusionInfo) -> str:
    wrong = info.counts * (1 - np.eye(len(info.classes), dtype=int))
    label, prediction = np.unravel_index(wrong.argmax(), wrong.shape)
    of = f" of {info.setting}" if info.setting else ""
    text = f"{info.choice} " if info.choice else ""
    text += f"Left: errors{of} per 1,000 images of each class, over {info.runs} run{'s' if info.runs > 1 else ''}; "
    if not wrong.any():
        return text + "there is none."
    text += f"most often {info.classes[label]} is taken for {info.classes[prediction]}. "
    always = sum(entry.wrong == info.runs for entry in info.misread)
    shown = "every one" if always == len(info.misread) else f"{always} of them"
    return text + f"Right: the images misread by most runs ({shown} by all), true class → what it was taken for."


def _draw(info: ConfusionInfo) -> Figure:
    figure = style.new_figure(3.7)
    grid = figure.add_gridspec(1, 2, width_ratios=(1.12, 1))
    left, right = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    _draw_matrix(left, info)
    _draw_misread(right, info)
    source = info.source.text(f"{info.setting or 'one setting'}, {100 * info.accuracy:.2f} % right")
    style.add_footer(figure, source)
    return figure


def _draw_matrix(figure: SubFigure, info: ConfusionInfo) -> None:
    ax = figure.subplots()
    rates = 1000 * info.counts / np.maximum(info.counts.sum(axis=1, keepdims=True), 1)
    classes = range(len(info.classes))
    errors = np.where(np.eye(len(classes), dtype=bool), np.nan, rates)
    most = max(float(np.nanmax(errors)), 1e-9)
    ax.imshow(errors, cmap="Greys", vmin=0, vmax=most * 1.15)
    for i in classes:
        for j in classes:
            if i == j:
                text, ink = f"{rates[i, j] / 10:.1f}%", style.series_styles(1)[0].colour
            else:
                text = f"{rates[i, j]:.0f}" if rates[i, j] >= 0.5 else ("·" if rates[i, j] else "")
                ink = "white" if rates[i, j] > 0.55 * most else style.INK
            size = 5.2 if i == j else 6.5
            ax.text(j, i, text, ha="center", va="center", size=size, color=ink, in_layout=False)
    ax.set_xticks(classes)
    # A class that has a name of its own shows it here; elsewhere its number saves the room.
    ax.set_yticks(classes, [str(i) if info.classes[i] == str(i) else f"{info.classes[i]}  {i}" for i in classes])
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.set_xlabel("Predicted")
    ax.set_ylabel("True class")
    ax.set_title("Errors per 1,000 images of a class", loc="left")


def _draw_misread(figure: SubFigure, info: ConfusionInfo) -> None:
    count = f" (in how many of {info.runs} runs)" if info.runs > 1 else ""
    figure.suptitle(f"Most misread: true → predicted{count}", fontsize=7.5, x=0.02, ha="left")
    if not info.misread:
        return
    # One image of them all: axes for each would take half a second.
    rows, columns, width, height = 4, 6, 36, 44
    pictures = np.zeros((rows * height, columns * width), np.uint8)
    ax = figure.subplots()
    for place, entry in enumerate(info.misread):
        top, left = place // columns * height + height - IMAGE_SIZE, place % columns * width + (width - IMAGE_SIZE) // 2
        pictures[top : top + IMAGE_SIZE, left : left + IMAGE_SIZE] = entry.image
        by = f" ({entry.wrong})" if info.runs > 1 else ""
        title = f"{entry.label}→{entry.prediction}{by}"
        ax.text(left + IMAGE_SIZE / 2, top - 3, title, ha="center", va="bottom", size=6.5, in_layout=False)
    ax.imshow(pictures, cmap="Greys", interpolation="nearest", vmin=0, vmax=255)
    ax.set_axis_off()


def _most_misread(images: np.ndarray, labels: np.ndarray, predictions: np.ndarray) -> tuple[Misread, ...]:
    wrong = (predictions != labels).sum(axis=0)
    order = np.argsort(-wrong, kind="stable")[:MISREAD_SHOWN]
    found = []
    for index in order[wrong[order] > 0]:
        votes = predictions[:, index][predictions[:, index] != labels[index]]
        taken_for = int(np.bincount(votes).argmax())
        found.append(Misread(int(index), images[index], int(labels[index]), taken_for, int(wrong[index])))
    return tuple(found)


def _find(settings: list[Setting], wanted: str, factors: Sequence[str]) -> Setting:
    for entry in settings:
        if wanted in (entry.label, _full_label(entry, factors), entry.runs["setting_id"].iloc[0]):
            return entry
    there = "; ".join(_full_label(entry, factors) for entry in settings[:12]) + (" …" if len(settings) > 12 else "")
    raise ResultsError(f"{wanted}: no such setting with a completed run; there are: {there}")


def _full_label(setting: Setting, factors: Sequence[str]) -> str:
    return full_name(short_name(factors[0]) if len(factors) == 1 else None, setting.label)


def _best(settings: list[Setting], metric: str) -> tuple[Setting, str]:
    """The setting with the best mean, and how it was chosen; means of survivors or of fewer seeds do not compete."""
    if len(settings) == 1:
        return settings[0], ""
    ended = [outcomes(entry.runs) for entry in settings]
    most = max(each.completed for each in ended)
    whole = [i for i, each in enumerate(ended) if each.completed == most and not each.diverged]
    if whole:
        among = f"the {len(whole)} of {len(settings)} settings in which no run diverges and all {most} seeds are there"
        if len(whole) == len(settings):
            among = f"all {len(settings)} settings"
    else:
        fewest = min(each.diverged / each.ended for each in ended)
        whole = [i for i, each in enumerate(ended) if each.diverged / each.ended == fewest]
        among = "those settings in which the fewest runs diverge, as some do in each or seeds are missing"
    means = {i: float(settings[i].runs[metric].mean()) for i in whole}
    if all(np.isnan(mean) for mean in means.values()):
        metric = "test_accuracy"
        means = {i: float(settings[i].runs[metric].mean()) for i in whole}
    judged = METRICS[metric]
    sign = -1.0 if judged.higher_is_better is False else 1.0
    best = max(means, key=lambda i: -np.inf if np.isnan(means[i]) else sign * means[i])
    choice = (
        f"Shown is the setting with the best mean {judged.label.lower()} ({judged.text(means[best])}) among {among}."
    )
    return settings[best], choice


KIND = FigureKind(
    "confusion",
    "which digits are taken for which in --setting, and the most misread images",
    lambda sweep, request: confusion_info(sweep.runs, factors=sweep.factors, setting=request.setting),
    _draw,
    _describe,
    takes=("setting",),
    narrowest=6.0,
)
