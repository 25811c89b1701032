"""Training and validation accuracy and loss by epoch, one colour a setting."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.curves import (
    MOST_IN_A_PANEL,
    MOST_PANELS,
    Curve,
    curve,
    draw_curve,
    small_multiples,
    spread_evenly,
)
from rnn_mnist.analysis.plots.figure_kind import FigureKind
from rnn_mnist.analysis.plots.settings import are_ordered, full_name, group_settings
from rnn_mnist.analysis.plots.source import Source, find_source
from rnn_mnist.analysis.reading.levels import short_name
from rnn_mnist.analysis.reading.outcomes import Outcomes, missing_text, outcomes
from rnn_mnist.analysis.reading.results import learning_curves
from rnn_mnist.analysis.reading.run_directories import ResultsError

ACCURACY_LABEL = "Accuracy (%), logit scale"


@dataclass(frozen=True)
class SettingCurves:
    """The curves of one setting; those of runs that have diverged end where they did."""

    label: str
    train_accuracy: Curve
    val_accuracy: Curve | None
    train_loss: Curve
    val_loss: Curve | None
    outcomes: Outcomes


@dataclass(frozen=True)
class LearningCurvesInfo:
    """What the figure shows: some of ``total`` settings, from the best to the worst if there are too many for all."""

    settings: tuple[SettingCurves, ...]
    total: int
    legend_title: str | None
    ordered: bool
    missing: int
    source: Source


def learning_curves_info(runs: pd.DataFrame, *, factors: Sequence[str]) -> LearningCurvesInfo:
    """The curves of every setting.

    Raises:
        ResultsError: if no run has finished an epoch.
    """
    epochs = learning_curves(runs)
    if epochs.empty:
        raise ResultsError(f"{', '.join(dict.fromkeys(runs['sweep']))}: no run has finished an epoch yet")
    settings = []
    for setting in group_settings(runs, factors):
        own = epochs[epochs["directory"].isin(setting.runs["directory"])]
        if own.empty:
            continue
        validated = bool(own["val_accuracy"].notna().any())
        settings.append(
            SettingCurves(
                label=setting.label,
                train_accuracy=curve(own, "epoch", "train_accuracy"),
                val_accuracy=curve(own, "epoch", "val_accuracy") if validated else None,
                train_loss=curve(own, "epoch", "train_loss"),
                val_loss=curve(own, "epoch", "val_loss") if validated else None,
                outcomes=outcomes(setting.runs),
            )
        )
    chosen = spread_evenly([_last(setting) for setting in settings], MOST_PANELS)
    return LearningCurvesInfo(
        settings=tuple(settings[i] for i in chosen),
        total=len(settings),
        legend_title=short_name(factors[0]) if len(factors) == 1 else None,
        ordered=are_ordered(runs, factors),
        missing=outcomes(runs).missing,
        source=find_source(runs),
    )


def _describe(info: LearningCurvesInfo) -> str:
    validated = any(setting.val_accuracy for setting in info.settings)
    both = " and loss" if len(info.settings) <= MOST_IN_A_PANEL else ""
    text = f"Accuracy (on a logit scale){both} by epoch: "
    text += "validation (solid) and training (dashed)" if validated else "training (dashed; there is no validation set)"
    text += ", the mean over seeds with its 95 % band, or single seeds where there are fewer than three."
    last = [
        (_last(setting), full_name(info.legend_title, setting.label))
        for setting in info.settings
        if np.isfinite(_last(setting))
    ]
    if len(last) > 1:
        (low, lowest), (high, highest) = min(last), max(last)
        text += f" At the end they stand between {100 * low:.2f} % ({lowest}) and {100 * high:.2f} % ({highest})."
    if len(info.settings) < info.total:
        text += f" {len(info.settings)} of {info.total} settings are shown, evenly from the best to the worst."
    return text


def _draw(info: LearningCurvesInfo) -> Figure:
    if len(info.settings) > MOST_IN_A_PANEL:
        return _draw_small_multiples(info)
    figure = style.new_figure(3.0)
    left, right = figure.subplots(1, 2)
    styles = style.series_styles(len(info.settings), ordered=info.ordered)
    for setting, look in zip(info.settings, styles, strict=True):
        for ax, factor, train, validation in (
            (left, 100, setting.train_accuracy, setting.val_accuracy),
            (right, 1, setting.train_loss, setting.val_loss),
        ):
            draw_curve(ax, train, look, factor=factor, dashed=True)
            if validation:
                draw_curve(ax, validation, look, factor=factor)
    _accuracy_axis(left, [left])
    left.set_ylabel(ACCURACY_LABEL)
    right.set_yscale("log")
    right.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    right.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else ""))
    right.set_ylabel("Loss (nats)")
    for ax in (left, right):
        ax.set_xlabel("Epoch")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles = []
    if info.total > 1:
        handles = [
            style.series_handle(look, _legend_label(setting), line="-")
            for setting, look in zip(info.settings, styles, strict=True)
        ]
    handles += _line_handles(info)
    style.outside_legend(figure, handles, info.legend_title)
    style.add_footer(figure, info.source.text(*_notes(info)))
    return figure


def _draw_small_multiples(info: LearningCurvesInfo) -> Figure:
    figure, panels = small_multiples(len(info.settings))
    look = style.series_styles(1)[0]
    for ax, setting in zip(panels, info.settings, strict=True):
        for other in info.settings:
            behind = other.val_accuracy or other.train_accuracy
            centre = behind.mean if behind.has_mean else behind.seeds[0]
            ax.plot(behind.x, 100 * centre, color=style.PALE, linewidth=0.6, zorder=0)
        draw_curve(ax, setting.train_accuracy, look, factor=100, dashed=True)
        if setting.val_accuracy:
            draw_curve(ax, setting.val_accuracy, look, factor=100, markers=False)
        ax.set_title(
            style.wrap(full_name(info.legend_title, _legend_label(setting)), 32), fontsize=6, loc="left", pad=2
        )
        ax.xaxis.set_major_locator(MaxNLocator(3, integer=True))
        ax.tick_params(labelsize=6)
    _accuracy_axis(panels[0], panels)
    figure.supylabel(ACCURACY_LABEL, fontsize=8.5)
    figure.legend(handles=[*_line_handles(info), Line2D([], [], color=style.PALE, label="the other settings")],
                  loc="outside upper left", ncols=3)  # fmt: skip
    style.add_footer(figure, "horizontal: epoch · " + info.source.text(*_notes(info)))
    return figure


def _accuracy_axis(ax: Axes, sharing: Sequence[Axes]) -> None:
    """Equal ratios of errors look equal: 90 to 95 % is as far as 98 to 99 %, where networks differ at the end."""

    def forward(accuracy: float | np.ndarray) -> np.ndarray:
        share = np.clip(np.asarray(accuracy, dtype=float) / 100.0, 1e-4, 1 - 1e-4)
        return np.asarray(np.log10(share / (1.0 - share)))

    def inverse(place: float | np.ndarray) -> np.ndarray:
        return np.asarray(100.0 / (1.0 + 10.0 ** -np.asarray(place, dtype=float)))

    low, high = min(each.dataLim.ymin for each in sharing), max(each.dataLim.ymax for each in sharing)
    ax.set_yscale("function", functions=(forward, inverse))
    margin = 0.05 * (forward(high) - forward(low)) + 0.01
    ax.set_ylim(float(inverse(forward(low) - margin)), float(inverse(forward(high) + margin)))
    ax.yaxis.set_minor_locator(NullLocator())
    ticks = [1, 10, 20, 50, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95]
    inside = [tick for tick in ticks if ax.get_ylim()[0] <= tick <= ax.get_ylim()[1]]
    if len(inside) < 3:
        inside = list(MaxNLocator(5).tick_values(*ax.get_ylim()))
    ax.yaxis.set_major_locator(FixedLocator(inside))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _line_handles(info: LearningCurvesInfo) -> list[Line2D]:
    dashed = Line2D([], [], color=style.GREY, linestyle=(0, (3, 1.5)), label="training")
    if any(setting.val_accuracy for setting in info.settings):
        return [Line2D([], [], color=style.GREY, label="validation"), dashed]
    return [dashed]


def _notes(info: LearningCurvesInfo) -> list[str]:
    counts = [len(setting.train_accuracy.seeds) for setting in info.settings]
    notes = [style.seed_count(counts, "setting")]
    if any(setting.train_accuracy.has_mean for setting in info.settings):
        notes.append("mean and 95 % band")
    if len(info.settings) < info.total:
        notes.append(f"{len(info.settings)} of {info.total} settings")
    return [*notes, missing_text(info.missing)]


def _legend_label(setting: SettingCurves) -> str:
    diverged = setting.outcomes.diverged_text
    return setting.label + (f" ({diverged})" if diverged else "")


def _last(setting: SettingCurves) -> float:
    """The accuracy at the end, by which settings are ranked; validation where there is any."""
    shown = setting.val_accuracy or setting.train_accuracy
    ends = [seed[np.isfinite(seed)][-1] for seed in shown.seeds if np.isfinite(seed).any()]
    return float(np.mean(ends)) if ends else float("nan")


KIND = FigureKind(
    "learning_curves",
    "training and validation accuracy and loss by epoch",
    lambda sweep, request: learning_curves_info(sweep.runs, factors=sweep.factors_from(request.factor)),
    _draw,
    _describe,
    takes=("factor",),
)
