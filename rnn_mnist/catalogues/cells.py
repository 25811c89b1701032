"""The recurrent cells: what each is made of, and the keys that configure it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from omegaconf import MISSING

from rnn_mnist.catalogues.catalogue import Catalogue
from rnn_mnist.catalogues.keys import Role, key


class Readout(StrEnum):
    """How the module's outputs become the one vector that the linear layer classifies."""

    last_step = "last_step"
    final_hidden = "final_hidden"
    mean = "mean"
    max = "max"


class Initialization(StrEnum):
    """How the recurrent weights start."""

    pytorch = "pytorch"
    orthogonal = "orthogonal"
    identity = "identity"


class Nonlinearity(StrEnum):
    """The activation of ``nn.RNN``."""

    tanh = "tanh"
    relu = "relu"


@dataclass
class ModelConfig:
    """What the recurrent modules have in common, and the read-out on top of them; defaults are the tutorial's."""

    cell: str = key(MISSING, "the recurrent module, set by the choice of model=...")
    num_layers: int = key(
        2, "recurrent layers stacked on one another; not the number of time steps", ge=1, le=1000, label="layers"
    )
    hidden_size: int = key(
        128, "features H of the hidden state of each layer and direction", ge=1, le=100_000, scale="log"
    )
    parameter_budget: int | None = key(
        None,
        "if set, replaces model.hidden_size by the one whose model (linear layer included) has the number of "
        "parameters nearest to this (cells at equal parameter count: Collins et al. 2017, arXiv:1611.09913)",
        ge=1,
        scale="log",
        role=Role.resolved,
    )
    bias: bool = key(True, "whether the two bias vectors of each layer exist")
    batch_first: bool = key(
        True, "whether the module works on [batch, time, feature] or [time, batch, feature]", shares_noise=True
    )
    dropout: float = key(
        0.0,
        "probability of zeroing an output of every layer but the last, in training",
        ge=0,
        le=1,
        shares_noise=True,
    )
    bidirectional: bool = key(False, "whether a second set of weights reads the sequence backwards")
    readout: Readout = key(
        Readout.last_step,
        "what is classified: last_step is output[:, -1]; final_hidden is h_n of the last layer, all directions; mean "
        "and max pool the outputs over time",
        label="read-out",
        shares_noise=True,
    )
    init: Initialization = key(
        Initialization.pytorch,
        "how the recurrent weights start: pytorch draws all from U(-1/sqrt(H), 1/sqrt(H)); orthogonal makes each "
        "gate's recurrent matrix orthogonal (Saxe et al. 2014, arXiv:1312.6120); identity is for relu RNNs (Le et al. "
        "2015, arXiv:1504.00941)",
        label="initialization",
    )

    @property
    def num_directions(self) -> int:
        """D in PyTorch's documentation: 2 if bidirectional, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def projection_size(self) -> int:
        """Features that the hidden state is projected to; 0: it is not."""
        return int(getattr(self, "proj_size", 0))

    @property
    def state_size(self) -> int:
        """P: features of the hidden state."""
        return self.projection_size or self.hidden_size

    @property
    def output_size(self) -> int:
        """Features of one time step of ``output``: D*P."""
        return self.num_directions * self.state_size


@dataclass
class RNNConfig(ModelConfig):
    """``nn.RNN``."""

    cell: str = "rnn"
    nonlinearity: Nonlinearity = key(Nonlinearity.tanh, "the activation of nn.RNN", shares_noise=True)


@dataclass
class LSTMConfig(ModelConfig):
    """``nn.LSTM``."""

    cell: str = "lstm"
    proj_size: int = key(
        0,
        "if positive, h is projected to this many features before it is output and fed back (Sak et al. 2014, "
        "arXiv:1402.1128); 0 leaves h at hidden_size",
        ge=0,
        label="projection size",
    )
    forget_bias: float | None = key(
        None,
        "if set, the forget gate's two bias vectors start with this sum (1 is usual; Jozefowicz et al. 2015, An "
        "empirical exploration of recurrent network architectures)",
        ge=-100,
        le=100,
        shares_noise=True,
    )


@dataclass
class GRUConfig(ModelConfig):
    """``nn.GRU``: nothing beyond the common keys."""

    cell: str = "gru"


@dataclass
class CustomCellConfig(ModelConfig):
    """A module of the user's own."""

    cell: str = "custom"
    module: str = key(
        MISSING, "dotted path of the class, such as my_package.MyCell; docs/extending.md says what it takes"
    )
    source: str | None = key(None, "digest of the module's source file, filled in: other code is another run")


@dataclass(frozen=True)
class CellSpec:
    """A recurrent cell.

    Attributes:
        name: of the option, ``model=<name>``.
        module: dotted path of its class, which takes the arguments that ``nn.RNN``, ``nn.LSTM`` and ``nn.GRU`` have in
            common, and returns ``output`` and ``h_n`` (or ``(h_n, c_n)``) as they do.
        config: its keys.
        gates: blocks of ``hidden_size`` rows stacked in each weight.
        gate_names: what the blocks are.
        does: what a step does, in a sentence; ``{summed}`` is the weighted sum, ``{nonlinearity}`` its activation.
        arguments: keys of its own that are arguments of the module.
        cell_state: whether it carries a second state c beside h.
        second_bias_acts: whether its two bias vectors are more than their sum.
        parameters: of one layer and direction, from the configuration and the layer's input size, where they are not
            those of gates with an input matrix, a recurrent matrix and two biases each.
    """

    name: str
    module: str
    config: type[ModelConfig] = ModelConfig
    gates: int = 1
    gate_names: str = "no gates: one candidate state"
    does: str = "One recurrent step."
    arguments: tuple[str, ...] = ()
    cell_state: bool = False
    second_bias_acts: bool = False
    parameters: Callable[[Any, int], int] | None = None

    def path(self, config: ModelConfig) -> str:
        """The dotted path of the module's class."""
        return str(getattr(config, "module", self.module))

    def parameter_count(self, config: ModelConfig, input_size: int) -> int:
        """Parameters of one layer in one direction.

        ``weight_ih [G*H, input]``, ``weight_hh [G*H, P]``, two biases ``[G*H]`` and, with a projection,
        ``weight_hr [P, H]`` (https://docs.pytorch.org, ``nn.LSTM``).
        """
        if self.parameters is not None:
            return self.parameters(config, input_size)
        rows = self.gates * config.hidden_size
        biases = 2 * rows if config.bias else 0
        return rows * (input_size + config.state_size) + config.projection_size * config.hidden_size + biases


CELLS = Catalogue(
    "cells",
    CellSpec,
    (
        CellSpec(
            "rnn",
            "torch.nn.RNN",
            RNNConfig,
            does="h = {nonlinearity}({summed}): the state is rewritten whole at every step.",
            arguments=("nonlinearity",),
        ),
        CellSpec(
            "lstm",
            "torch.nn.LSTM",
            LSTMConfig,
            gates=4,
            gate_names="input i, forget f, cell candidate g, output o",
            does="Keeps a cell state c beside h; gates decide what c forgets and takes in, and what of it h shows.",
            arguments=("proj_size",),
            cell_state=True,
        ),
        CellSpec(
            "gru",
            "torch.nn.GRU",
            GRUConfig,
            gates=3,
            gate_names="reset r, update z, candidate n",
            does="One state h; a gate decides how much of it is kept, another how much of it the candidate sees.",
            second_bias_acts=True,
        ),
        CellSpec("custom", "", CustomCellConfig, does="A step of the user's own module."),
    ),
)
