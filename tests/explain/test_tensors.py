"""The explanation: its shapes are real, and its symbols agree with them."""

import math
from functools import cache

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.data.sequences import SequenceReader
from rnn_mnist.explain.tensors import Explanation, explain
from rnn_mnist.network.classifier import RecurrentClassifier

VARIANTS = [
    [],
    ["model=rnn"],
    ["model=gru", "model.bidirectional=true", "model.readout=final_hidden"],
    ["model.proj_size=7", "model.bidirectional=true", "model.num_layers=3", "model.batch_first=false"],
    ["model.bias=false", "model.readout=mean", "sequence=columns"],
    ["sequence=random_length", "model.readout=max", "model.batch_first=false"],
    ["sequence=pixels", "model.num_layers=1", "model.bidirectional=true", "training.batch_size=3"],
]


@cache
def explained(*overrides: str) -> Explanation:
    """The explanation of what these overrides configure, made once for all tests that read it."""
    return explain(compose_checked(list(overrides)).config)


@pytest.mark.parametrize("overrides", VARIANTS, ids=" ".join)
def test_symbols_and_shapes_agree(overrides: list[str]) -> None:
    explanation = explained(*overrides)
    letters = {letter: value for letter, (_, value) in explanation.letters.items()}
    rows = [(row.name, row.symbols, row.shape) for row in explanation.tensors]
    rows += [(row.name, row.symbols, row.shape) for row in explanation.weights]
    for name, symbols, shape in rows:
        if "of lengths" not in symbols:
            assert tuple(eval(symbols, {}, letters)) == shape, name


@pytest.mark.parametrize("overrides", VARIANTS, ids=" ".join)
def test_weights_are_pytorchs(overrides: list[str]) -> None:
    config = compose_checked(overrides).config
    explanation = explained(*overrides)
    model = RecurrentClassifier(config.model, config.features)
    assert [row.name for row in explanation.weights] == [name for name, _ in model.named_parameters()]
    assert all(row.count == math.prod(row.shape) for row in explanation.weights)
    assert explanation.total == sum(parameter.numel() for parameter in model.parameters())


def test_shapes_follow_the_module() -> None:
    explanation = explained("model.proj_size=16", "model.batch_first=false")
    shapes = {row.name: row.shape for row in explanation.tensors}
    output, (h_n, c_n) = nn.LSTM(28, 128, 2, proj_size=16)(torch.zeros(28, 128, 28))
    assert shapes["output"] == tuple(output.shape)
    assert shapes["h_n"] == shapes["h_0"] == tuple(h_n.shape)
    assert shapes["c_n"] == shapes["c_0"] == tuple(c_n.shape)


@pytest.mark.parametrize("overrides", VARIANTS, ids=" ".join)
def test_shapes_are_those_of_a_batch_with_numbers(overrides: list[str]) -> None:
    config = compose_checked([*overrides, "model.hidden_size=9", "training.batch_size=3"]).config
    shapes = {row.name: row.shape for row in explain(config).tensors}
    reader = SequenceReader.create(config.sequence, 3, "train", torch.device("cpu"))
    sequences, lengths = reader.read(torch.zeros(3, 28, 28, dtype=torch.uint8), torch.arange(3))
    model = RecurrentClassifier(config.model, config.features)
    output, h_n = model.encode(sequences, lengths)
    assert shapes["sequences"] == tuple(sequences.shape)
    assert shapes["output"] == tuple((output if config.model.batch_first else output.transpose(0, 1)).shape)
    assert shapes["h_n"] == shapes["h_0"] == tuple(h_n.shape)
    assert shapes["logits"] == tuple(model(sequences, lengths).shape)
    assert ("packed.data" in shapes) == (lengths is not None)
    if lengths is not None:
        inputs = sequences if config.model.batch_first else sequences.transpose(0, 1)
        layout = config.model.batch_first
        packed = pack_padded_sequence(inputs, lengths, batch_first=layout, enforce_sorted=False)
        returned, _ = model.recurrent(packed)
        assert isinstance(returned, PackedSequence)
        assert shapes["packed.data"] == tuple(packed.data.shape)
        assert shapes["packed.batch_sizes"] == tuple(packed.batch_sizes.shape) == tuple(returned.batch_sizes.shape)
        assert shapes["packed output.data"] == tuple(returned.data.shape)


def test_what_no_memory_could_hold_can_be_explained() -> None:
    explanation = explained("model.hidden_size=100000", "training.batch_size=55000")
    shapes = {row.name: row.shape for row in explanation.tensors}
    assert shapes["output"] == (55_000, 28, 100_000)
    assert explanation.total == 120_013_800_010


def test_the_weights_of_an_rnn_have_no_gates() -> None:
    for cell, there in (("rnn", False), ("gru", True), ("lstm", True)):
        rows = explained(f"model={cell}").weights
        assert any("gates" in row.meaning for row in rows) == there
