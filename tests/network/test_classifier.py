"""The classifier is PyTorch's module and nothing else: parity with hand-wired ``nn.RNN``, ``nn.LSTM``, ``nn.GRU``."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from rnn_mnist.catalogues.cells import (
    GRUConfig,
    LSTMConfig,
    ModelConfig,
    Nonlinearity,
    Readout,
    RNNConfig,
)
from rnn_mnist.configuration.parameter_count import parameter_count
from rnn_mnist.network.classifier import RecurrentClassifier

BATCH, STEPS, FEATURES = 5, 7, 4


@st.composite
def model_configs(draw: st.DrawFn) -> ModelConfig:
    common: dict[str, Any] = {
        "num_layers": draw(st.integers(1, 3)),
        "hidden_size": draw(st.integers(2, 9)),
        "bias": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
        "bidirectional": draw(st.booleans()),
        "readout": draw(st.sampled_from(Readout)),
    }
    cell = draw(st.sampled_from(("rnn", "lstm", "gru")))
    if cell == "rnn":
        return RNNConfig(**common, nonlinearity=draw(st.sampled_from(Nonlinearity)))
    if cell == "gru":
        return GRUConfig(**common)
    return LSTMConfig(**common, proj_size=draw(st.integers(0, common["hidden_size"] - 1)))


def by_hand(
    config: ModelConfig, model: RecurrentClassifier, sequences: list[Tensor]
) -> tuple[Tensor, dict[str, Tensor | None]]:
    """Logits ``[batch, class]`` and gradients, wired without the harness, sequence ``[time, feature]`` by sequence."""
    options: dict[str, Any] = {}
    kind: Any = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[config.cell]
    if isinstance(config, RNNConfig):
        options["nonlinearity"] = config.nonlinearity.value
    if isinstance(config, LSTMConfig):
        options["proj_size"] = config.proj_size
    reference = kind(
        FEATURES,
        config.hidden_size,
        config.num_layers,
        bias=config.bias,
        bidirectional=config.bidirectional,
        **options,
    )
    reference.load_state_dict(model.recurrent.state_dict())
    linear = nn.Linear(config.output_size, 10)
    linear.load_state_dict(model.linear.state_dict())
    logits = []
    for sequence in sequences:
        output, state = reference(sequence)  # unbatched: output [time, D*P]
        hidden = state[0] if config.cell == "lstm" else state  # [L*D, P]
        features = {
            Readout.last_step: output[-1],
            Readout.final_hidden: torch.cat(list(hidden[-2:])) if config.bidirectional else hidden[-1],
            Readout.mean: output.mean(0),
            Readout.max: output.max(0).values,
        }[config.readout]
        logits.append(linear(features))
        loss(logits[-1]).backward()  # type: ignore[no-untyped-call]  # gradients add up
    gradients = {f"recurrent.{name}": weight.grad for name, weight in reference.named_parameters()}
    gradients |= {f"linear.{name}": weight.grad for name, weight in linear.named_parameters()}
    return torch.stack(logits).detach(), gradients


def loss(logits: Tensor) -> Tensor:
    """Something whose gradient differs from logit to logit."""
    return logits.sum() * 0.5 + (logits**2).sum()


@settings(max_examples=150, deadline=None)
@given(model_configs(), st.none() | st.lists(st.integers(1, STEPS), min_size=BATCH, max_size=BATCH), st.integers(0, 99))
def test_logits_and_gradients_equal_a_hand_wired_module(
    config: ModelConfig, lengths: list[int] | None, seed: int
) -> None:
    torch.manual_seed(seed)
    model = RecurrentClassifier(config, FEATURES)
    sequences = torch.randn(BATCH, STEPS, FEATURES)
    logits = model(sequences, None if lengths is None else torch.tensor(lengths))
    loss(logits).backward()  # type: ignore[no-untyped-call]
    valid = [sequence[:length] for sequence, length in zip(sequences, lengths or [STEPS] * BATCH, strict=True)]
    expected, gradients = by_hand(config, model, valid)
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name], rtol=1e-3, atol=1e-4)


@settings(max_examples=100, deadline=None)
@given(model_configs(), st.integers(1, 30))
def test_parameters_are_counted_as_pytorch_counts_them(config: ModelConfig, input_size: int) -> None:
    model = RecurrentClassifier(config, input_size)
    assert parameter_count(config, input_size) == sum(parameter.numel() for parameter in model.parameters())


@settings(max_examples=50, deadline=None)
@given(model_configs(), st.none() | st.lists(st.integers(1, STEPS), min_size=BATCH, max_size=BATCH))
def test_the_last_step_of_logits_by_step_is_the_classifier(config: ModelConfig, lengths: list[int] | None) -> None:
    model = RecurrentClassifier(config, FEATURES)
    sequences = torch.randn(BATCH, STEPS, FEATURES)
    given_lengths = None if lengths is None else torch.tensor(lengths)
    by_step = model.logits_by_step(sequences, given_lengths)
    assert by_step.shape == (BATCH, STEPS, 10)
    torch.testing.assert_close(by_step[:, -1], model(sequences, given_lengths), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("readout", list(Readout))
@pytest.mark.parametrize("config_type", [RNNConfig, LSTMConfig, GRUConfig])
def test_logits_by_step_is_what_a_cut_sequence_gives(config_type: type[ModelConfig], readout: Readout) -> None:
    model = RecurrentClassifier(config_type(hidden_size=6, num_layers=2, readout=readout), FEATURES)
    sequences = torch.randn(BATCH, STEPS, FEATURES)
    by_step = model.logits_by_step(sequences)
    for step in range(1, STEPS + 1):
        torch.testing.assert_close(by_step[:, step - 1], model(sequences[:, :step]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("readout", list(Readout))
@pytest.mark.parametrize("config_type", [RNNConfig, LSTMConfig, GRUConfig])
@pytest.mark.parametrize("packed", [False, True])
def test_batch_first_changes_the_module_and_not_a_bit_of_the_result(
    config_type: type[ModelConfig], packed: bool, readout: Readout
) -> None:
    sequences = torch.randn(BATCH, STEPS, FEATURES)
    lengths = torch.tensor([7, 3, 1, 5, 7]) if packed else None
    results, seen = [], []
    for batch_first in (True, False):
        torch.manual_seed(0)
        model = RecurrentClassifier(config_type(num_layers=2, batch_first=batch_first, readout=readout), FEATURES)
        assert isinstance(model.recurrent, nn.RNNBase)
        assert model.recurrent.batch_first is batch_first
        model.recurrent.register_forward_pre_hook(lambda _module, arguments: seen.append(arguments[0]))
        results.append(model(sequences, lengths))
    assert torch.equal(*results)
    if not packed:
        assert [tuple(inputs.shape) for inputs in seen] == [(BATCH, STEPS, FEATURES), (STEPS, BATCH, FEATURES)]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_mean_of_packed_sequences_has_the_same_bits_in_either_layout(threads: int) -> None:
    torch.set_num_threads(threads)
    # Large enough for PyTorch to add up in another order where time comes first in memory.
    sequences, lengths = torch.randn(500, 28, FEATURES), torch.randint(1, 29, (500,))
    results = []
    for batch_first in (True, False):
        torch.manual_seed(0)
        config = GRUConfig(hidden_size=20, batch_first=batch_first, readout=Readout.mean)
        results.append(RecurrentClassifier(config, FEATURES)(sequences, lengths))
    assert torch.equal(*results)


@pytest.mark.parametrize("batch_first", [True, False])
def test_encode_hands_on_what_the_module_returns_without_a_copy(batch_first: bool) -> None:
    model = RecurrentClassifier(LSTMConfig(batch_first=batch_first), FEATURES)
    returned: list[Tensor] = []
    model.recurrent.register_forward_hook(lambda _module, _arguments, result: returned.append(result[0]))
    output, _ = model.encode(torch.randn(BATCH, STEPS, FEATURES))
    assert output.shape == (BATCH, STEPS, 128)
    assert output.data_ptr() == returned[0].data_ptr()
