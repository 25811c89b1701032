"""How recurrent weights start, beyond PyTorch's own U(-1/sqrt(H), 1/sqrt(H))."""

from typing import cast

import torch
from torch import nn

from rnn_mnist.catalogues.cells import Initialization, LSTMConfig, ModelConfig


def initialize(recurrent: nn.Module, config: ModelConfig) -> None:
    """Overwrite PyTorch's initial values as ``config.init`` and ``config.forget_bias`` say.

    - ``orthogonal``: the recurrent matrix of each gate, ``[H, P]``, is (semi-)orthogonal (Saxe et al. 2014).
    - ``identity``: recurrent matrices are the identity, biases zero, input weights N(0, 0.001) (Le et al. 2015).
    - ``forget_bias``: b of the forget gate has this sum over its two vectors (Jozefowicz et al. 2015).
    """
    hidden_size = config.hidden_size
    with torch.no_grad():
        for name, weight in recurrent.named_parameters():
            if config.init == Initialization.orthogonal and name.startswith("weight_hh"):
                for gate in torch.split(weight, hidden_size):  # [H, P] each
                    # Not every device computes the QR decomposition behind it; models start on the CPU.
                    nn.init.orthogonal_(gate)
            if config.init == Initialization.identity:
                if name.startswith("weight_hh"):
                    nn.init.eye_(weight)
                elif name.startswith("weight_ih"):
                    nn.init.normal_(weight, std=0.001)
                else:
                    nn.init.zeros_(weight)
            if isinstance(config, LSTMConfig) and config.forget_bias is not None and name.startswith("bias_"):
                forget_gate = cast(torch.Tensor, weight)[
                    hidden_size : 2 * hidden_size
                ]  # gates: input, forget, cell, output
                forget_gate.fill_(config.forget_bias if name.startswith("bias_ih") else 0.0)
