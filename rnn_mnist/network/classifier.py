"""A recurrent module of PyTorch, a read-out and a linear layer: the classifier whose parameters are studied.

Letters in shapes: D directions (2 if bidirectional), L layers, H ``hidden_size``, P size of ``h`` (``proj_size`` if
set, else H).
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, invert_permutation, pack_padded_sequence, pad_packed_sequence

from rnn_mnist.catalogues.cells import CELLS, ModelConfig, Readout
from rnn_mnist.configuration.schema import NUM_CLASSES
from rnn_mnist.errors import ExpectedError
from rnn_mnist.network.cudnn import CudnnCall
from rnn_mnist.network.initialization import initialize


class CellError(ExpectedError):
    """A module of the user's own that cannot be had; the message names it."""


def build_recurrent(config: ModelConfig, input_size: int) -> nn.Module:
    """The recurrent module that ``config`` describes, as it initializes itself.

    Raises:
        CellError: if the class of ``model=custom`` cannot be imported.
    """
    spec = CELLS[config.cell]
    arguments = {name: getattr(config, name) for name in spec.arguments}
    module: nn.Module = _find_class(spec.path(config))(
        input_size=input_size,
        hidden_size=config.hidden_size,
        num_layers=config.num_layers,
        bias=config.bias,
        batch_first=config.batch_first,
        dropout=config.dropout,
        bidirectional=config.bidirectional,
        **{name: str(value) if isinstance(value, str) else value for name, value in arguments.items()},
    )
    return module


def _find_class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise CellError(f"model.module={path}: cannot be imported: {error}") from error


class RecurrentClassifier(nn.Module):
    """``linear(readout(recurrent(sequences)))``.

    Attributes:
        recurrent: the ``nn.RNN``, ``nn.LSTM``, ``nn.GRU`` or another cell, itself.
        linear: ``nn.Linear(D*P, classes)``.
        cudnn: what calls cuDNN in the recurrent module's place, where that is set.
    """

    def __init__(self, config: ModelConfig, input_size: int, num_classes: int = NUM_CLASSES) -> None:
        """Build and initialize it from PyTorch's global generator."""
        super().__init__()
        self.readout = config.readout
        self.batch_first, self.bidirectional = config.batch_first, config.bidirectional
        self.recurrent = build_recurrent(config, input_size)
        self.linear = nn.Linear(config.output_size, num_classes)
        self.cudnn: CudnnCall | None = None
        initialize(self.recurrent, config)

    def forward(self, sequences: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits ``[batch, class]`` of sequences ``[batch, time, feature]``.

        ``lengths`` are the valid steps of each sequence, ``[batch]`` on the CPU; None: all steps of all are valid.
        """
        return self.classify(*self.encode(sequences, lengths), lengths)

    def classify(self, output: Tensor, hidden: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits ``[batch, class]`` of what :meth:`encode` gives."""
        logits: Tensor = self.linear(self._read_out(output, hidden, lengths))
        return logits

    def encode(self, sequences: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """``output`` as ``[batch, time, D*P]`` and ``h_n`` as ``[L*D, batch, P]``.

        The module itself sees ``[batch, time, feature]`` or ``[time, batch, feature]`` as its ``batch_first`` says, and
        packed sequences where there are lengths.
        """
        batch_first = self.batch_first
        inputs = sequences if batch_first else sequences.transpose(0, 1)
        recurrent: Callable[..., Any] = self.recurrent if self.cudnn is None else self.cudnn
        if lengths is None:
            output, state = recurrent(inputs)
        else:
            packed_output, state = recurrent(_pack(inputs, lengths, batch_first=batch_first))
            output, _ = pad_packed_sequence(packed_output, batch_first=batch_first, total_length=sequences.shape[1])
        hidden = state[0] if isinstance(state, tuple) else state
        outputs: Tensor = output if batch_first else output.transpose(0, 1)
        return outputs, hidden

    def logits_by_step(self, sequences: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The classifier applied after every time step: logits ``[batch, time, class]``.

        The read-out is taken at that step: the output there (``last_step``; of ``final_hidden`` the forward half,
        beside the final backward one), or the mean or maximum so far. A sequence that has ended keeps its last value.
        The last step gives :meth:`forward`. In one direction step t has read steps 0 to t. In a bidirectional model no
        step stands for a shorter sequence: with one layer the forward half at step t has read steps 0 to t and the
        backward half those from t to the end; with several both halves depend on all steps, by way of the layer below.
        """
        return self.classify_each_step(self.encode(sequences, lengths)[0], lengths)

    def classify_each_step(self, output: Tensor, lengths: Tensor | None = None) -> Tensor:
        """:meth:`logits_by_step` of the ``output`` that :meth:`encode` gives."""
        count, steps, _ = output.shape
        step = torch.arange(steps, device=output.device).expand(count, steps)
        last = (
            step
            if lengths is None
            else torch.minimum(step, lengths.to(output.device, non_blocking=True).unsqueeze(1) - 1)
        )
        if self.readout in (Readout.mean, Readout.max):
            valid = (step == last).unsqueeze(2)
            if self.readout == Readout.mean:
                features = (output * valid).cumsum(1) / (last + 1).unsqueeze(2)
            else:
                features = output.masked_fill(~valid, -torch.inf).cummax(1).values
        else:
            features = output.gather(1, last.unsqueeze(2).expand_as(output))
            if self.readout == Readout.final_hidden and self.bidirectional:
                half = features.shape[2] // 2
                whole = output[:, :1, half:].expand(-1, steps, -1)
                features = torch.cat([features[:, :, :half], whole], 2)
        logits: Tensor = self.linear(features)
        return logits

    def _read_out(self, output: Tensor, hidden: Tensor, lengths: Tensor | None) -> Tensor:
        """The features ``[batch, D*P]`` that the linear layer classifies."""
        match self.readout:
            case Readout.final_hidden:
                directions = 2 if self.bidirectional else 1
                return hidden[-directions:].transpose(0, 1).reshape(len(output), -1)
            case Readout.last_step:
                if lengths is None:
                    return output[:, -1]
                everyone = torch.arange(len(output), device=output.device)
                return output[everyone, lengths.to(output.device, non_blocking=True) - 1]
            case Readout.mean:
                # One layout in memory, because a sum would else add up in another order where time comes first.
                output = output.contiguous()
                if lengths is None:
                    return output.mean(1)
                # pad_packed_sequence pads with zeros, which add nothing to the sum.
                return output.sum(1) / lengths.to(output.device, non_blocking=True).unsqueeze(1)
            case Readout.max:
                if lengths is None:
                    return output.amax(1)
                step = torch.arange(output.shape[1], device=output.device)
                padding = step >= lengths.to(output.device, non_blocking=True).unsqueeze(1)  # [batch, time]
                return output.masked_fill(padding.unsqueeze(2), -torch.inf).amax(1)


def _pack(inputs: Tensor, lengths: Tensor, *, batch_first: bool) -> PackedSequence:
    """``pack_padded_sequence(..., enforce_sorted=False)``, which would have a GPU wait for a copy."""
    lengths, order = lengths.sort(descending=True)
    order = order.to(inputs.device, non_blocking=True)
    packed = pack_padded_sequence(inputs.index_select(0 if batch_first else 1, order), lengths, batch_first=batch_first)
    return PackedSequence(packed.data, packed.batch_sizes, order, invert_permutation(order))
