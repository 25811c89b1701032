"""How weights start, as the configuration says."""

import pytest
import torch
from torch import Tensor

from rnn_mnist.catalogues.cells import (
    Initialization,
    LSTMConfig,
    Nonlinearity,
    RNNConfig,
)
from rnn_mnist.network.classifier import RecurrentClassifier

FEATURES = 4


def test_orthogonal_gates() -> None:
    model = RecurrentClassifier(LSTMConfig(hidden_size=6, num_layers=2, init=Initialization.orthogonal), FEATURES)
    for name, weight in model.recurrent.named_parameters():
        if name.startswith("weight_hh"):
            for gate in torch.split(weight, 6):
                torch.testing.assert_close(gate @ gate.T, torch.eye(6), rtol=1e-4, atol=1e-5)


def test_an_identity_start_sums_its_input() -> None:
    config = RNNConfig(hidden_size=6, init=Initialization.identity, nonlinearity=Nonlinearity.relu)
    recurrent = RecurrentClassifier(config, FEATURES).recurrent
    assert torch.equal(recurrent.weight_hh_l0, torch.eye(6))  # type: ignore[arg-type]
    assert not recurrent.bias_ih_l0.any()  # type: ignore[operator]
    assert float(recurrent.weight_ih_l0.detach().abs().max()) < 0.01  # type: ignore[operator]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_forget_bias_reaches_the_forget_gate_alone(bidirectional: bool) -> None:
    def build(forget_bias: float | None) -> dict[str, Tensor]:
        torch.manual_seed(0)
        config = LSTMConfig(hidden_size=6, num_layers=2, bidirectional=bidirectional, forget_bias=forget_bias)
        return RecurrentClassifier(config, FEATURES).state_dict()

    plain, biased = build(None), build(1.0)
    for name, value in biased.items():
        if "bias_ih" in name:
            total = value + biased[name.replace("bias_ih", "bias_hh")]
            assert torch.equal(total[6:12], torch.ones(6))
        if "bias_" in name and "linear" not in name:
            assert torch.equal(value[:6], plain[name][:6])
            assert torch.equal(value[12:], plain[name][12:])
        else:
            assert torch.equal(value, plain[name])
