"""What is compared with what, from overrides as they are typed."""

from collections.abc import Sequence

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.resolve_sweeper._grid import Grid, read_grid, with_references, without
from hydra_plugins.resolve_sweeper._options import ResolveError


def grid_of(*overrides: str, seed_key: str = "seed") -> Grid:
    return read_grid(OverridesParser.create().parse_overrides(list(overrides)), seed_key)


def configuration(**values: object) -> DictConfig:
    return OmegaConf.create({"hydra": {"runtime": {"choices": {"model": "gru"}}}, **values})


def test_factors_fixed_overrides_and_seeds_are_told_apart() -> None:
    grid = grid_of("seed=range(5)", "a=1,2", "b=x", "c=range(3)", "+d=7", "~e", "a=3,4")
    assert [(factor.key, factor.levels) for factor in grid.factors] == [("a", ("3", "4")), ("c", ("0", "1", "2"))]
    assert grid.fixed == ("b=x", "+d=7", "~e")
    assert grid.listed_seeds == "range(5)"
    assert grid.overrides(4, 11) == ["b=x", "+d=7", "~e", "seed=11", "a=4", "c=1"]


def test_a_contrast_has_both_sides_in_the_same_contexts() -> None:
    grid = grid_of("a=1,2", "b=x,y,z")
    contrasts = {(contrast.label, contrast.reference): contrast for contrast in grid.contrasts}
    assert list(contrasts) == [("a=2", "1"), ("b=y", "x"), ("b=z", "x")]
    for (label, _), contrast in contrasts.items():
        key = label.partition("=")[0]
        for own, base in zip(contrast.settings, contrast.reference_settings, strict=True):
            differing = {name for name in grid.levels(own) if grid.levels(own)[name] != grid.levels(base)[name]}
            assert differing == {key}


def test_a_seed_that_is_added_stays_added() -> None:
    assert grid_of("+seed=1,2", "x=1,2").overrides(0, 4)[0] == "+seed=4"


@pytest.mark.parametrize(
    ("override", "asked", "expected"),
    [
        ("lr=0.001,0.003,0.01", {}, "0.003"),  # the configuration's
        ("lr=0.001,0.01", {}, "0.001"),  # it has none of them
        ("model=lstm,gru", {}, "gru"),
        ("flag=false,true", {}, "true"),
        ("number=0,1", {}, "1"),
        ("absent=1,2", {}, "1"),
        ("list=[1],[2]", {}, "[2]"),
        ("lr=0.001,0.003,0.01", {"lr": 0.01}, "0.01"),
        ("model=lstm,gru", {"model": "lstm"}, "lstm"),
        ("+lr=1e-3,0.01", {"lr": "1e-3"}, "0.001"),
    ],
)
def test_the_reference_is_what_is_asked_for_or_the_default(
    override: str, asked: dict[str, object], expected: str
) -> None:
    config = configuration(lr=0.003, flag=True, number=1, list=[2])
    grid = with_references(grid_of(override), asked, config)
    assert grid.contrasts[0].reference.lower() == expected


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (["x=interval(0,1)"], "x=interval(0,1)"),
        (["x=1,2", "seed=3"], "seed=3"),
        (["x=1", "seed=1,2"], "nothing to compare"),
        ([], "nothing to compare"),
    ],
)
def test_a_grid_that_cannot_be_compared_is_refused(overrides: list[str], named: str) -> None:
    with pytest.raises(ResolveError, match=r".") as raised:
        grid_of(*overrides)
    assert named in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("asked", "named"), [({"y": 1}, "y"), ({"x": 3}, "1, 2"), ({"x": True}, "1, 2")])
def test_a_reference_that_is_not_in_the_grid_is_refused(asked: dict[str, object], named: str) -> None:
    with pytest.raises(ResolveError, match=named):
        with_references(grid_of("x=1,2"), asked, configuration())


def test_a_filter_leaves_settings_out_and_contrasts_are_of_what_both_levels_have() -> None:
    grid = grid_of("a=1,2,3", "b=x,y,z", "c=5")

    def keeps(job: Sequence[str]) -> bool:
        return not {"a=3", "b=x"} <= set(job) and "b=z" not in job

    left = without(grid, "...", keeps, 0)
    assert len(left.settings) == 5
    assert [left.overrides(place, 0)[2:] for place in range(5)] == [
        ["a=1", "b=x"], ["a=1", "b=y"], ["a=2", "b=x"], ["a=2", "b=y"], ["a=3", "b=y"],
    ]  # fmt: skip
    contexts = {
        contrast.label: [(left.levels(one)["b"], left.levels(two)) for one, two in zip(*contrast.pair, strict=True)]
        for contrast in left.contrasts
    }
    assert contexts["a=2"] == [("x", {"a": "1", "b": "x"}), ("y", {"a": "1", "b": "y"})]
    assert contexts["a=3"] == [("y", {"a": "1", "b": "y"})]
    assert list(contexts) == ["a=2", "a=3", "b=y"]


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ([], "drops all of 4 settings"),
        (["a=1 b=x", "a=2 b=y"], "leaves a=2 nothing in common with a=1, which it is compared with"),
        (["a=1 b=x"], "leaves nothing to compare"),
    ],
)
def test_a_filter_that_leaves_nothing_to_compare_is_refused(kept: list[str], words: str) -> None:
    with pytest.raises(ResolveError, match=r"^hydra\.sweeper\.filter=a > b: ") as raised:
        without(grid_of("a=1,2", "b=x,y"), "a > b", lambda job: " ".join(job[1:]) in kept, 0)
    assert words in str(raised.value)
