"""cuDNN is called with what the module would call it with: PyTorch's CPU kernels in its place give the same numbers."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from rnn_mnist.catalogues.cells import GRUConfig, LSTMConfig, ModelConfig, RNNConfig
from rnn_mnist.network.classifier import RecurrentClassifier
from rnn_mnist.network.cudnn import CudnnCall

BATCH, STEPS, FEATURES, HIDDEN = 5, 7, 4, 6
_KERNELS: dict[int, Any] = {0: torch.rnn_relu, 1: torch.rnn_tanh, 2: torch.lstm, 3: torch.gru}


def on_cpu(
    inputs: Tensor, weights: list[Tensor], stride: int, buffer: Tensor | None, hidden: Tensor, cell: Tensor | None,
    mode: int, hidden_size: int, proj_size: int, num_layers: int, batch_first: bool, dropout: float, training: bool,
    bidirectional: bool, batch_sizes: list[int], dropout_state: Tensor | None,
) -> tuple[Tensor, ...]:  # fmt: skip
    """``torch._cudnn_rnn``, by the operators of the CPU; arguments as ``native_functions.yaml`` names them."""
    assert (buffer, hidden_size, proj_size, dropout, dropout_state) == (None, HIDDEN, 0, 0, None)
    assert len(weights) == stride * num_layers * (2 if bidirectional else 1)
    first = hidden if cell is None else (hidden, cell)
    shape = (stride == 4, num_layers, dropout, training, bidirectional)
    if batch_sizes:
        assert not batch_first
        output, *state = _KERNELS[mode](inputs, torch.tensor(batch_sizes), first, weights, *shape)
    else:
        output, *state = _KERNELS[mode](inputs, first, weights, *shape, batch_first)
    return output, state[0], state[1] if cell is not None else inputs.new_empty(0), inputs.new_empty(0)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn", "relu"])
def test_numbers_and_gradients_are_the_modules(
    kind: str, packed: bool, bias: bool, bidirectional: bool, batch_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "_cudnn_rnn", on_cpu)
    torch.manual_seed(0)
    cell = {"lstm": nn.LSTM, "gru": nn.GRU}.get(kind, nn.RNN)
    nonlinearity = {"nonlinearity": "relu"} if kind == "relu" else {}
    module = cell(
        FEATURES, HIDDEN, 2, bias=bias, batch_first=batch_first, bidirectional=bidirectional, **nonlinearity
    )  # fmt: skip
    sequences = torch.rand(*((BATCH, STEPS) if batch_first else (STEPS, BATCH)), FEATURES)
    inputs: Tensor | PackedSequence = sequences
    if packed:
        lengths = torch.tensor([3, 7, 1, 7, 5])
        inputs = pack_padded_sequence(sequences, lengths, batch_first=batch_first, enforce_sorted=False)
    results = []
    for call in (module, CudnnCall(module, torch.float32)):
        module.zero_grad()
        output, state = call(inputs)
        states = list(state) if isinstance(state, tuple) else [state]
        data = output.data if isinstance(output, PackedSequence) else output
        torch.stack([part.square().sum() for part in (data, *states)]).sum().backward()  # type: ignore[no-untyped-call]
        results.append([data, *states, *[parameter.grad for parameter in module.parameters()]])
    for one, other in zip(*results, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_bfloat16_is_what_cudnn_computes_in_and_float32_what_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[torch.dtype] = set()

    def spy(inputs: Tensor, weights: list[Tensor], *others: Any) -> tuple[Tensor, ...]:
        seen.update(tensor.dtype for tensor in (inputs, *weights, others[2], others[3]))
        return on_cpu(inputs, weights, *others)

    monkeypatch.setattr(torch, "_cudnn_rnn", spy)
    torch.manual_seed(0)
    module, inputs = nn.LSTM(FEATURES, HIDDEN, batch_first=True), torch.rand(BATCH, STEPS, FEATURES)
    output, (hidden, cell) = CudnnCall(module, torch.bfloat16)(inputs)
    output.sum().backward()
    assert seen == {torch.bfloat16}
    tensors = (output, hidden, cell, *[parameter.grad for parameter in module.parameters()])
    assert {tensor.dtype for tensor in tensors if tensor is not None} == {torch.float32}
    assert torch.allclose(output, module(inputs)[0], atol=0.02)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (LSTMConfig(hidden_size=8), True),
        (GRUConfig(hidden_size=8), True),
        (RNNConfig(hidden_size=8), True),
        (LSTMConfig(hidden_size=8, proj_size=3), False),
    ],
)
def test_a_projection_is_left_to_pytorch(config: ModelConfig, expected: bool) -> None:
    assert CudnnCall.can_call(config) == expected


@pytest.mark.parametrize("batch_first", [True, False])
def test_a_packed_batch_is_unsorted_again(batch_first: bool) -> None:
    """Sorted by the classifier itself, without waiting for a GPU; as ``enforce_sorted=False`` would have it."""
    model = RecurrentClassifier(LSTMConfig(hidden_size=HIDDEN, num_layers=1, batch_first=batch_first), FEATURES)
    sequences, lengths = torch.rand(BATCH, STEPS, FEATURES), torch.tensor([3, 7, 1, 7, 5])
    output, hidden = model.encode(sequences, lengths)
    for index, length in enumerate(lengths.tolist()):
        alone, last = model.encode(sequences[index : index + 1, :length])
        assert torch.allclose(output[index, :length], alone[0], atol=1e-6)
        assert torch.equal(output[index, length:], torch.zeros(STEPS - length, HIDDEN))
        assert torch.allclose(hidden[:, index], last[:, 0], atol=1e-6)
