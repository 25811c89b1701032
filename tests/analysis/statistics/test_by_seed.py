"""Contrasts by seed are the textbook tests where nothing is missing; each context keeps its weight where runs are."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from rnn_mnist.analysis.statistics import anytime
from rnn_mnist.analysis.statistics.by_seed import Contrast, Sample, independent_contrast, paired_contrast
from rnn_mnist.analysis.statistics.simultaneous import holm, judge

accuracies = st.integers(9000, 10_000).map(lambda hits: hits / 10_000)


def cells(contexts: int, seeds: int) -> st.SearchStrategy[np.ndarray]:
    rows = st.lists(accuracies, min_size=seeds, max_size=seeds)
    return st.lists(rows, min_size=contexts, max_size=contexts).map(np.array)


@given(st.data(), st.integers(1, 4), st.integers(3, 8))
@settings(max_examples=60, deadline=None)
def test_whole_designs_are_tested_by_one_mean_a_seed(data: st.DataObject, contexts: int, seeds: int) -> None:
    level, reference = data.draw(cells(contexts, seeds)), data.draw(cells(contexts, seeds))
    one, other = level.mean(axis=0), reference.mean(axis=0)
    paired, independent = paired_contrast(level, reference), independent_contrast(level, reference)
    assert paired.estimate == pytest.approx(one.mean() - other.mean(), abs=1e-12)
    if np.ptp(one - other) > 1e-9:
        expected = stats.ttest_rel(one, other)
        assert paired.t == pytest.approx(expected.statistic, rel=1e-6, abs=1e-6)
        assert paired.degrees_of_freedom == seeds - 1
    if np.ptp(one) > 1e-9 and np.ptp(other) > 1e-9:
        expected = stats.ttest_ind(one, other, equal_var=False)
        assert independent.t == pytest.approx(expected.statistic, rel=1e-6, abs=1e-6)
        assert independent.degrees_of_freedom == pytest.approx(expected.df, rel=1e-6)


def test_a_context_that_has_lost_a_run_keeps_its_weight() -> None:
    noise = np.array([-0.001, 0.0, 0.001, 0.002])
    level = np.array([[0.90], [0.98]]) + 0.01 + noise
    reference = np.array([[0.90], [0.98]]) + np.array([0.001, -0.001, 0.0, 0.0])
    whole = independent_contrast(level, reference).estimate
    level[0, 1] = np.nan  # of the context that is 8 points lower: a plain mean over runs would rise by one point
    assert independent_contrast(level, reference).estimate == pytest.approx(whole, abs=0.0005)


def test_the_spread_is_never_less_than_one_image() -> None:
    one_image_each = paired_contrast(np.full((1, 3), 0.9701), np.full((1, 3), 0.9700), floor=0.0001)
    assert one_image_each.t == pytest.approx(math.sqrt(3))
    assert math.isinf(paired_contrast(np.full((1, 3), 0.9701), np.full((1, 3), 0.9700)).t)


def test_an_interval_excludes_zero_exactly_where_its_adjusted_p_value_is_small() -> None:
    t = np.linspace(-6, 6, 121)
    for size in (1, 3, 8):
        for start in range(len(t) - size):
            family = judge(t[start : start + size], np.full(size, 7.0))
            assert ((np.abs(t[start : start + size]) > family.critical) == (family.adjusted < 0.05)).all()
    alone = judge(np.array([2.5]), np.array([7.0]))
    assert alone.adjusted[0] == alone.p_values[0] == pytest.approx(2 * stats.t.sf(2.5, 7))


@pytest.mark.parametrize(("n", "t"), [(5, 9.0), (8, 3.0), (30, 2.0), (30, 4.0)])
def test_the_anytime_interval_and_its_evidence_agree(n: int, t: float) -> None:
    values = np.linspace(-1, 1, n)
    values = values / values.std(ddof=1) + t / math.sqrt(n)
    contrast = Contrast(Sample(values))
    assert contrast.t == pytest.approx(t)
    for alpha in (0.2, 0.05, 0.001):
        excluded = anytime.half_width(contrast, alpha) < contrast.estimate
        assert excluded == (anytime.p_value(contrast) < alpha)


def test_three_seeds_settle_nothing_for_ever() -> None:
    assert math.isinf(anytime.half_width(Contrast(Sample(np.array([1.0, 1.1, 1.2]))), 0.05))


@given(st.lists(st.sampled_from([0.0, 1e-9, 0.004, 0.01, 0.03, 0.5, 1.0, math.nan]), max_size=10).map(np.array))
@settings(max_examples=5, deadline=None)  # statsmodels collects garbage at every call: 0.2 s with torch loaded
def test_holm_is_statsmodels_over_what_was_tested(p_values: np.ndarray) -> None:
    corrected = holm(p_values)
    tested = ~np.isnan(p_values.astype(float))
    assert np.isnan(corrected[~tested]).all()
    if tested.any():
        assert corrected[tested] == pytest.approx(multipletests(p_values[tested], method="holm")[1])
