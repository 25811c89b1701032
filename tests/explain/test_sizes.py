"""What doubling the hidden size or the steps does is what it does to a real module."""

from dataclasses import replace

import pytest
import torch

from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.explain.sizes import size_rows
from rnn_mnist.network.classifier import RecurrentClassifier


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["model=gru", "model.bidirectional=true", "model.bias=false"],
        ["model=rnn", "model.num_layers=1"],
        ["model.proj_size=3", "model.bidirectional=true", "model.num_layers=3"],
    ],
    ids=" ".join,
)
def test_the_numbers_are_those_of_real_modules(overrides: list[str]) -> None:
    config = compose_checked([*overrides, "model.hidden_size=8"]).config
    rows = {row.name: row for row in size_rows(config)}
    for hidden_size, steps, column in ((8, 28, "here"), (16, 28, "wider"), (8, 56, "longer")):
        model = RecurrentClassifier(replace(config.model, hidden_size=hidden_size), 28)
        output, h_n = model.encode(torch.zeros(1, steps, 28))
        matrices = [weight for name, weight in model.recurrent.named_parameters() if weight.dim() == 2]
        expected = {
            "parameters": sum(weight.numel() for weight in model.parameters()),
            "numbers in h_n": h_n.numel(),
            "numbers in output": output.numel(),
            "multiplications by a weight": steps * sum(w.numel() for w in matrices) + model.linear.weight.numel(),
            "steps one after another": steps,
        }
        assert {name: getattr(rows[name], column) for name in expected} == expected
        if config.model.cell == "lstm":
            states = config.model.num_layers * config.model.num_directions
            assert getattr(rows["numbers in c_n"], column) == states * hidden_size
