"""What is said of each parameter is true of the configuration."""

import pytest
import torch

from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.network.classifier import RecurrentClassifier
from tests.explain.test_tensors import explained


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
        (
            ["model.batch_first=false", "model.bidirectional=true", "model.num_layers=1"],
            "bidirectional",
            "at output[t] forward",
        ),
        (["model.batch_first=false", "model.bidirectional=true"], "bidirectional", "No half of output[t] stands"),
        (["model.hidden_size=64"], "hidden_size", "64 features are carried through 28 steps"),
        (["model.dropout=0.5"], "dropout", "multiplies the others by 2."),
        (["sequence=random_length"], "sequence", "takes a PackedSequence and returns its output as one"),
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


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize(
    ("layers", "forward_reads", "backward_reads"),
    [(1, [0, 1, 2], [2, 3, 4]), (2, [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]), (3, [0, 1, 2, 3, 4], [0, 1, 2, 3, 4])],
)
def test_what_each_half_of_output_has_read_is_what_is_said(
    cell: str, layers: int, forward_reads: list[int], backward_reads: list[int]
) -> None:
    torch.manual_seed(0)
    overrides = [f"model={cell}", "model.bidirectional=true", f"model.num_layers={layers}", "model.hidden_size=4"]
    model = RecurrentClassifier(compose_checked(overrides).config.model, input_size=3).double()
    sequences = torch.randn(2, 5, 3, dtype=torch.float64, requires_grad=True)
    for half, expected in ((slice(0, 4), forward_reads), (slice(4, 8), backward_reads)):
        output, _ = model.encode(sequences)
        (gradient,) = torch.autograd.grad(output[:, 2, half].sum(), sequences)
        read = gradient.abs().amax(dim=(0, 2)) > 0
        assert read.nonzero().flatten().tolist() == expected
    (note,) = (note for note in explained(*overrides).notes if note.key == "bidirectional")
    assert ("forward has read steps 0 to t, backward the steps from t on." in note.does_not) == (layers == 1)
    assert ("both of its halves depend on all steps" in note.does_not) == (layers > 1)
