"""The order of the states is PyTorch's, and the lines that pass one run as they are printed."""

from typing import Any

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence

from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.explain.code_lines import broken, code_lines
from rnn_mnist.explain.tensors import explain
from tests.explain.test_tensors import VARIANTS, explained

WIDTHS = [pytest.param(36, marks=pytest.mark.slow), pytest.param(60, marks=pytest.mark.slow), 40, 80, 200]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("overrides", VARIANTS, ids=" ".join)
def test_the_lines_run_as_printed_and_have_the_shapes_of_the_table(overrides: list[str], width: int) -> None:
    config = compose_checked([*overrides, "model.hidden_size=9", "training.batch_size=3"]).config
    explanation = explain(config)
    shapes = {row.name: row.shape for row in explanation.tensors}
    lines = code_lines(explanation.own_state, width)
    assert max(map(len, lines)) <= width
    names: dict[str, Any] = {}
    exec("\n".join(lines), names)
    found = {name: tuple(names[name].shape) for name in ("h_0", "c_0", "h_n", "c_n", "output") if name in names}
    assert found == {name: shapes[name] for name in found}
    assert ("c_0" in found) == ("c_0" in shapes)
    if config.sequence.kind == "random_length":
        assert isinstance(names["packed"], PackedSequence)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_each_state_is_what_the_table_says(cell: str) -> None:
    for bidirectional in ("true", "false"):
        for first in ("true", "false"):
            overrides = [f"model={cell}", f"model.bidirectional={bidirectional}", f"model.batch_first={first}"]
            explanation = explained(*overrides, "model.hidden_size=5", "model.num_layers=3", "training.batch_size=4")
            names: dict[str, Any] = {}
            exec("\n".join(code_lines(explanation.own_state, 100)), names)
            equal = [row for row in explanation.states if "equal to " in row.meaning]
            assert len(equal) == (2 if bidirectional == "true" else 1)
            for row in equal:
                place = row.meaning.partition("equal to ")[2]
                torch.testing.assert_close(eval(row.name, names), eval(place, names))


def test_the_order_is_layers_first_then_directions() -> None:
    explanation = explained("model.bidirectional=true", "model.hidden_size=5", "training.batch_size=4")
    order = "[layer 0 forward, layer 0 backward, layer 1 forward, layer 1 backward]"
    assert order in explanation.state_order[0]
    names: dict[str, Any] = {}
    exec("\n".join(code_lines(explanation.own_state, 100)), names)
    recurrent, inputs, h_0, c_0, h_n = (names[name] for name in ("recurrent", "inputs", "h_0", "c_0", "h_n"))
    for k, (layer, direction) in enumerate([(0, "forward"), (0, "backward"), (1, "forward"), (1, "backward")]):
        assert (explanation.states[k].name, explanation.states[k].layer) == (f"h_n[{k}]", str(layer))
        assert explanation.states[k].direction == direction
        # The state of a place goes with the weights of that layer and direction: without those it has no effect.
        weight = getattr(recurrent, f"weight_hh_l{layer}{'_reverse' * (direction == 'backward')}")
        kept = weight.detach().clone()
        with torch.no_grad():
            moved = h_0.clone()
            moved[k] += 1
            assert not torch.equal(recurrent(inputs, (moved, c_0))[0], recurrent(inputs, (h_0, c_0))[0])
            weight.zero_()
            assert torch.equal(recurrent(inputs, (moved, c_0))[0], recurrent(inputs, (h_0, c_0))[0])
            weight.copy_(kept)
    assert torch.equal(h_n.view(2, 2, 4, 5)[1, 0], h_n[2])


def test_a_start_that_is_learned_runs() -> None:
    explanation = explained("model=gru", "model.hidden_size=5", "training.batch_size=4")
    names: dict[str, Any] = {}
    exec("\n".join(code_lines(explanation.own_state, 100)), names)
    (words,) = (words for words in explanation.own_state_notes if words.startswith("To learn it: "))
    for statement in words.removeprefix("To learn it: ").removesuffix(".").split(", and "):
        exec(statement, names)
    names["recurrent"](names["inputs"], names["h_0"])[0].sum().backward()
    assert names["start"].grad.abs().min() > 0


def test_states_of_many_layers_are_abridged() -> None:
    names = [row.name for row in explained("model.num_layers=20", "model.bidirectional=true").states]
    assert names == ["h_n[0]", "h_n[1]", "...", "h_n[38]", "h_n[39]"]


def test_a_statement_is_broken_inside_its_brackets_alone() -> None:
    assert broken("a, b = f(c, (d, e), g=[1, 2])", 100) == ["a, b = f(c, (d, e), g=[1, 2])"]
    assert broken("a, b = f(c, (d, e), g=[1, 2])", 12) == ["a, b = f(c,", "    (d, e),", "    g=[1,", "    2])"]
