"""How often the sweeper is wrong, and how soon it is right: simulated sweeps of known truth.

4,000 sweeps each, whose shares have a standard error of 0.0035 at 0.05. docs/resolve.md has the figures.
"""

import numpy as np
import pytest

from hydra_plugins.resolve_sweeper._decision import Code
from tests.resolve.simulation import simulate

MOST = 0.05 + 3 * 0.0035


@pytest.mark.parametrize("margin", [None, 1.0])
@pytest.mark.parametrize(
    "settings",
    [
        {"effects": [0]},
        {"effects": [0] * 3},
        {"effects": [0] * 8},
        {"effects": [0], "max_seeds": 30},
        {"effects": [0] * 3, "max_seeds": 30},
        {"effects": [0] * 3, "correlation": 0.65},
        {"effects": [0] * 3, "deviations": [1, 3, 0.3, 1]},
        {"effects": [0] * 3, "deviations": [3, 1, 1, 1], "correlation": 0.65, "max_seeds": 30},
        pytest.param({"effects": [0] * 2, "failures": 0.05, "rounds": 1000, "max_seeds": 30}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_equal_settings_are_called_different_at_most_so_often(
    settings: dict[str, object], margin: float | None
) -> None:
    simulated = simulate(margin=margin, **settings)  # type: ignore[arg-type]
    contrasts = range(simulated.codes.shape[1])
    assert simulated.any_different(contrasts) < 0.05 + 3 * (0.05 * 0.95 / len(simulated.codes)) ** 0.5


def test_without_a_margin_one_comparison_uses_all_of_alpha() -> None:
    assert 0.040 < simulate([0], margin=None).any_different([0]) < MOST


def test_real_differences_beside_them_do_not_make_equal_settings_differ() -> None:
    simulated = simulate([2, -2, 0, 0], margin=1.0)
    assert simulated.share(Code.higher, 0) > 0.99
    assert simulated.share(Code.lower, 1) > 0.99
    assert simulated.any_different([2, 3]) < MOST


@pytest.mark.parametrize("correlation", [0.0, 0.65])
def test_what_differs_by_the_margin_is_called_equivalent_at_most_so_often(correlation: float) -> None:
    # Many seeds and a margin that is small beside the noise: otherwise it is found to be different first.
    simulated = simulate([0.3, -0.3, 0.3], margin=0.3, correlation=correlation, max_seeds=300, rounds=2000)
    assert simulated.any_equivalent([0, 1, 2]) < MOST


def test_an_effect_of_a_standard_deviation_is_found() -> None:
    simulated = simulate([1], margin=1.0)
    assert simulated.share(Code.higher) > 0.95
    assert np.median(simulated.seeds) <= 33
    assert simulated.share(Code.lower) < 0.001


def test_equal_settings_end_as_equivalent() -> None:
    simulated = simulate([0], margin=1.0)
    assert simulated.share(Code.equivalent) > 0.95
    assert np.median(simulated.seeds) <= 35


def test_what_settings_share_by_the_seed_makes_it_quicker() -> None:
    alone, paired = simulate([0.5], margin=0.5), simulate([0.5], margin=0.5, correlation=0.65)
    assert paired.share(Code.higher) > alone.share(Code.higher) + 0.2
    assert paired.seeds.mean() < alone.seeds.mean()
