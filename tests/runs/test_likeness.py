"""What counts as the same run made again."""

import math
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnn_mnist.runs.likeness import TOLERANCE, Kind, Outcome, compare_outcomes

VALUES = ((1, (0.4, 0.91)), (2, (0.2, 0.92)), (3, (0.1, 0.93)))
BEFORE = Outcome(
    [{"epoch": each, "train_loss": loss, "val_accuracy": right, "val_loss": None} for each, (loss, right) in VALUES],
    [2.3, 2.2, 2.1, 2.0, 1.9, 1.8],
    np.array([1, 2, 3], np.uint8),
    np.array([0.2, 0.9]),
    {"linear.bias": np.array([0.5, 1.5], np.float32)},
)  # fmt: skip


def with_metric(epoch: int, **values: float) -> Outcome:
    rows = [dict(row) for row in BEFORE.metrics]
    rows[epoch - 1].update(values)
    return replace(BEFORE, metrics=rows)


def test_the_same_is_identical_and_all_of_it_is_compared() -> None:
    found = compare_outcomes(BEFORE, BEFORE)
    assert (found.kind, found.epoch, found.largest) == (Kind.identical, None, 0)
    assert found.compared == ("3 epochs", "test accuracy after each time step", "predictions", "weights")


@given(st.integers(1, 3), st.sampled_from(["train_loss", "val_accuracy"]), st.floats(1e-12, 0.3))
def test_any_difference_is_seen_with_its_epoch(epoch: int, name: str, by: float) -> None:
    value = BEFORE.metrics[epoch - 1][name]
    assert value is not None
    found = compare_outcomes(BEFORE, with_metric(epoch, **{name: value * (1 + by)}))
    if value * (1 + by) == value:
        assert found.kind == Kind.identical
        return
    # The first losses agree: it is the same run, and rounding has grown.
    assert (found.kind, found.epoch, found.what) == (Kind.rounding, epoch, f"{name} of epoch {epoch}")


def test_first_losses_that_differ_make_it_another_run() -> None:
    now = replace(with_metric(1, train_loss=0.41), first_losses=[2.3, 2.2 * (1 + 2 * TOLERANCE), 2.1, 2.0, 1.9])
    assert compare_outcomes(BEFORE, now).kind == Kind.different
    assert compare_outcomes(BEFORE, now, tolerance=1e-3).kind == Kind.rounding


def test_a_loss_that_is_no_number_is_no_rounding() -> None:
    found = compare_outcomes(replace(BEFORE, first_losses=()), with_metric(2, train_loss=math.nan))
    assert (found.kind, found.epoch, found.largest) == (Kind.different, 2, math.inf)


def test_without_first_losses_the_metrics_decide() -> None:
    old = replace(BEFORE, first_losses=())
    assert compare_outcomes(old, with_metric(1, train_loss=0.4 * (1 + TOLERANCE / 2))).kind == Kind.rounding
    assert compare_outcomes(old, with_metric(1, train_loss=0.4 * (1 + TOLERANCE * 2))).kind == Kind.different


def test_a_file_that_was_changed_is_told_from_rounding() -> None:
    for changed in (
        replace(BEFORE, predictions=np.array([1, 2, 4], np.uint8)),
        replace(BEFORE, predictions=np.array([1, 2], np.uint8)),
    ):
        found = compare_outcomes(changed, BEFORE)
        assert (found.kind, found.what, found.epoch) == (Kind.different, "predictions", None)
    weights = {"linear.bias": np.array([0.5, np.nextafter(np.float32(1.5), np.float32(2))], np.float32)}
    assert compare_outcomes(replace(BEFORE, weights=weights), BEFORE).what == "weights"
    assert compare_outcomes(replace(BEFORE, weights={}), BEFORE).what == "weights"


def test_what_is_not_kept_is_named_and_what_is_not_made_is_left_out() -> None:
    found = compare_outcomes(replace(BEFORE, weights=None), BEFORE)
    assert (found.kind, found.not_kept) == (Kind.identical, ("weights",))
    early = Outcome(BEFORE.metrics[:1], BEFORE.first_losses)
    found = compare_outcomes(BEFORE, early)
    assert (found.kind, found.compared, found.not_kept) == (Kind.identical, ("1 epoch",), ())
