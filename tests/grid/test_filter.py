"""The expression over keys: what it means, what it refuses, and that it executes nothing."""

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_plugins.grid_sweeper._filter import Filter, FilterError

VALUES: dict[str, Any] = {
    "model": "lstm",
    "model.cell": "lstm",
    "model.num_layers": 2,
    "model.dropout": 0.3,
    "model.bias": True,
    "clip": None,
    "sizes": [1, 2],
    "layers.0.size": 8,
    "x": 3,
}


def passes(text: str) -> bool:
    return Filter(text).passes(VALUES.__getitem__)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model.cell == 'lstm' or model.num_layers < 3", True),
        ('model.cell == "gru"', False),
        ("model.cell != 'gru' and not model.num_layers >= 3", True),
        ("model in ['gru', 'lstm']", True),
        ("model not in ('gru', 'rnn')", True),
        ("model.num_layers in {1, 2}", True),
        ("2 in sizes", True),
        ("'st' in model", True),
        ("1 < model.num_layers <= 2 < x", True),
        ("model.num_layers * x + 1 == 7", True),
        ("x / 2 == 1.5 and x // 2 == 1 and x % 2 == 1 and -x < +x - 1", True),
        ("clip == null and clip is None and model.bias is not null", True),
        ("model.bias", True),
        ("not model.bias or false", False),
        ("model.bias == true", True),
        ("layers[0].size == 8", True),
        ("(model.dropout == 0) == (model.num_layers == 1)", True),
        ("x != 0 and 6 / x == 2", True),
        ("x == 0 or\n  6 / x == 2", True),
        ("x < 4e-1 or x > 1_0", False),
    ],
)
def test_it_means_what_it_means_in_python(text: str, expected: bool) -> None:
    assert passes(text) is expected


def test_the_keys_are_those_that_it_names() -> None:
    names = Filter("a.b == 1 or not c and layers[0].size < d or a.b is null and true").names
    assert names == ("a.b", "c", "layers.0.size", "d")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "invalid syntax"),
        ("model = 1", "invalid syntax"),
        ("model ==", "invalid syntax"),
        ("model == 'lstm' or 'gru'", "'gru': neither true nor false by itself"),
        ("not 'gru'", "neither true nor false"),
        ("model.num_layers", "model.num_layers is 2, and neither true nor false"),
        ("model.num_layers and true", "model.num_layers is 2, and neither true nor false"),
        ("1 + 1", "neither true nor false"),
        ("model < 3", "'lstm' < 3: such values cannot be compared so"),
        ("3 in x", "cannot be compared so"),
        ("model + 'x' == 'y'", "model is 'lstm', and not a number"),
        ("-model.bias == 1", "model.bias is True, and not a number"),
        ("6 / (x - 3) == 2", "division by zero"),
        ("'%1000000000d' % 1 == 'x'", "not a number"),
        ("9 ** 9 ** 9 > 1", "9 ** 9: only keys, numbers"),
        ("1 << 99999999999 > 1", "only keys, numbers"),
        ("~x == 1", "only keys, numbers"),
        ("len(model) == 4", "len(model): only keys, numbers"),
        ("model.cell.upper() == 'X'", "only keys, numbers"),
        ("__import__('os').getpid() > 0", "only keys, numbers"),
        ("[y for y in sizes] == sizes", "only keys, numbers"),
        ("(lambda: 1) == 1", "only keys, numbers"),
        ("x if x else 1", "only keys, numbers"),
        ("(y := 3) == 3", "only keys, numbers"),
        ("f'{x}' == '3'", "only keys, numbers"),
        ("b'x' == x", "only keys, numbers"),
        ("1j == x", "only keys, numbers"),
        ("... == x", "only keys, numbers"),
        ("{'a': 1} == x", "only keys, numbers"),
        ("sizes[0:1] == 1", "not a dotted key"),
        ("sizes[x] == 1", "not a dotted key"),
        ("'a'.b == 1", "not a dotted key"),
        ("x == 1\x00", "null bytes"),
        ("(" * 300 + "x" + ")" * 300, ""),
        ("not " * 60 + "model.bias", "nested too deeply"),
        ("-" * 5000 + "1 == 1", ""),
    ],
)
def test_what_has_no_meaning_is_refused_in_one_line(text: str, words: str) -> None:
    with pytest.raises(FilterError) as raised:
        passes(text)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


ATOMS = st.sampled_from(["x", "y", "0", "1", "2.5", "-1"])
COMPARISONS = st.builds("{} {} {}".format, ATOMS, st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "is"]), ATOMS)
EXPRESSIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or {}".format, inner, inner),
        st.builds("not ({})".format, inner),
        st.builds("x + y * {} < {}".format, ATOMS, ATOMS),
        st.builds("x in [{}, {}]".format, ATOMS, ATOMS),
    ),
    max_leaves=6,
)


@given(EXPRESSIONS, st.integers(-2, 2), st.integers(-2, 2))
def test_it_says_what_python_says(text: str, x: int, y: int) -> None:
    tree = ast.parse(text, mode="eval")
    for node in ast.walk(tree):  # which is no comparison of values in Python
        if isinstance(node, ast.Compare):
            node.ops = [ast.Eq() if isinstance(operation, ast.Is) else operation for operation in node.ops]
    expected = eval(compile(tree, "", "eval"), {}, {"x": x, "y": y})
    assert Filter(text).passes({"x": x, "y": y}.__getitem__) is expected
