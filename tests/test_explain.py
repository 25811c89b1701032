"""The explanation: its shapes are real, its symbols agree with them, and its page is up to date."""

import math

import pytest
import torch
from torch import nn

from rnn_mnist.composition import compose_checked
from rnn_mnist.explain import as_markdown
from rnn_mnist.explanation import explain
from rnn_mnist.models import RecurrentClassifier
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


@pytest.mark.parametrize("overrides", VARIANTS, ids=" ".join)
def test_symbols_and_shapes_agree(overrides: list[str]) -> None:
    explanation = explain(compose_checked(overrides).config)
    letters = {letter: value for letter, (_, value) in explanation.letters.items()}
    rows = [(row.name, row.symbols, row.shape) for row in explanation.tensors]
    rows += [(row.name, row.symbols, row.shape) for row in explanation.weights]
    for name, symbols, shape in rows:
        if "sum of lengths" not in symbols:
            assert tuple(eval(symbols, {}, letters)) == shape, name


@pytest.mark.parametrize("overrides", VARIANTS, ids=" ".join)
def test_weights_are_pytorchs(overrides: list[str]) -> None:
    config = compose_checked(overrides).config
    explanation = explain(config)
    model = RecurrentClassifier(config.model, config.sequence.shape[1])
    assert [row.name for row in explanation.weights] == [name for name, _ in model.named_parameters()]
    assert all(row.count == math.prod(row.shape) for row in explanation.weights)
    assert explanation.total == sum(parameter.numel() for parameter in model.parameters())


def test_shapes_follow_the_module() -> None:
    explanation = explain(compose_checked(["model.proj_size=16", "model.batch_first=false"]).config)
    shapes = {row.name: row.shape for row in explanation.tensors}
    output, (h_n, c_n) = nn.LSTM(28, 128, 2, proj_size=16)(torch.zeros(28, 128, 28))
    assert shapes["output"] == tuple(output.shape)
    assert shapes["h_n"] == shapes["h_0"] == tuple(h_n.shape)
    assert shapes["c_n"] == shapes["c_0"] == tuple(c_n.shape)


@pytest.mark.parametrize(
    ("overrides", "key", "words"),
    [
        (["model.num_layers=1", "model.dropout=0.5"], "dropout", "Nothing here"),
        (["model.bidirectional=true"], "readout", "one step of 28"),
        (["model.bidirectional=true", "model.num_layers=1"], "readout", "costs"),
        (["model.batch_first=false"], "batch_first", "[time, batch, feature]"),
        (["model=gru"], "bias", "not redundant"),
        (["model=lstm"], "bias", "one would do"),
    ],
)
def test_notes_speak_of_the_configuration(overrides: list[str], key: str, words: str) -> None:
    (note,) = (note for note in explain(compose_checked(overrides).config).notes if note.key == key)
    assert words in note.does + note.does_not


def test_the_command(command: CommandLine) -> None:
    result = command("rnn_mnist.explain", "model=gru", "model.bidirectional=true")
    assert result.returncode == 0
    for text in ("[128, 28, 256]", "weight_hh_l1_reverse", "420,362", "bidirectional"):
        assert text in result.stdout
    wrong = command("rnn_mnist.explain", "model.num_layers=0")
    assert wrong.returncode == 1
    assert wrong.stderr == "error: model.num_layers=0: must be at least 1 and at most 1,000\n"


def test_the_page_in_the_docs_is_what_the_command_writes() -> None:
    page = (REPOSITORY / "docs" / "shapes.md").read_text()
    for overrides in ([], ["model.num_layers=1", "model.bidirectional=true", "model.batch_first=false"]):
        text = as_markdown(explain(compose_checked(overrides).config))
        # The page's headings lie one level deeper.
        assert text.replace("\n## ", "\n### ") in page
