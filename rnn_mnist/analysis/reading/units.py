"""How figures are shown: accuracies in per cent, their differences in percentage points, all else as it is."""

import math

SHARES = ("test_accuracy", "val_accuracy", "train_accuracy")


def is_share(metric: str) -> bool:
    """Whether a metric is a fraction that people look at in per cent."""
    return metric in SHARES


def scale(metric: str) -> float:
    """What to multiply a metric's values by before they are shown."""
    return 100.0 if is_share(metric) else 1.0


def unit(metric: str) -> str:
    """The unit of a metric's values as shown: ``%`` for accuracies, else nothing."""
    return "%" if is_share(metric) else ""


def format_value(metric: str, value: float) -> str:
    """A value as shown, without its unit: ``97.43``; an en dash where there is none."""
    if math.isnan(value):
        return "–"
    return f"{100 * value:.2f}" if is_share(metric) else f"{value:.4g}"


def format_difference(metric: str, value: float) -> str:
    """A difference as shown, with its sign and without its unit: ``+0.42``."""
    if math.isnan(value):
        return "–"
    return f"{100 * value:+.2f}" if is_share(metric) else f"{value:+.4g}"


def with_unit(metric: str, difference: float) -> str:
    """The size of a difference in words: ``0.42 points``."""
    return f"{100 * difference:.2f} points" if is_share(metric) else f"{difference:.4g}"
