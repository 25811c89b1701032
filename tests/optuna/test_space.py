"""What overrides span: every value that Hydra's own sweeper would run, and nothing else."""

from collections.abc import Sequence
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from hydra_plugins.optuna_sweeper._options import SearchError
from hydra_plugins.optuna_sweeper._space import Between, Listed, Space, Stepped, read_space


def space(*overrides: str, seed_key: str | None = None) -> Space:
    return read_space(OverridesParser.create().parse_overrides(list(overrides)), seed_key)


class Chooses:
    """A trial that takes a share of the way from the first value to the last."""

    def __init__(self, share: float) -> None:
        self.share = share

    def suggest_categorical(self, name: str, choices: Sequence[str]) -> Any:
        return choices[round(self.share * (len(choices) - 1))]

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        assert (high - low) % step == 0
        return low + step * round(self.share * (high - low) / step)

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        if step is None:
            return low + self.share * (high - low)
        return low + step * round(self.share * (high - low) / step)


def test_a_space_keeps_what_is_fixed_and_the_order() -> None:
    found = space("model=lstm,gru", "epochs=3", "lr=tag(log,interval(1e-4,1e-1))", "~gone", "+new=1")
    assert found.fixed == ["epochs=3", "~gone", "+new=1"]
    assert found.dimensions == [Listed("model", ("lstm", "gru")), Between("lr", 1e-4, 1e-1, False, True)]
    chosen = {"model": "gru", "lr": "0.01"}
    assert found.overrides(chosen) == ["model=gru", "epochs=3", "lr=0.01", "~gone", "+new=1"]
    assert found.setting(found.overrides(chosen)) == "model=gru lr=0.01"
    assert found.overrides({"model": "gru"}) == ["model=gru", "epochs=3", "~gone", "+new=1"]


@given(st.integers(-20, 20), st.integers(-20, 20), st.integers(-5, 5).filter(bool), st.floats(0, 1))
def test_a_range_gives_the_values_of_hydras_own(start: int, stop: int, step: int, share: float) -> None:
    override = f"x=range({start},{stop},{step})"
    values = list(OverridesParser.create().parse_override(override).sweep_string_iterator())
    if not values:
        with pytest.raises(SearchError, match="nothing in it"):
            space(override)
    elif len(values) == 1:
        assert space(override).fixed == [f"x={values[0]}"]
    else:
        (dimension,) = space(override).dimensions
        assert dimension.suggest(Chooses(share)) in values
        ends = {dimension.suggest(Chooses(0)), dimension.suggest(Chooses(1))}
        assert ends == {min(values, key=int), max(values, key=int)}


@given(st.decimals(-5, 5, places=2), st.integers(2, 30), st.decimals("0.01", 2, places=2), st.floats(0, 1))
def test_a_range_of_fractions_is_written_as_hydra_writes_it(start: Any, count: int, step: Any, share: float) -> None:
    override = f"x=range({float(start)},{float(start + step * count)},{float(step)})"
    values = list(OverridesParser.create().parse_override(override).sweep_string_iterator())
    (dimension,) = space(override).dimensions
    assert isinstance(dimension, Stepped)
    assert dimension.suggest(Chooses(share)) in values
    assert {dimension.suggest(Chooses(0)), dimension.suggest(Chooses(1))} == {values[0], values[-1]}


@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9), st.floats(0, 1))
def test_an_interval_is_written_exactly(one: float, other: float, share: float) -> None:
    low, high = sorted([one, other])
    override = f"x=interval({low!r},{high!r})"
    if low == high:
        with pytest.raises(SearchError, match="below the second"):
            space(override)
        return
    (dimension,) = space(override).dimensions
    chosen = dimension.suggest(Chooses(share))
    read = OverridesParser.create().parse_override(f"x={chosen}").value()
    assert read == low + share * (high - low)


@given(st.lists(st.sampled_from(["a", "b", "1", "0.5", "0.001", "[1,2]"]), min_size=2, unique=True))
def test_a_list_has_its_values_as_they_were_written(values: list[str]) -> None:
    for override in (f"x={','.join(values)}", f"x=choice({','.join(values)})"):
        (dimension,) = space(override).dimensions
        assert isinstance(dimension, Listed)
        assert list(dimension.values) == values


def test_whole_numbers() -> None:
    assert space("x=int(interval(1,64))").dimensions == [Between("x", 1, 64, True, False)]
    assert space("x=tag(log,int(interval(1,64)))").dimensions == [Between("x", 1, 64, True, True)]
    (logarithmic,) = space("x=tag(log,range(1,65))").dimensions
    assert isinstance(logarithmic, Stepped)
    assert logarithmic.is_log
    assert (logarithmic.values[0], logarithmic.values[-1]) == ("1", "64")


def test_what_is_said_of_the_seed_does_not_count() -> None:
    found = space("seed=range(5)", "x=1,2", seed_key="seed")
    assert found.listed_seeds == "range(5)"
    assert found.with_seed(["x=1"], 2) == ["seed=2", "x=1"]
    found = space("+seed=7", "x=1,2", seed_key="seed")
    assert found.with_seed(["x=1"], 0) == ["+seed=7", "x=1"]
    assert space("seed=1,2", "x=1,2").with_seed(["x=1"], 3) == ["x=1"]


def test_combinations_are_in_the_order_of_hydras_own_sweeper() -> None:
    found = space("a=1,2", "b=x,y", "c=5")
    assert [found.overrides(each) for each in found.combinations()] == [
        ["a=1", "b=x", "c=5"], ["a=1", "b=y", "c=5"], ["a=2", "b=x", "c=5"], ["a=2", "b=y", "c=5"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("x=interval(1,1)", "the first end must be below the second"),
        ("x=interval(2,1)", "the first end must be below the second"),
        ("x=tag(log,interval(0,1))", "log needs ends above 0"),
        ("x=tag(log,choice(1,2))", "a list has no scale"),
        ("x=tag(log,range(1,10,2))", "one by one"),
        ("x=tag(log,range(0,10))", "from 1 on"),
        ("x=range(3,3)", "nothing in it"),
    ],
)
def test_what_cannot_be_searched_is_named(override: str, line: str) -> None:
    with pytest.raises(SearchError, match=line):
        space(override)
