"""``logspace``: values that a person would write, as many as were asked for, in Hydra's grammar."""

import itertools
import math

import pytest
from hydra.core.override_parser import overrides_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hypothesis import assume, given
from hypothesis import strategies as st

from hydra_plugins.grid_sweeper._hydra_internals import add_function
from hydra_plugins.grid_sweeper._logspace import logarithmic_values, logspace

ENDS = st.floats(1e-9, 1e9)


def values(override: str) -> list[str]:
    return list(OverridesParser.create().parse_override(override).sweep_string_iterator())


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("logspace(1e-4,1e-1,7)", ["0.0001", "0.00032", "0.001", "0.0032", "0.01", "0.032", "0.1"]),
        ("logspace(1e-1,1e-4,4)", ["0.1", "0.01", "0.001", "0.0001"]),
        ("logspace(0.0003,0.03,5)", ["0.0003", "0.00095", "0.003", "0.0095", "0.03"]),
        ("logspace(0.00123456,0.1,2)", ["0.00123456", "0.1"]),
        ("logspace(16,256,5)", ["16", "32", "64", "128", "256"]),
        ("logspace(1,100,5)", ["1", "3", "10", "32", "100"]),
        ("logspace(1.0,1.1,5)", ["1.0", "1.02", "1.05", "1.07", "1.1"]),
        ("logspace(start=1,stop=100,n=3)", ["1", "10", "100"]),
        ("sort(logspace(1,100,3),reverse=true)", ["100", "10", "1"]),
        ("float(logspace(1,100,3))", ["1.0", "10.0", "100.0"]),
    ],
)
def test_values_are_what_a_person_would_write(written: str, expected: list[str]) -> None:
    assert values(f"lr={written}") == expected


@given(ENDS, ENDS, st.integers(2, 200))
def test_there_are_as_many_as_asked_for_between_exact_ends_at_about_equal_ratios(
    start: float, stop: float, n: int
) -> None:
    assume(abs(math.log(stop / start)) > 1e-3)
    found = logarithmic_values(start, stop, n)
    assert len(found) == n
    assert (found[0], found[-1]) == (start, stop)
    assert len({later > earlier for earlier, later in itertools.pairwise(found)}) == 1
    assert len(set(found)) == n
    for place, value in enumerate(found):
        # Two digits of 10 are five per cent.
        assert math.isclose(value, start * (stop / start) ** (place / (n - 1)), rel_tol=0.0501)


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(2, 30))
def test_between_whole_numbers_all_are_whole_where_there_are_so_many(start: int, stop: int, n: int) -> None:
    assume(start != stop)
    # Of so many the smallest steps are surely above one.
    if min(start, stop) * abs(math.log(stop / start)) / (n - 1) > 1.5:
        found = logarithmic_values(start, stop, n)
        assert all(type(value) is int for value in found)
        assert len(set(found)) == n
    elif abs(start - stop) < n - 1:
        with pytest.raises(ValueError, match="whole numbers"):
            logarithmic_values(start, stop, n)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("logspace(0,1,3)", "start=0: must be a number above 0"),
        ("logspace(1,-1,3)", "stop=-1: must be a number above 0"),
        ("logspace(1,1,3)", "must differ"),
        ("logspace(1,2,1)", "n=1: must be a whole number, at least 2"),
        ("logspace(1,2,true)", "n: bool"),
        ("logspace(1,inf,3)", "stop=inf"),
        ("logspace(nan,1,3)", "start=nan"),
        ("logspace(1,4,9)", "no 9 different whole numbers from 1 to 4; logspace(1.0,4,9) has fractions"),
        ("logspace(1,2,2.5)", "n: float"),
        ("logspace(a,2,3)", "start: str"),
        ("logspace(1,2)", "missing a required argument: 'n'"),
    ],
)
def test_what_it_cannot_be_given_is_refused(written: str, words: str) -> None:
    with pytest.raises(HydraException, match=r"logspace") as raised:
        values(f"lr={written}")
    assert words in str(raised.value)


def test_it_is_added_once_and_to_every_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overrides_parser, "create_functions", overrides_parser.create_functions)
    before = overrides_parser.create_functions
    add_function("logspace", logspace)
    assert overrides_parser.create_functions is before
    add_function("twice", lambda x: 2 * x)  # as a second function of ours would be
    assert OverridesParser.create().parse_override("x=7").value() == 7
    assert values("lr=logspace(1,100,3)") == ["1", "10", "100"]


def test_hydras_own_function_of_the_name_would_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overrides_parser, "create_functions", overrides_parser.create_functions)
    before = overrides_parser.create_functions().functions["choice"]
    add_function("choice", logspace)
    assert overrides_parser.create_functions().functions["choice"] is before
