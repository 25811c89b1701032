"""Which settings cannot be told from the best one."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from rnn_mnist.analysis.statistics.by_seed import Contrast, Sample
from rnn_mnist.analysis.statistics.power import ALPHA
from rnn_mnist.analysis.statistics.simultaneous import judge


def settings_tied_with(
    best: str, settings: Mapping[str, pd.DataFrame], metric: str, unit: str = "seed"
) -> tuple[str, ...]:
    """The settings that are not resolved from the best, by Welch's test of their seeds against it; nearest first.

    All pairs count as one family, because the best is not known beforehand: any pair could have been the one. With
    fewer than three seeds nothing is resolved.

    Args:
        best: the name of the best.
        settings: the completed runs of each, by name.
        metric: the column that is compared.
        unit: the column that counts the replicates; several runs of one are its mean.
    """
    samples = {name: Sample(group.groupby(unit)[metric].mean().to_numpy(float)) for name, group in settings.items()}
    others = sorted(
        (name for name in samples if name != best), key=lambda name: abs(samples[best].mean - samples[name].mean)
    )
    contrasts = [Contrast(samples[best], samples[name]) for name in others]
    if not contrasts or not all(contrast.testable for contrast in contrasts):
        return tuple(others)
    t = np.array([contrast.t for contrast in contrasts])
    degrees = np.array([contrast.degrees_of_freedom for contrast in contrasts])
    pairs = len(samples) * (len(samples) - 1) // 2
    family = judge(t, degrees, 1 - ALPHA, size=pairs)
    return tuple(name for name, p_value in zip(others, family.adjusted, strict=True) if p_value >= ALPHA)
