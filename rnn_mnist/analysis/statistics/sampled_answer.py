"""What a random search comes to, in sentences."""

import math

import numpy as np

from rnn_mnist.analysis.reading.levels import format_level
from rnn_mnist.analysis.statistics.additive_regression import AdditiveFit
from rnn_mnist.analysis.statistics.partial_effect import Estimate, PartialEffect
from rnn_mnist.analysis.statistics.sampled import MOST_LEVELS
from rnn_mnist.catalogues.metrics import METRICS, Metric

STEPS = {
    "decade": "a decade of {factor}",
    "doubling": "a doubling of {factor}",
    "unit": "for each 1 of {factor}",
    "range": "over {factor} from {low} to {high}",
}


def sampled_answer(fit: AdditiveFit, metric: str | None = None, margin: float | None = None) -> list[str]:
    """A sentence a factor, the most important first; then how much they explain together, and what diverged.

    A factor counts as having an effect where its joint test, corrected by Holm over the factors, is below
    1 - confidence.

    Args:
        fit: of :func:`rnn_mnist.analysis.statistics.additive_regression.additive_regression`.
        metric: that which was fitted; None takes it from there.
        margin: in the metric's unit; a deviation from the mean up to this does not matter. None: that is not known.
    """
    about = METRICS[metric or fit.metric]
    alpha = 1 - fit.confidence
    ordered = sorted(fit.effects, key=lambda effect: (not effect.p_adjusted < alpha, -effect.importance))
    sentences = [effect_sentence(effect, about, alpha, margin) for effect in ordered]
    runs = f"{fit.runs} runs" + (f" of {fit.settings} settings" if fit.settings < fit.runs else "")
    if fit.held_out > 0:
        share = f"account for {100 * fit.held_out:.0f} % of the variance of runs that were held out"
        sentences.append(f"Added up, the factors {share} ({runs})")
    else:
        sentences.append(f"The factors predict runs that were held out no better than the mean does ({runs})")
    return [*sentences, *fit.failures]


def effect_sentence(effect: PartialEffect, metric: Metric, alpha: float = 0.05, margin: float | None = None) -> str:
    """What one factor does, in a sentence without its full stop.

    Where no effect is shown, it says how large a deviation from the mean the band leaves possible.
    """
    if math.isnan(effect.p_adjusted):
        return f"{effect.factor}: too few seeds to say"
    if not effect.p_adjusted < alpha:
        return _nothing_shown(effect, metric, alpha, margin)
    if effect.trend is None:
        return _categories(effect, metric)
    if effect.summit is not None and effect.summit.resolved:
        return _summit(effect, metric)
    if effect.trend.resolved:
        step = STEPS[effect.step].format(factor=effect.factor, low=_point(effect, 0), high=_point(effect, -1))
        moves = "rises" if effect.trend.difference > 0 else "falls"
        return f"{metric.label} {moves} by {_size(effect.trend, metric)} {step}"
    p_value = p_text(effect.p_adjusted)
    return f"{metric.label} changes with {effect.factor} ({p_value}), but along no straight line: see the figure"


def _nothing_shown(effect: PartialEffect, metric: Metric, alpha: float, margin: float | None) -> str:
    levels = ", ".join(map(format_level, effect.points)) if effect.trend is None else ""
    over = levels or f"{_point(effect, 0)} to {_point(effect, -1)}"
    most = metric.size_text(effect.largest)
    if margin is not None and effect.largest <= margin:
        return f"{effect.factor}: no effect that matters over {over}: within ±{most} of the mean"
    p_value = p_text(effect.p_adjusted)
    p_value += f" over all factors, {p_text(effect.p_value)} alone" if effect.p_value < alpha else ""
    may = f"it may move {metric.label.lower()} by up to ±{most} about its mean"
    line = ", if along a straight line, which is all that so few settings show" if _is_line(effect) else ""
    return f"{effect.factor}: no effect shown over {over} ({p_value}); {may}{line}"


def _is_line(effect: PartialEffect) -> bool:
    return effect.trend is not None and effect.degrees == 1 and len(np.unique(effect.places)) > MOST_LEVELS


def _categories(effect: PartialEffect, metric: Metric) -> str:
    resolved = [(level, estimate) for level, estimate in effect.contrasts if estimate.resolved]
    against = f"{effect.factor}={format_level(effect.reference)}"
    if not resolved:
        return (
            f"{metric.label} differs over {effect.factor} ({p_text(effect.p_adjusted)}), no level from {against} alone"
        )
    parts = [
        f"{_size(estimate, metric)} {'higher' if estimate.difference > 0 else 'lower'} with {format_level(level)}"
        for level, estimate in sorted(resolved, key=lambda pair: -abs(pair[1].difference))
    ]
    return f"{metric.label} is {', '.join(parts)} than with {against}"


def _summit(effect: PartialEffect, metric: Metric) -> str:
    summit = effect.summit
    assert summit is not None
    good = metric.higher_is_better
    word = ("highest" if summit.above else "lowest") if good is None else "best" if good == summit.above else "worst"
    way = "above" if summit.above else "below"
    first, last = (_size(estimate, metric) for estimate in (summit.to_first, summit.to_last))
    place = f"{metric.label} is {word} near {effect.factor} = {_point(effect, summit.place)}"
    return f"{place}: {first} {way} that at {_point(effect, 0)}, {last} {way} that at {_point(effect, -1)}"


def _size(estimate: Estimate, metric: Metric) -> str:
    """The size of a difference and of its interval's ends, all by the direction of the difference."""
    sign = math.copysign(1.0, estimate.difference)
    low, high = sorted((sign * estimate.low, sign * estimate.high))
    return f"{metric.size_text(abs(estimate.difference))} ({metric.number(low)} to {metric.number(high)})"


def _point(effect: PartialEffect, place: int) -> str:
    return rounded(effect.points[place], effect)


def rounded(value: float, effect: PartialEffect) -> str:
    """A value of a factor with as many digits as a point of a curve deserves: whole ones for counts, else two."""
    known = effect.places[~np.isnan(effect.places)]
    return f"{round(value)}" if bool((known == known.round()).all()) else f"{value:.2g}"


def p_text(p_value: float) -> str:
    """``p = 0.03``, or ``p < 0.001``; ``no p`` where it could not be tested."""
    if math.isnan(p_value):
        return "no p"
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}" if p_value < 0.1 else f"p = {p_value:.2f}"
