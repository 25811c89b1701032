"""What is said of each parameter is true of the configuration."""

import pytest

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
