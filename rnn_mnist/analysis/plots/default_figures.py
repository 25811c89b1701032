"""Which figures suit a sweep, by the number of its factors and of its runs."""

from rnn_mnist.analysis.plots.figure_kind import DEFAULT_METRIC, Request, Sweep
from rnn_mnist.analysis.reading.factors import FactorError, levels_of
from rnn_mnist.analysis.reading.results import completed

# Marginal effects and pairs beyond these few are a matter of asking for them.
MOST_EFFECTS = 6


def default_figures(sweep: Sweep) -> list[Request]:
    """The figures that are drawn when none is asked for.

    One setting: its curves, its confusions, and its seeds if there are several. One factor: its effect too. Two: the
    second one as hue, and their interaction. More: the effect of each, averaged over the others, and parallel
    coordinates. A random search: what each factor does with all others held, and no comparison of levels.

    Raises:
        ResultsError: if no run is completed, saying how the runs stand.
    """
    factors = sweep.factors
    finished = completed(sweep.runs)
    requests: list[Request] = []
    varying = any(finished[key].map(repr).nunique() > 1 for key in factors)
    divisible = varying and _is_divisible(sweep)
    if sweep.sampled:
        requests += [Request("partial")] if divisible else []
    elif len(factors) == 1:
        requests.append(Request("effect", factor=factors[0]))
    elif len(factors) == 2:
        along, hue = _along_and_hue(sweep)
        requests += [Request("effect", factor=along, hue=hue), Request("interaction", factor=along, hue=hue)]
    elif len(factors) > 2:
        requests += [Request("effect", factor=key) for key in factors[:MOST_EFFECTS]]
    if varying and not sweep.sampled:
        requests.append(Request("forest"))
    if divisible and len(factors) > 1:
        requests.append(Request("importance"))
    requests += [Request("learning_curves"), Request("time_steps")]
    if factors:
        requests.append(Request("cost"))
    if len(finished) > 1 and not sweep.sampled:
        requests.append(Request("seeds"))
    requests.append(Request("confusion"))
    if len(factors) > (1 if sweep.sampled else 2):
        requests.append(Request("parallel"))
    return requests


def _along_and_hue(sweep: Sweep) -> tuple[str, str]:
    """The factor with more levels along the axis: hues beyond a handful cannot be told apart."""
    first, second = sweep.factors
    counts = {key: len(levels_of(sweep.runs, key)) for key in sweep.factors}
    return (first, second) if counts[first] > counts[second] else (second, first)


def _is_divisible(sweep: Sweep) -> bool:
    """Whether there are runs enough to tell what each factor accounts for."""
    try:
        sweep.importance(DEFAULT_METRIC)
    except FactorError:
        return False
    return True
