"""The table of a random search: a row a factor."""

from rnn_mnist.analysis.reading.levels import format_level
from rnn_mnist.analysis.report.tables import number_cell, p_value_text
from rnn_mnist.analysis.statistics.additive_regression import AdditiveFit
from rnn_mnist.analysis.statistics.partial_effect import PartialEffect
from rnn_mnist.analysis.statistics.sampled_answer import rounded
from rnn_mnist.catalogues.metrics import METRICS, Metric
from rnn_mnist.tables import Cell, Column, Content, Table, text_cell

_STEPS = {"decade": "a decade", "doubling": "a doubling", "unit": "for each 1", "range": "over the range"}


def sampled_table(fit: AdditiveFit) -> Table:
    """One row for each factor of an additive regression, and for each level of a category; the most important first."""
    metric = METRICS[fit.metric]
    points = f", {metric.difference_unit}" if metric.difference_unit else ""
    columns = (
        Column("factor", Content.code),
        Column("over", hint="the range that was tried, or a level and its reference"),
        Column("per", hint="what the difference is a step of"),
        Column("difference", Content.number, f"on average over the range, all other factors held{points}"),
        Column(f"{100 * fit.confidence:g} % interval", Content.number, "of the difference; of levels, all together"),
        Column("p", Content.number, "that the factor does nothing at all, corrected over the factors (Holm)"),
        Column("explains %", Content.number, "of the variance of held-out runs, with its standard error"),
        Column("best at", hint="where the curve is best; an end of the range may have better beyond it"),
    )
    ordered = sorted(fit.effects, key=lambda effect: -effect.importance)
    return Table(columns, tuple(row for effect in ordered for row in _rows(effect, metric, 1 - fit.confidence)))


def _rows(effect: PartialEffect, metric: Metric, alpha: float) -> list[tuple[Cell, ...]]:
    share = Cell(f"{100 * effect.share:.1f} ± {100 * effect.importance_error:.1f}", effect.importance)
    shared = (
        number_cell(effect.p_adjusted, p_value_text(effect.p_adjusted)),
        share,
        text_cell(_best(effect, metric, alpha)),
    )
    if effect.trend is not None:
        estimates = [
            (
                f"{rounded(effect.points[0], effect)} to {rounded(effect.points[-1], effect)}",
                _STEPS[effect.step],
                effect.trend,
            )
        ]
    else:
        against = format_level(effect.reference)
        estimates = [(f"{format_level(level)} vs {against}", "", estimate) for level, estimate in effect.contrasts]
    return [
        (
            text_cell(effect.factor),
            text_cell(over),
            text_cell(per),
            number_cell(estimate.difference, metric.difference(estimate.difference)),
            number_cell(estimate.low, f"{metric.difference(estimate.low)} to {metric.difference(estimate.high)}"),
            *shared,
        )
        for over, per, estimate in estimates
    ]


def _best(effect: PartialEffect, metric: Metric, alpha: float) -> str:
    """Where the curve is best, by the metric's own direction; an en dash where it has none, or nothing is shown."""
    if metric.higher_is_better is None or not effect.p_adjusted < alpha:
        return "–"
    place = int(effect.curve.argmax() if metric.higher_is_better else effect.curve.argmin())
    if effect.trend is None:
        return format_level(effect.points[place])
    end = " (an end)" if place in (0, len(effect.points) - 1) else ""
    return f"{rounded(effect.points[place], effect)}{end}"
