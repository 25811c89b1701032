"""The constructor line, copied, builds the module that is trained."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnn_mnist.catalogues.cells import CustomCellConfig, GRUConfig, LSTMConfig, ModelConfig, Nonlinearity, RNNConfig
from rnn_mnist.explain.constructor import constructor
from rnn_mnist.network.classifier import build_recurrent


@st.composite
def models(draw: st.DrawFn) -> ModelConfig:
    """Any of PyTorch's cells with any arguments."""
    cells: list[type[ModelConfig]] = [RNNConfig, LSTMConfig, GRUConfig]
    cell = draw(st.sampled_from(cells))
    arguments: dict[str, Any] = {
        "num_layers": draw(st.integers(1, 3)),
        "hidden_size": draw(st.integers(2, 6)),
        "bias": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
        "dropout": draw(st.sampled_from([0.0, 0.25, 1.0])),
        "bidirectional": draw(st.booleans()),
    }
    if cell is RNNConfig:
        arguments["nonlinearity"] = draw(st.sampled_from(Nonlinearity))
    if cell is LSTMConfig:
        arguments["proj_size"] = draw(st.integers(0, arguments["hidden_size"] - 1))
    return cell(**arguments)


@given(models())
@settings(deadline=None, max_examples=60)
@pytest.mark.filterwarnings("ignore:dropout option adds dropout")
def test_the_line_builds_the_module(model: ModelConfig) -> None:
    made = build_recurrent(model, 3)
    copied = eval(constructor(model, 3), {"nn": nn})
    assert type(copied) is type(made)
    shapes = {name: weight.shape for name, weight in made.state_dict().items()}
    assert {name: weight.shape for name, weight in copied.state_dict().items()} == shapes
    copied.load_state_dict(made.state_dict())
    inputs = torch.randn(4, 5, 3)
    outputs = []
    for module in (made, copied):
        torch.manual_seed(0)  # dropout draws the same
        outputs.append(module(inputs)[0])
    assert torch.equal(*outputs)


def test_what_is_pytorchs_default_is_left_out_and_nothing_else() -> None:
    assert constructor(RNNConfig(num_layers=1, batch_first=False), 28) == "nn.RNN(28, 128)"
    relu = RNNConfig(nonlinearity=Nonlinearity.relu, bias=False)
    assert constructor(relu, 28) == "nn.RNN(28, 128, num_layers=2, nonlinearity='relu', bias=False, batch_first=True)"


def test_a_class_from_elsewhere_has_every_argument() -> None:
    line = constructor(CustomCellConfig(module="my_package.MyCell", num_layers=1), 28)
    seen: dict[str, Any] = {}
    eval(line, {"my_package": type("package", (), {"MyCell": staticmethod(seen.update)})})
    assert seen == {
        "input_size": 28,
        "hidden_size": 128,
        "num_layers": 1,
        "bias": True,
        "batch_first": True,
        "dropout": 0.0,
        "bidirectional": False,
    }
