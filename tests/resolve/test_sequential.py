"""Boundaries against published ones, and what becomes of them with few seeds and with seeds that are missing."""

import numpy as np
import pytest
from scipy.stats import t as student

from hydra_plugins.resolve_sweeper._sequential import critical_t, spent, spread_looks, z_boundaries


@pytest.mark.parametrize(
    ("looks", "published"),
    [
        # R packages ldbounds and gsDesign (sfLDOF), two-sided 0.05, equally spaced looks.
        (3, [3.7103, 2.5114, 1.9930]),
        (5, [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
    ],
)
def test_boundaries_are_those_that_are_published(looks: int, published: list[float]) -> None:
    fractions = [look / looks for look in range(1, looks + 1)]
    found = z_boundaries(fractions, [spent(fraction, 0.05) for fraction in fractions])
    assert found == pytest.approx(published, abs=5e-4)


def test_all_looks_together_spend_alpha() -> None:
    assert spent(1.0, 0.05) == pytest.approx(0.05)
    assert spent(0.2, 0.05) < 1e-4
    # The random walk itself, without the integration.
    looks = (5, 8, 12, 17, 23, 30)
    boundaries = z_boundaries(looks, [spent(look / 30, 0.05) for look in looks])
    walks = np.random.default_rng(0).standard_normal((200_000, 30)).cumsum(1)
    crossed = np.any([np.abs(walks[:, n - 1]) / n**0.5 > c for n, c in zip(looks, boundaries, strict=True)], axis=0)
    assert crossed.mean() == pytest.approx(0.05, abs=0.002)


def test_one_look_is_the_ordinary_t_test() -> None:
    assert critical_t((10,), (1.0,), 0.05) == pytest.approx(student.isf(0.025, 9))


def test_a_look_without_new_seeds_is_none() -> None:
    fractions = (5 / 30, 8 / 30, 12 / 30)
    assert critical_t((5, 5), fractions[:2], 0.05) == np.inf
    assert critical_t((0, 1), fractions[:2], 0.05) == np.inf
    # What it did not spend is left for the next.
    assert critical_t((5, 5, 9), fractions, 0.05) < critical_t((5, 8, 9), fractions, 0.05)


def test_a_smaller_level_asks_for_more_at_every_look() -> None:
    looks = spread_looks(6, 5, 30)
    for last in range(1, 7):
        counts, fractions = looks[:last], tuple(look / 30 for look in looks[:last])
        values = [critical_t(counts, fractions, 0.05 / parts) for parts in (1, 2, 8, 200)]
        assert values == sorted(set(values))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((6, 5, 30), (5, 8, 12, 17, 23, 30)),
        ((3, 5, 30), (5, 16, 30)),
        ((1, 5, 30), (30,)),
        ((6, 5, 7), (5, 6, 7)),
        ((6, 3, 3), (3,)),
    ],
)
def test_looks_lie_further_apart_as_seeds_grow(arguments: tuple[int, int, int], expected: tuple[int, ...]) -> None:
    assert spread_looks(*arguments) == expected
