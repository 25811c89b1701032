"""PyTorch's recurrent modules on cuDNN where their own ``forward`` would not do there what a configuration says.

- bf16: under autocast PyTorch casts everything for cuDNN to *float16*, whatever the autocast dtype
  (``aten/src/ATen/cudnn/AutocastRNN.cpp``), which needs the loss scaling that bf16 is chosen to avoid.
- dropout that can be repeated: PyTorch seeds cuDNN's once a process and never again (pytorch/pytorch#74177), so that a
  resumed run would draw other masks than an undisturbed one.

Both are questions of how cuDNN is called. The module stays PyTorch's own, with its parameters and its meaning; only
the call is made here, by the operator that ``forward`` calls too.
"""

import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from rnn_mnist.catalogues.cells import CELLS, ModelConfig

_MODES = {"RNN_RELU": 0, "RNN_TANH": 1, "LSTM": 2, "GRU": 3}
"""cuDNN's ``cudnnRNNMode_t``, by ``nn.RNNBase.mode``."""
_MODULES = ("torch.nn.RNN", "torch.nn.LSTM", "torch.nn.GRU")

State = Tensor | tuple[Tensor, Tensor]


class CudnnCall:
    """Calls cuDNN for one ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU`` on a CUDA device."""

    def __init__(self, module: nn.RNNBase, dtype: torch.dtype) -> None:
        """Compute in ``dtype`` (float32 or bfloat16); the parameters stay as they are, in float32."""
        self._module, self._dtype = module, dtype
        self._dropout_state: Tensor | None = None
        # Each call gathers them for cuDNN, which takes little beside the step, and no time of Python's in a CUDA graph.
        warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk")

    @staticmethod
    def can_call(config: ModelConfig) -> bool:
        """Whether the cell is one of PyTorch's three, without a projection."""
        return CELLS[config.cell].path(config) in _MODULES and not getattr(config, "proj_size", 0)

    def seed(self, seed: int) -> None:
        """Begin the stream of dropout masks that ``seed`` (63 bits) names."""
        module = self._module
        if module.dropout == 0:
            return
        device = next(module.parameters()).device
        state = torch._cudnn_init_dropout_state(module.dropout, True, seed, dtype=torch.uint8, device=device)
        if self._dropout_state is None:
            self._dropout_state = state
        else:
            self._dropout_state.copy_(state)  # a CUDA graph knows it by its place

    def __call__(self, inputs: Tensor | PackedSequence) -> tuple[Any, State]:
        """As the module's ``forward`` without a first state: ``output``, packed where ``inputs`` are, and state.

        ``inputs``: ``[batch, time, feature]`` or ``[time, batch, feature]`` as the module's ``batch_first`` says, or
        packed.
        """
        module = self._module
        packed = inputs if isinstance(inputs, PackedSequence) else None
        data = inputs.data if isinstance(inputs, PackedSequence) else inputs
        sizes = [] if packed is None else packed.batch_sizes.tolist()
        batch = sizes[0] if sizes else data.shape[0 if module.batch_first else 1]
        directions = 2 if module.bidirectional else 1
        with torch.autocast("cuda", enabled=False):
            zeros = torch.zeros(
                module.num_layers * directions, batch, module.hidden_size, device=data.device, dtype=self._dtype
            )
            weights = [weight.to(self._dtype) for weight in module._flat_weights if weight is not None]
            output, hidden, cell, *_ = torch._cudnn_rnn(
                data.to(self._dtype), weights, 4 if module.bias else 2, None, zeros,
                zeros if module.mode == "LSTM" else None, _MODES[module.mode], module.hidden_size, 0,
                module.num_layers, module.batch_first if packed is None else False, module.dropout, module.training,
                module.bidirectional, sizes, self._dropout_state,
            )  # fmt: skip
        output, hidden, cell = output.float(), hidden.float(), cell.float()
        if packed is None:
            return output, (hidden, cell) if module.mode == "LSTM" else hidden
        unsorted = packed.unsorted_indices
        if unsorted is not None:
            hidden = hidden.index_select(1, unsorted)
            cell = cell.index_select(1, unsorted) if module.mode == "LSTM" else cell
        whole = PackedSequence(output, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)
        return whole, (hidden, cell) if module.mode == "LSTM" else hidden
