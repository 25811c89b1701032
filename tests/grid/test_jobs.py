"""From what is typed to the jobs: the product, what goes together, what is dropped, what is drawn."""

import logging
import math
import random
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from hydra_plugins.grid_sweeper._axes import Combination
from hydra_plugins.grid_sweeper._jobs import jobs_of
from hydra_plugins.grid_sweeper._options import GridError, Options, checked_options
from hydra_plugins.grid_sweeper._swept_keys import read_keys

DEFAULTS = {entry.name: entry.metadata["default"] for entry in fields(Options)}


def jobs(*arguments: str, **given: Any) -> list[list[str]]:
    """The overrides of each job; keys that are not swept over have the value 7."""

    def unswept(name: str, combination: Combination) -> Any:  # noqa: ARG001
        return 7

    options = checked_options({**DEFAULTS, **given})
    return jobs_of(read_keys(options.params, arguments, None), options, unswept)


def basic(arguments: Sequence[str]) -> list[list[str]]:
    (found,) = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides(list(arguments)), None)
    return found


PREFIXES = st.sampled_from(["", "+", "++"])
KEYS = st.sampled_from(["x", "y", "a.b", "a/b", "db@backup", "db", "_z", "a-1", "layers.0"])
ELEMENTS = st.sampled_from(
    ["1", "-3", "0.1", "1e-4", "1_0", "true", "null", "abc", "a b", "'a,b'", '"q\\"s"', "[1,2]", "{a:1,b:[x]}", "a=b",
     "${x}", "nan", "é".encode().decode("latin1"), "01", "''"]
)  # fmt: skip
FUNCTIONS = [
    "range(3)", "range(1,9,4)", "range(0,1,0.25)", "sort(3,1,2)", "logspace(1,8,4)", "tag(t,choice(a,b))",
    "int(1.5,2.5)", "float(range(2))", "str(1,2)", "sort(range(3),reverse=true)", "",
]  # fmt: skip
SWEEPS = st.one_of(
    ELEMENTS,
    st.lists(ELEMENTS, min_size=1, max_size=3).map(",".join),
    st.lists(ELEMENTS, min_size=1, max_size=3).map(lambda each: f"choice({','.join(each)})"),
    st.sampled_from(FUNCTIONS),
)
LINES = st.lists(st.tuples(PREFIXES, KEYS, SWEEPS), max_size=4, unique_by=lambda each: each[1])


def readable(lines: Sequence[tuple[str, str, str]]) -> list[str]:
    """Those of the overrides that Hydra can read."""
    found = []
    for prefix, key, value in lines:
        line = f"{prefix}{key}={value}"
        try:
            OverridesParser.create().parse_override(line)
        except Exception:
            continue
        found.append(line)
    return found


@given(LINES)
def test_a_grid_without_options_is_hydras(lines: Sequence[tuple[str, str, str]]) -> None:
    arguments = readable(lines)
    assert jobs(*arguments) == basic(arguments)


@given(LINES)
def test_a_filter_that_drops_nothing_changes_nothing(lines: Sequence[tuple[str, str, str]]) -> None:
    arguments = readable(lines)
    assert jobs(*arguments, filter="true") == basic(arguments)


@given(LINES, st.integers(0, 100))
def test_all_that_can_be_drawn_is_the_grid(lines: Sequence[tuple[str, str, str]], seed: int) -> None:
    arguments = readable(lines)
    whole = basic(arguments)
    distinct = {tuple(job) for job in whole}
    found = jobs(*arguments, random=len(whole), random_seed=seed)
    assert {tuple(job) for job in found} == distinct
    assert len(found) == len(distinct)


def test_a_shuffled_sweep_is_hydras_too() -> None:
    arguments = ["x=shuffle(range(20))", "y=shuffle(a,b,c)"]
    random.seed(3)
    expected = basic(arguments)
    random.seed(3)
    assert jobs(*arguments) == expected


def test_a_deleted_key_is_as_with_hydra() -> None:
    assert jobs("~x", "y=1,2") == basic(["~x", "y=1,2"])
    assert jobs("~x", "+x={a:1}", "y=1,2") == basic(["~x", "+x={a:1}", "y=1,2"])


def test_the_command_line_overrides_a_study_in_its_place() -> None:
    params = {"seed": "range(2)", "x": "1,2", "z": 3}
    assert jobs("x=5", "y=1,2", params=params) == basic(["seed=range(2)", "x=5", "z=3", "y=1,2"])
    assert jobs("++x=5", params=params) == [["seed=0", "++x=5", "z=3"], ["seed=1", "++x=5", "z=3"]]


def test_values_in_a_study_may_be_lists_numbers_and_flags() -> None:
    params = {"x": [1, 0.5], "y": True, "z": None, "w": ["a", "b"]}
    assert jobs(params=params) == basic(["x=1,0.5", "y=true", "z=null", "w=a,b"])


@pytest.mark.parametrize("first", ["x=1", "+x=1", "++x=1,2", "x=range(3)"])
@pytest.mark.parametrize("second", ["x=2", "++x=3", "+x=1,2"])
def test_a_key_that_is_given_twice_is_refused(first: str, second: str) -> None:
    with pytest.raises(GridError, match="sets x twice") as raised:
        jobs("y=1,2", first, "z=3", second)
    assert f"{first} and {second}: the command line" in str(raised.value)
    with pytest.raises(GridError, match=r"hydra\.sweeper\.params sets x twice"):
        jobs(params={key.partition("=")[0]: key.partition("=")[2] for key in ("x=1", "+x=2")})
    with pytest.raises(GridError, match="db@backup twice"):
        jobs("db@backup=a,b", "db=a", "+db@backup=c")


def test_keys_that_go_together() -> None:
    assert jobs("a=1,2", "b=x,y", "c=5,6", zip=[["a", "c"]]) == [
        ["a=1", "b=x", "c=5"], ["a=1", "b=y", "c=5"], ["a=2", "b=x", "c=6"], ["a=2", "b=y", "c=6"],
    ]  # fmt: skip
    assert jobs("a=1,2", "+b=x,y", zip=["b", "a"]) == [["a=1", "+b=x"], ["a=2", "+b=y"]]
    assert len(jobs("a=1,2", "b=range(2)", "c=1,2,3", "d=logspace(1,100,3)", zip=[["a", "b"], ["c", "d"]])) == 6
    assert jobs("a=1", "b=2", zip=[["a", "b"]]) == [["a=1", "b=2"]]


def test_a_filter_drops_combinations_and_says_how_many(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        found = jobs("a=1,2,3", "+b='x',y", "c=5", filter="(a > 1 or b == 'x') and c == 5 and d.e == 7")
    whole = basic(["a=1,2,3", "+b='x',y", "c=5"])
    assert found == [job for job in whole if job[:2] != ["a=1", "+b=y"]]
    assert caplog.messages == ["grid: 6 combinations, 1 dropped by the filter: 5 jobs"]


def test_a_filter_and_keys_that_go_together() -> None:
    assert jobs("a=1,2,3", "b=4,5,6", zip=[["a", "b"]], filter="a + b != 7") == [["a=1", "b=4"], ["a=3", "b=6"]]


def test_points_are_drawn_none_twice_and_a_larger_number_begins_with_the_same() -> None:
    arguments = ["a=range(50)", "b=range(50)", "c=1,2"]
    few, more = (jobs(*arguments, random=number) for number in (20, 200))
    assert (len(few), len(more)) == (20, 200)
    assert more[:20] == few
    assert len({tuple(job) for job in more}) == 200
    assert {tuple(job) for job in more} <= {tuple(job) for job in basic(arguments)}
    assert jobs(*arguments, random=20) == few
    assert jobs(*arguments, random=20, random_seed=1) != few


def test_each_point_of_a_space_is_drawn_equally_often() -> None:
    counts = dict.fromkeys(map(tuple, basic(["a=1,2,3", "b=x,y"])), 0)
    for seed in range(3000):
        for job in jobs("a=1,2,3", "b=x,y", random=2, random_seed=seed):
            counts[tuple(job)] += 1
    # 1000 each, with a standard deviation of 26.
    assert all(abs(count - 1000) < 5 * 26 for count in counts.values())


def test_a_space_too_large_to_be_written_out_is_drawn_from() -> None:
    arguments = [f"k{place}=range(1000)" for place in range(5)]
    assert len({tuple(job) for job in jobs(*arguments, random=50)}) == 50


def test_intervals_are_drawn_from() -> None:
    found = jobs("a=x,y", "b=interval(-1,1)", "c=tag(log,interval(1e-4,1e-1))", "d=int(interval(1,3))", random=2000)
    columns = [[each.partition("=")[2] for each in column] for column in zip(*found, strict=True)]
    assert set(columns[0]) == {"x", "y"}
    evenly, decades = [float(value) for value in columns[1]], [math.log10(float(value)) for value in columns[2]]
    assert all(-1 <= value < 1 for value in evenly)
    assert all(-4 <= value < -1 for value in decades)
    # Of an even distribution, whose standard deviation is its width over the root of 12.
    assert abs(sum(evenly) / 2000) < 5 * 2 / math.sqrt(12 * 2000)
    assert abs(sum(decades) / 2000 + 2.5) < 5 * 3 / math.sqrt(12 * 2000)
    assert {value: abs(columns[3].count(value) - 667) < 5 * 21 for value in set(columns[3])} == dict.fromkeys(
        "123", True
    )
    assert max(map(len, columns[2])) <= len("0.0001234")
    assert jobs("b=interval(0,1)", random=30)[:10] == jobs("b=interval(0,1)", random=10)


def test_a_narrow_interval_is_not_rounded_to_its_ends() -> None:
    for line in ("b=interval(1,1.0001)", "b=tag(log,interval(1,1.0001))", "b=interval(1e9,1000000001)"):
        found = [float(job[0].partition("=")[2]) for job in jobs(line, random=100)]
        assert len(set(found)) == 100
        assert all(1 <= value < 1.0001 or 1e9 <= value < 1e9 + 1 for value in found)


def test_every_point_gets_all_seeds(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        found = jobs("seed=range(3)", "a=range(9)", "b=range(9)", random=4, repeat_over=["seed"])
    points = [job[1:] for job in found[:4]]
    assert found == [[f"seed={seed}", *point] for seed in range(3) for point in points]
    assert caplog.messages == ["grid: 4 points of 81 drawn with hydra.sweeper.random_seed=0: 12 jobs"]
    last = jobs("a=range(9)", "b=interval(0,1)", "seed=range(3)", random=4, repeat_over=["seed", "not_swept"])
    assert [job[2] for job in last] == ["seed=0", "seed=1", "seed=2"] * 4


def test_what_the_filter_drops_is_not_counted_as_drawn(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        found = jobs("seed=0,1", "a=range(100)", random=10, filter="a < 50 and not (a == 3 and seed == 1)",
                     repeat_over=["seed"])  # fmt: skip
    assert len({job[1] for job in found}) == 10
    assert all(int(job[1].partition("=")[2]) < 50 for job in found)
    assert "dropped by the filter" in caplog.messages[0]
    assert len(jobs("a=range(100)", random=60, filter="a < 50")) == 50
    assert len(jobs("a=int(interval(1,3))", random=60, filter="a < 3")) == 2


def test_points_that_there_are_not_are_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert len(jobs("a=1,2", random=5)) == 2
    assert caplog.messages == [
        "grid: 2 points of 2 drawn with hydra.sweeper.random_seed=0, and no more found of 5: 2 jobs"
    ]


WRONG: list[tuple[list[str], dict[str, Any], str]] = [
    (["a=1,2"], {"zip": [["a", "b"]]}, "hydra.sweeper.zip=[[a,b]]: b is not swept over; a is"),
    (["a=1,2", "b=1,2,3"], {"zip": [["a", "b"]]}, "must have equally many values: a has 2, b has 3"),
    (["a=1,2", "b=3"], {"zip": [["a", "b"]]}, "a has 2, b has 1"),
    (["a=1,2", "b=interval(0,1)"], {"zip": [["a", "b"]], "random": 2}, "b=interval(0,1) has no values"),
    (["a=1,2"], {"zip": [["a"]]}, "hydra.sweeper.zip=[[a]]: must be a list of lists of at least two keys"),
    (["a=1,2"], {"zip": [["a", "b"], ["a", "c"]]}, "each key once"),
    (["a=1,2"], {"zip": "a"}, "must be a list of lists"),
    (["a=1,2"], {"zip": [["a", 1]]}, "must be a list of lists"),
    (["a=1,2"], {"zip": [["a", "b"], "c"]}, "must be a list of lists"),
    (["a=1,2"], {"filter": "a > 2"}, "hydra.sweeper.filter=a > 2: drops all of 2 combinations"),
    (["a=1,2"], {"filter": "a > 2", "random": 1}, "hydra.sweeper.filter=a > 2: drops all of 2 points"),
    (["a=1,2"], {"filter": "a >"}, "hydra.sweeper.filter=a >: must be an expression over keys: invalid syntax"),
    (["a=1,2"], {"filter": 3}, "hydra.sweeper.filter=3: must be null or an expression over keys"),
    (["a=1,x"], {"filter": "a < 2"}, "'x' < 2: such values cannot be compared so (with a=x)"),
    (["a=1,2"], {"random": 0}, "hydra.sweeper.random=0: must be null or a whole number, at least 1"),
    (["a=1,2"], {"random": True}, "hydra.sweeper.random=true: must be"),
    (["a=1,2"], {"random_seed": -1}, "hydra.sweeper.random_seed=-1: must be"),
    (["a=1,2"], {"max_batch_size": 0}, "hydra.sweeper.max_batch_size=0: must be"),
    (["a=1,2"], {"repeat_over": "seed"}, "hydra.sweeper.repeat_over=seed: must be a list of keys"),
    (["a=1,2"], {"params": [1]}, "hydra.sweeper.params=[1]: must be a mapping"),
    (["a=1,2"], {"filtre": "x"}, "hydra.sweeper.filtre=x: no such option (did you mean filter?)"),
    (["a=interval(0,1)"], {}, "a=0.25,0.5,0.75; interval needs"),
    (["a=interval(1,0)"], {"random": 2}, "a=interval(1,0): the first number must be below the second"),
    (["a=interval(0,inf)"], {"random": 2}, "a=interval(0,inf): "),
    (["a=tag(log,interval(0,1))"], {"random": 2}, "must be above 0, because of the tag log"),
    (["a=interval(0,1)"], {"random": 2, "repeat_over": ["a"]}, "hydra.sweeper.repeat_over: a=interval(0,1) has no"),
    (["a=range(0)"], {}, "a=range(0): the sweep is empty"),
    (["a=range(0,3,0)"], {}, "a=range(0,3,0): "),
    (["b=1", "a=range(3,0)"], {"filter": "true"}, "a=range(3,0): the sweep is empty"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "options", "words"), WRONG)
def test_what_cannot_be_done_is_said_in_one_line(arguments: list[str], options: dict[str, Any], words: str) -> None:
    with pytest.raises(GridError) as raised:
        jobs(*arguments, **options)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
