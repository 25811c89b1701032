"""A metric against parameters and against seconds, with the settings that are worth their cost."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.cost_info import CostInfo, cost_info
from rnn_mnist.analysis.plots.cost_panel import CostLook, draw_panel, numbers_of
from rnn_mnist.analysis.plots.figure_kind import FigureKind
from rnn_mnist.analysis.plots.settings import full_name
from rnn_mnist.analysis.plots.value_axis import find_range
from rnn_mnist.analysis.reading.outcomes import missing_text
from rnn_mnist.analysis.statistics.by_seed import FEWEST_TO_SPEAK
from rnn_mnist.catalogues.metrics import METRICS

MOST_IN_A_LEGEND = 10


def _describe(info: CostInfo) -> str:
    better = {True: " (higher is better)", False: " (lower is better)", None: ""}[info.metric.higher_is_better]
    text = (
        f"{info.metric.label}{better} against the number of parameters and the training time "
        f"(on {', '.join(info.devices)})."
    )
    if info.most_seeds < FEWEST_TO_SPEAK:
        return text + f" With fewer than {FEWEST_TO_SPEAK} seeds no setting is resolved from another."
    for front, what in zip(info.fronts, ("parameters", "seconds"), strict=True):
        named = "; ".join(full_name(info.legend_title, info.settings[i].label) for i in front.resolved) or "none"
        text += f" Resolved to be better than all with no more {what}: {named}"
        others = len(front.unresolved)
        others_text = f"{others} {'more ' if front.resolved else ''}not resolved from the best at their cost"
        text += f" ({others_text})." if others else "."
    aside = [setting for setting in info.settings if not setting.eligible]
    diverged = sum(bool(setting.reached.failed) for setting in aside)
    if aside:
        words = [f"{diverged} because runs diverge"] if diverged else []
        words += [f"{len(aside) - diverged} with fewer seeds than {info.most_seeds}"] if len(aside) > diverged else []
        text += f" Not considered (hollow): {', '.join(words)}."
    return text


def _draw(info: CostInfo) -> Figure:
    figure = style.new_figure(3.1)
    panels = figure.subplots(1, 2, sharey=True)
    values = np.array([value for setting in info.settings for value in setting.reached.values])
    ends = [end for setting in info.settings for end in (setting.reached.low, setting.reached.high) if end is not None]
    value_range = find_range(
        info.metric.shown(values), info.metric.shown(np.array(ends)), higher_is_better=info.metric.higher_is_better
    )
    looks = style.series_styles(len(info.settings), ordered=info.ordered)
    crowded = len(info.settings) > MOST_IN_A_LEGEND
    if crowded:
        looks = [style.SeriesStyle(style.GREY, "o", "-")] * len(info.settings)
    devices = style.wrap(", ".join(info.devices), 40)
    labels = (METRICS["parameters"].axis_label, f"Training time on {devices} (s)")
    for panel, (ax, label) in enumerate(zip(panels, labels, strict=True)):
        draw_panel(ax, info, panel, CostLook(looks, value_range, crowded))
        ax.set_xlabel(label)
    panels[0].set_ylabel(info.metric.axis_label)
    if crowded:
        style.add_list(
            figure,
            [
                f"{number}  {full_name(info.legend_title, info.settings[i].label)}"
                for i, number in numbers_of(info).items()
            ],
        )
    handles = [] if crowded or len(info.settings) == 1 else _setting_handles(info, looks)
    handles += [*_meaning_handles(info), *value_range.handles]
    style.outside_legend(figure, handles, info.legend_title if not crowded else None)
    nowhere = [setting.label for setting in info.settings if not setting.reached.n]
    note = f"not shown, as no run has finished: {'; '.join(nowhere[:6])}{' …' if len(nowhere) > 6 else ''}"
    counts = [setting.reached.n for setting in info.settings]
    notes = [style.seed_count(counts, "setting"), "means and 95 % t intervals", note if nowhere else ""]
    compared = "better beyond Bonferroni's intervals of the differences; costs within 5 % count as equal"
    style.add_footer(figure, info.source.text(*notes, compared, missing_text(info.missing)))
    return figure


def _setting_handles(info: CostInfo, looks: Sequence[style.SeriesStyle]) -> list[Line2D]:
    handles = []
    for setting, look in zip(info.settings, looks, strict=True):
        diverged = setting.reached.outcomes.diverged_text
        fewer = f"{setting.reached.n} of {info.most_seeds} seeds" if setting.reached.n < info.most_seeds else ""
        text = "\n".join([style.wrap(setting.label, 26), *([diverged] if diverged else [fewer] if fewer else [])])
        handle = style.series_handle(look, text, line="none", width=40)
        if not setting.eligible:
            handle.set(markerfacecolor="white", markeredgecolor=look.colour)
        handles.append(handle)
    return handles


def _meaning_handles(info: CostInfo) -> list[Line2D]:
    """What the marks mean, as far as they occur."""
    standing = {index for front in info.fronts for index in (*front.resolved, *front.unresolved)}
    marks: tuple[tuple[bool, str, dict[str, Any]], ...] = (
        (
            any(front.resolved for front in info.fronts),
            "better than all\nthat cost no more",
            {"color": style.INK, "linestyle": "-", "drawstyle": "steps-post", "mfc": style.GREY},
        ),
        (
            any(front.unresolved for front in info.fronts),
            "not resolved from\nthe best at its cost",
            {"color": style.GREY, "mec": style.INK, "mew": 0.6},
        ),
        (
            any(setting.eligible and index not in standing for index, setting in enumerate(info.settings)),
            "worse than one\nthat costs no more",
            {"color": style.PALE, "mew": 0},
        ),
        (
            not all(setting.eligible for setting in info.settings),
            "not considered: runs\ndiverge, or fewer seeds",
            {"color": style.GREY, "mfc": "white"},
        ),
    )
    return [
        Line2D([], [], **{"marker": "o", "linestyle": "none", "linewidth": 1, "label": label, **look})
        for occurs, label, look in marks
        if occurs
    ]


KIND = FigureKind(
    "cost",
    "a metric against parameters and against seconds, with the settings that are worth their cost",
    lambda sweep, request: cost_info(sweep.runs, factors=sweep.factors_from(request.factor), metric=request.metric),
    _draw,
    _describe,
    takes=("factor", "metric"),
    narrowest=5.0,
)
