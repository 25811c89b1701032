"""The equations as they are printed, evaluated, give what PyTorch's modules give."""

import html
import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from rnn_mnist.catalogues.cells import CustomCellConfig, GRUConfig, LSTMConfig, ModelConfig
from rnn_mnist.explain.equations import CellEquations, cell_equations
from rnn_mnist.explain.mathml import mathml
from rnn_mnist.network.classifier import build_recurrent
from tests.explain.test_constructor import models


def equations_of(model: ModelConfig) -> CellEquations:
    equations = cell_equations(model)
    assert equations is not None
    return equations


def as_numpy(equation: str) -> str:
    """The printed equation as a line of Python: what stands beside a matrix is multiplied by it."""
    return re.sub(r"(W_\w+) ", r"\1 @ ", equation).replace("_(t-1)", "_before")


def stepped(equations: CellEquations, weights: dict[str, Any], suffix: str, x: Any, state: dict[str, Any]) -> Any:
    """h and c after a step of the layer and direction whose weights end in ``suffix``."""
    names: dict[str, Any] = {
        "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
        "tanh": np.tanh,
        "relu": lambda a: np.maximum(a, 0),
        "x_t": x,
        **{f"{name}_before": value for name, value in state.items()},
    }
    for weight, blocks in equations.blocks.items():
        rows = np.split(weights[weight + suffix], len(blocks))
        names |= dict(zip(blocks, rows, strict=True))
    for equation in equations.equations:
        exec(as_numpy(equation.text), names)
    return {name: names[f"{name}_t"] for name in state}


@given(models())
@settings(deadline=None, max_examples=60)
@pytest.mark.filterwarnings("ignore:dropout option adds dropout", "ignore:LSTM with projections")
def test_the_printed_equations_compute_what_the_module_computes(model: ModelConfig) -> None:
    torch.manual_seed(0)
    module = build_recurrent(model, 3).double().eval()
    weights = {name: weight.detach().numpy() for name, weight in module.state_dict().items()}
    equations = equations_of(model)
    used = {name.partition("_l")[0] for name in weights}
    assert set(equations.blocks) == used
    inputs = torch.randn(5, 1, 3, dtype=torch.float64)
    expected, _ = module(inputs.transpose(0, 1) if model.batch_first else inputs)
    expected = expected.transpose(0, 1) if model.batch_first else expected
    below = inputs[:, 0].numpy()
    for layer in range(model.num_layers):
        sides = []
        for direction in range(model.num_directions):
            suffix = f"_l{layer}" + "_reverse" * direction
            state = {"h": np.zeros(model.state_size)}
            if isinstance(model, LSTMConfig):
                state["c"] = np.zeros(model.hidden_size)
            outputs = {}
            for t in range(5)[:: -1 if direction else 1]:
                state = stepped(equations, weights, suffix, below[t], state)
                outputs[t] = state["h"]
            sides.append(np.stack([outputs[t] for t in range(5)]))
        below = np.concatenate(sides, axis=1)
    np.testing.assert_allclose(below, expected.detach().numpy()[:, 0], atol=1e-12)


@given(models())
@settings(deadline=None, max_examples=40)
def test_what_is_off_is_not_there(model: ModelConfig) -> None:
    text = " ".join(equation.text for equation in equations_of(model).equations)
    assert ("b_" in text) == model.bias
    if isinstance(model, LSTMConfig):
        assert ("W_hr" in text) == (model.proj_size > 0)


def test_the_equations_are_those_of_pytorchs_documentation() -> None:
    candidate = equations_of(GRUConfig()).equations[2].text
    assert candidate == "n_t = tanh(W_in x_t + b_in + r_t * (W_hn h_(t-1) + b_hn))"
    assert equations_of(LSTMConfig(bias=False)).equations[0].text == "i_t = sigmoid(W_ii x_t + W_hi h_(t-1))"
    assert cell_equations(CustomCellConfig(module="my_package.MyCell")) is None


@given(models())
@settings(deadline=None, max_examples=40)
def test_mathml_says_the_same(model: ModelConfig) -> None:
    for equation in equations_of(model).equations:
        element = mathml(equation.text)
        assert element.isascii()
        shown = html.unescape(re.sub("<[^>]*>", "", element))
        plain = equation.text.replace("sigmoid", "σ").replace("*", "∗").replace("-", "−")
        assert shown == re.sub(r"[ _]|(?<=_)\(|(?<=−1)\)", "", plain)


def test_mathml_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="softmax"):
        mathml("h_t = softmax(x_t)")
