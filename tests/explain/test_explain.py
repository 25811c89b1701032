"""The explanation: its shapes are real, its symbols agree with them, and its page is up to date."""

import math
from functools import cache

import pytest
import torch
from torch import nn

from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.data.sequences import SequenceReader
from rnn_mnist.explain.__main__ import main
from rnn_mnist.explain.presentation import as_markdown
from rnn_mnist.explain.tensors import Explanation, explain
from rnn_mnist.network.classifier import RecurrentClassifier
from tests.conftest import REPOSITORY, CommandLine

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
        if "sum of lengths" not in symbols:
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
    assert shapes.get("input.data") == (None if lengths is None else (int(lengths.sum()), 28))


def test_what_no_memory_could_hold_can_be_explained() -> None:
    explanation = explained("model.hidden_size=100000", "training.batch_size=55000")
    shapes = {row.name: row.shape for row in explanation.tensors}
    assert shapes["output"] == (55_000, 28, 100_000)
    assert explanation.total == 120_013_800_010


@pytest.mark.parametrize(
    ("overrides", "key", "words"),
    [
        (["model.num_layers=1", "model.dropout=0.5"], "dropout", "Nothing here"),
        (["model.bidirectional=true"], "readout", "one step of 28"),
        (["model.bidirectional=true", "model.num_layers=1"], "readout", "costs"),
        (["model.batch_first=false"], "batch_first", "[time, batch, feature]"),
        (["model=gru"], "bias", "not redundant"),
        (["model=lstm"], "bias", "one would do"),
        ([], "num_layers", "Stacks 2 recurrent layers"),
        (["model.num_layers=1"], "num_layers", "One recurrent layer: nothing is stacked"),
        (["sequence=random_length"], "num_layers", "all of them, 14 to 28,"),
        (["sequence=random_length", "model.bidirectional=true"], "readout", "one step of 14 to 28"),
        (["sequence=random_length"], "sequence", "14 to 28 steps of 28 features"),
        (["sequence=random_length", "sequence.min_rows=28"], "sequence", "28 steps of 28 features"),
        (["model.proj_size=16"], "hidden_size", "in proportion to hidden_size"),
        (["model.proj_size=16", "model.bidirectional=true"], "bidirectional", "D*P features"),
        (["model.bidirectional=true"], "bidirectional", "D*H features"),
        # 4*64*(28 + 8 + 2) + 8*64 against 64*(28 + 64 + 2)
        (["model.num_layers=1", "model.hidden_size=64", "model.proj_size=8"], "model", "has 1.7x the recurrent"),
        (["model=gru"], "model", "has 3x the recurrent parameters of nn.RNN"),
        (["model=rnn"], "model", "nn.LSTM 4x the recurrent parameters of this one"),
        (["model=rnn", "model.nonlinearity=relu"], "model", "h = relu(W_ih x + b_ih + W_hh h + b_hh)"),
        (["model=rnn", "model.bias=false"], "model", "h = tanh(W_ih x + W_hh h)"),
        (["model.batch_first=false"], "readout", "Classifies output[-1]"),
        (["model.batch_first=false", "model.bidirectional=true"], "bidirectional", "at output[t] forward"),
        (["model.batch_first=false", "model.bidirectional=true", "model.readout=final_hidden"], "readout", "output[0]"),
        (["model.readout=final_hidden"], "readout", "the same numbers as last_step: output[:, -1]"),
        (["model.num_layers=1", "model.bidirectional=true"], "readout", "one LSTM layer of 64 units on MNIST's rows"),
        (["model.bias=false"], "init", "All weights from U"),
        (["model.forget_bias=1"], "init", "biases, which sum to forget_bias=1"),
        (["model=rnn", "model.init=orthogonal"], "init", "The recurrent matrix is orthogonal"),
        (["model.proj_size=16", "model.init=orthogonal"], "init", "of each gate has orthonormal columns"),
        (["model=rnn", "model.init=identity", "model.bias=false"], "init", "W_hh = 1, W_ih from"),
        (["model.forget_bias=1"], "forget_bias", "73.1 % of c"),
        (["model.bias=false"], "forget_bias", "need model.bias=true"),
        (["model.dropout=0.001"], "dropout", "Zeroes 0.1 % of"),
    ],
)
def test_notes_speak_of_the_configuration(overrides: list[str], key: str, words: str) -> None:
    (note,) = (note for note in explained(*overrides).notes if note.key == key)
    assert words in note.does + note.does_not


@pytest.mark.parametrize(
    ("overrides", "absent"),
    [
        (["model=gru"], ["c_0", "c_n"]),
        (["model=rnn"], ["c_0", "c_n"]),
        (["model.bias=false"], ["weights and biases"]),
        (["model=rnn", "model.bias=false"], ["b_ih", "b_hh"]),
        (["model.batch_first=false", "model.bidirectional=true"], ["output[:"]),
        (["model=gru", "model.num_layers=1", "model.bidirectional=true"], ["98.07"]),
        (["sequence=columns", "model.num_layers=1", "model.bidirectional=true"], ["98.07"]),
        (["data=kmnist", "model.num_layers=1", "model.bidirectional=true"], ["98.07"]),
        (["sequence=random_length"], ["the last step, output", "Classifies output["]),
    ],
)
def test_nothing_is_said_of_what_is_not_there(overrides: list[str], absent: list[str]) -> None:
    explanation = explained(*overrides)
    text = " ".join(
        [row.meaning for row in explanation.tensors]
        + [row.meaning for row in explanation.weights]
        + [f"{note.does} {note.does_not}" for note in explanation.notes]
    )
    for words in absent:
        assert words not in text


def test_the_weights_of_an_rnn_have_no_gates() -> None:
    for cell, there in (("rnn", False), ("gru", True), ("lstm", True)):
        rows = explained(f"model={cell}").weights
        assert any("gates" in row.meaning for row in rows) == there


def test_the_command(command: CommandLine, capsys: pytest.CaptureFixture[str]) -> None:
    result = command("rnn_mnist.explain", "model=gru", "model.bidirectional=true")
    assert result.returncode == 0
    for text in ("[128, 28, 256]", "weight_hh_l1_reverse", "420,362", "bidirectional"):
        assert text in result.stdout
    with pytest.raises(SystemExit) as wrong:
        main(["model.num_layers=0"])
    assert wrong.value.code == 1
    assert capsys.readouterr().err == "error: model.num_layers=0: must be at least 1 and at most 1,000\n"


def test_the_page_in_the_docs_is_what_the_command_writes() -> None:
    page = (REPOSITORY / "docs" / "shapes.md").read_text()
    for overrides in ([], ["model.num_layers=1", "model.bidirectional=true", "model.batch_first=false"]):
        text = as_markdown(explained(*overrides))
        # The page's headings lie one level deeper.
        assert text.replace("\n## ", "\n### ") in page
