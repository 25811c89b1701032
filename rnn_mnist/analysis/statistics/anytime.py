"""An interval that holds however often one looks: for sweeps that grow while their results are read.

The t-test with a Gaussian mixture over effect sizes: under no effect, the Bayes factor of the t-statistic against an
effect size drawn from N(0, g) is an e-process: the chance that it *ever* exceeds 1/alpha is at most alpha (Lai 1976,
Annals of Statistics 4:265; Wang and Ramdas 2024, arXiv:2310.03722; the factor is that of Rouder et al. 2009,
Psychonomic Bulletin and Review 16:225, with a fixed g). It is paid for in width: with ten seeds 1.7 times that of a t
interval.
"""

import math

from rnn_mnist.analysis.statistics.by_seed import Contrast

MIXTURE_VARIANCE = 1.0
"""g: effects of about one standard deviation between seeds are those that it is quickest to find."""


def e_value(t: float, n: int) -> float:
    """The evidence against no difference, from a one-sample t-statistic of n values; expected to be 1 without one."""
    ratio = 1 + n * MIXTURE_VARIANCE
    if math.isinf(t):
        return float(ratio ** ((n - 1) / 2))
    x = t * t / (n - 1)
    return float(ratio**-0.5 * ((1 + x) / (1 + x / ratio)) ** (n / 2))


def half_width(contrast: Contrast, alpha: float) -> float:
    """Of the interval around the estimate that covers the truth at all looks with probability 1 - alpha.

    Infinite where so few seeds cannot exclude anything at that level. It is 0 where nothing varies.
    """
    if contrast.variance == 0:
        return 0.0
    return math.sqrt(contrast.variance) * critical(contrast.n, alpha)


def critical(n: int, alpha: float) -> float:
    """The t-statistic of n values beyond which 0 is excluded; infinite where none is."""
    # The t-statistics with e_value(t, n) < 1 / alpha, solved for t.
    ratio = 1 + n * MIXTURE_VARIANCE
    bound = (math.sqrt(ratio) / alpha) ** (2 / n)
    if bound >= ratio:
        return math.inf
    return math.sqrt((n - 1) * (bound - 1) / (1 - bound / ratio))


def p_value(contrast: Contrast) -> float:
    """1 over the evidence, at most 1: below alpha exactly where the interval excludes 0."""
    return min(1.0, 1 / e_value(contrast.t, contrast.n))
