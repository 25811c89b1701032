"""Expressions that say when a key is searched."""

import pytest

from hydra_plugins.optuna_sweeper._conditions import read_conditions

VALUES = {"model": "lstm", "model.num_layers": 2, "model.bidirectional": False, "x": 0.5, "nothing": None}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("model == 'lstm'", True),
        ('model != "lstm"', False),
        ("model in ['lstm', 'gru']", True),
        ("model not in ('lstm', 'gru')", False),
        ("model.num_layers > 1", True),
        ("1 < model.num_layers <= 2", True),
        ("1 < model.num_layers < 2", False),
        ("model.num_layers > 1 and not model.bidirectional", True),
        ("model.bidirectional or x < -0.5", False),
        ("model.bidirectional == false", True),
        ("nothing == null", True),
        ("model == 'gru' and nothing > 1", False),
        ("true", True),
    ],
)
def test_an_expression_has_its_value(text: str, holds: bool) -> None:
    (condition,) = read_conditions({"key": text})
    assert condition.holds(VALUES.__getitem__) is holds


@pytest.mark.parametrize(
    "text",
    ["__import__('os')", "x + 1 > 2", "model.lower() == 'x'", "[x for x in y]", "x if x else 1", "x =", "", "x is 1",
     "lambda: 1", "-model > 1", "{1: 2}", "x[0] == 1", "(1).real", "f'{x}'"],
)  # fmt: skip
def test_nothing_else_is_an_expression(text: str) -> None:
    with pytest.raises(ValueError, match="that of key is none"):
        read_conditions({"key": text})


def test_what_cannot_be_compared_is_named() -> None:
    (condition,) = read_conditions({"key": "nothing > 1"})
    with pytest.raises(ValueError, match="key: nothing > 1"):
        condition.holds(VALUES.__getitem__)
