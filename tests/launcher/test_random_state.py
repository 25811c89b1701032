"""A seeded Mersenne Twister is told from one that the system has seeded, whatever has been drawn since."""

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_plugins.workstation_launcher._mersenne_twister import is_seeded

DRAWS = st.sampled_from([0, 1, 397, 623, 624, 625, 1248, 5_000])
SEEDS = st.one_of(st.integers(-(2**64), 2**64), st.integers(0, 2**2000), st.text(max_size=200), st.binary(max_size=99))


@given(seed=SEEDS, draws=DRAWS)
@settings(max_examples=60, deadline=None)
def test_python_seeded(seed: int | str | bytes, draws: int) -> None:
    generator = random.Random(seed)
    for _ in range(draws):
        generator.getrandbits(32)
    assert is_seeded(generator.getstate()[1][:-1])


@given(seed=st.one_of(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2**32 - 1), min_size=1)), draws=DRAWS)
@settings(max_examples=60, deadline=None)
def test_numpy_seeded(seed: int | list[int], draws: int) -> None:
    generator = np.random.RandomState(seed)
    generator.random_sample(draws)
    state = generator.get_state(legacy=False)
    assert isinstance(state, dict)
    assert is_seeded(state["state"]["key"].tolist())


@given(draws=DRAWS)
@settings(max_examples=20, deadline=None)
def test_seeded_by_the_system(draws: int) -> None:
    generator = random.Random()
    old = np.random.RandomState()
    for _ in range(draws):
        generator.getrandbits(32)
    old.random_sample(draws)
    state = old.get_state(legacy=False)
    assert isinstance(state, dict)
    assert not is_seeded(generator.getstate()[1][:-1], 20)
    assert not is_seeded(state["state"]["key"].tolist(), 20)
