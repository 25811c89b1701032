"""What a look settles, on arrays that are made for it."""

import numpy as np
import pytest

from hydra_plugins.resolve_sweeper._decision import Code, Design, FloatArray, IntArray, by_seed_differences, judge

DESIGN = Design((5, 8, 12, 17, 23, 30), alpha=0.05, margin=1.0)


def noise(*shape: int, seed: int = 0) -> FloatArray:
    """With a mean of exactly 0 and a standard deviation of exactly 1 over the seeds, the last axis."""
    values = np.random.default_rng(seed).standard_normal(shape)
    values -= values.mean(-1, keepdims=True)
    scaled: FloatArray = values / values.std(-1, ddof=1, keepdims=True)
    return scaled


def codes(*values: int) -> IntArray:
    return np.array(values)


def test_a_difference_is_a_mean_over_contexts_and_lacks_where_a_run_does() -> None:
    values = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, np.nan], [4.0, 4.0, 4.0], [11.0, 22.0, 33.0]])
    (difference,) = by_seed_differences(values, [((2, 3), (0, 1))])
    assert difference.tolist()[:2] == [2.0, 2.0]
    assert np.isnan(difference[2])


def test_the_interval_excludes_zero_where_the_verdict_says_so() -> None:
    rng = np.random.default_rng(1)
    differences = rng.standard_normal((500, 4, 30)) + rng.choice([0, 0.5, 1, 2], (500, 4, 1))
    known: IntArray = np.zeros((500, 4), int)
    for look in range(6):
        found = judge(differences, known, look, DESIGN)
        new = (known == Code.open) & (found.codes != Code.open)
        differs = np.isin(found.codes, (Code.higher, Code.lower))
        assert np.all((found.low * found.high > 0)[new & differs])
        equivalent = new & (found.codes == Code.equivalent)
        assert np.all(((found.low > -1) & (found.high < 1))[equivalent])
        still = found.codes == Code.open
        assert np.all(((found.low <= 0) & (found.high >= 0))[still])
        assert not np.any(((found.low > -1) & (found.high < 1))[still])
        known = found.codes
    assert {Code.open, Code.higher, Code.equivalent} <= set(known.ravel().tolist())


def test_what_is_found_makes_the_next_easier_to_find() -> None:
    # Critical values at 30 seeds: 2.42 for the first of two, 2.11 for the second.
    t = 2.25
    weak, strong = noise(30) + t / 30**0.5, noise(30) + 1.0
    design = Design(DESIGN.looks, DESIGN.alpha, margin=None)
    assert judge(np.stack([weak, noise(30)]), codes(0, 0), 5, design).codes.tolist() == [Code.open, Code.open]
    assert judge(np.stack([weak, strong]), codes(0, 0), 5, design).codes.tolist() == [Code.higher, Code.higher]
    # A contrast that ended at an earlier look counts just so, and what ended as equivalent does not.
    assert judge(np.stack([weak, noise(30)]), codes(0, Code.lower), 5, design).codes[0] == Code.higher
    assert judge(np.stack([weak, noise(30)]), codes(0, Code.equivalent), 5, design).codes[0] == Code.open


def test_what_is_settled_stays_so() -> None:
    found = judge(np.stack([noise(30) + 5, noise(30)]), codes(Code.equivalent, Code.lower), 5, DESIGN)
    assert found.codes.tolist() == [Code.equivalent, Code.lower]


def test_runs_that_come_out_the_same_are_equivalent_and_ties_are_no_finding() -> None:
    same = judge(np.zeros((1, 5)), codes(0), 0, Design((5, 30), 0.05, None))
    assert (same.codes[0], same.low[0], same.high[0]) == (Code.equivalent, 0, 0)
    tied = judge(np.full((1, 5), 0.01), codes(0), 0, DESIGN)
    assert tied.codes[0] == Code.open
    assert tied.low[0] == -np.inf


@pytest.mark.filterwarnings("error")
def test_missing_seeds_are_less_data_and_no_data_is_open() -> None:
    differences = noise(1, 12) + 2
    whole = judge(differences, codes(0), 2, DESIGN)
    differences[0, [1, 6, 7]] = np.nan
    fewer = judge(differences, codes(0), 2, DESIGN)
    assert (whole.seeds[0], fewer.seeds[0]) == (12, 9)
    assert fewer.high[0] - fewer.low[0] > whole.high[0] - whole.low[0]
    nothing = judge(np.full((1, 12), np.nan), codes(0), 2, DESIGN)
    assert (nothing.codes[0], nothing.seeds[0]) == (Code.open, 0)


def test_a_simulation_is_judged_as_each_of_its_sweeps() -> None:
    differences = np.random.default_rng(2).standard_normal((20, 3, 30)) + 0.6
    differences[np.random.default_rng(3).random(differences.shape) < 0.1] = np.nan
    known = np.zeros((20, 3), int)
    known[:5, 0] = Code.higher
    together = judge(differences, known, 3, DESIGN)
    for alone, given, code, low in zip(differences, known, together.codes, together.low, strict=True):
        found = judge(alone, given, 3, DESIGN)
        assert found.codes.tolist() == code.tolist()
        assert found.low == pytest.approx(low, nan_ok=True)
