"""One step of a recurrent cell in equations, as PyTorch documents ``nn.RNN``, ``nn.LSTM`` and ``nn.GRU``.

Written in plain characters: ``W x`` is a matrix product, ``*`` is element by element, ``h_(t-1)`` is h of the step
before. What the configuration switches off is not there.
"""

from dataclasses import dataclass

from rnn_mnist.catalogues.cells import CELLS, ModelConfig, RNNConfig
from rnn_mnist.explain.parameter_note import percent

_BEFORE = "h_(t-1)"


@dataclass(frozen=True)
class Equation:
    """``i_t = sigmoid(W_ii x_t + W_hi h_(t-1))``, and what it computes."""

    text: str
    meaning: str


@dataclass(frozen=True)
class CellEquations:
    """A step of one layer in one direction.

    Attributes:
        equations: in the order in which they are computed.
        blocks: of each weight, such as ``weight_ih``, the matrices or vectors that are stacked in it, from its first
            row on, equally large.
    """

    equations: tuple[Equation, ...]
    blocks: dict[str, tuple[str, ...]]

    def block_lines(self, width: int) -> list[str]:
        """``weight_ih_l[k] = [W_ii; W_if; W_ig; W_io]``: where in the weights of layer k the letters are found."""
        indent = "    "
        lines = []
        for weight, blocks in self.blocks.items():
            lines.append(f"{weight}_l[k] =")
            for word in f"[{'; '.join(blocks)}]".split():
                if len(lines[-1]) + 1 + len(word) > width:
                    lines.append(indent[:-1])
                lines[-1] += f" {word}"
        return lines


def cell_equations(model: ModelConfig) -> CellEquations | None:
    """The equations of PyTorch's cells as configured; None for a cell from elsewhere."""
    match CELLS[model.cell].module:
        case "torch.nn.RNN":
            activation = model.nonlinearity if isinstance(model, RNNConfig) else "tanh"
            state = f"{activation}({_sum('h', model)})"
            return CellEquations(
                (Equation(f"h_t = {state}", "the new hidden state, which is also the output"),), _blocks(model, "h")
            )
        case "torch.nn.LSTM":
            return _lstm(model)
        case "torch.nn.GRU":
            return _gru(model)
    return None


def conventions(model: ModelConfig) -> tuple[str, ...]:
    """What stands in the equations, in sentences."""
    x = "x_t is step t of the input."
    if model.num_layers > 1:
        sides = ", forward and backward side by side" if model.bidirectional else ""
        dropped = f", of which dropout zeroes {percent(model.dropout)} in training" if model.dropout else ""
        x = f"x_t is step t of the input in layer 0; above, h_t of the layer below{sides}{dropped}."
    before, first = (
        ("h_(t-1) and c_(t-1) are", "h_0 and c_0") if CELLS[model.cell].cell_state else ("h_(t-1) is", "h_0")
    )
    sentences = [
        "One step of one layer, with the same weights at every step. W x is a matrix product, * is element by element.",
        f"{x} {before} what the step before left; before the first step, this layer's part of {first}.",
    ]
    if model.bidirectional:
        sentences.append(
            "The backward direction has weights of its own (their names end in _reverse) and runs from the last step "
            "to the first: with t+1 in place of t-1."
        )
    return tuple(sentences)


def _lstm(model: ModelConfig) -> CellEquations:
    blocks = _blocks(model, "ifgo")
    shown = "o_t * tanh(c_t)"
    if model.projection_size:
        blocks["weight_hr"] = ("W_hr",)
        shown = f"W_hr ({shown})"
    return CellEquations(
        (
            Equation(f"i_t = sigmoid({_sum('i', model)})", "input gate: how much of the candidate is taken in"),
            Equation(f"f_t = sigmoid({_sum('f', model)})", "forget gate: how much of the cell state is kept"),
            Equation(f"g_t = tanh({_sum('g', model)})", "candidate for the cell state"),
            Equation(f"o_t = sigmoid({_sum('o', model)})", "output gate: how much of the cell state is shown"),
            Equation("c_t = f_t * c_(t-1) + i_t * g_t", "cell state, which only this layer sees"),
            Equation(f"h_t = {shown}", f"hidden state{', projected' if model.projection_size else ''}: the output"),
        ),
        blocks,
    )


def _gru(model: ModelConfig) -> CellEquations:
    # The reset gate multiplies after the matrix, unlike in Cho et al. 2014: so cuDNN computes it.
    seen = f"({_from_state('n', model)})"
    return CellEquations(
        (
            Equation(f"r_t = sigmoid({_sum('r', model)})", "reset gate: how much of the old state the candidate sees"),
            Equation(f"z_t = sigmoid({_sum('z', model)})", "update gate: how much of the old state is kept"),
            Equation(f"n_t = tanh({_from_input('n', model)} + r_t * {seen})", "candidate for the new state"),
            Equation(f"h_t = (1 - z_t) * n_t + z_t * {_BEFORE}", "hidden state: the output"),
        ),
        _blocks(model, "rzn"),
    )


def _sum(gate: str, model: ModelConfig) -> str:
    return f"{_from_input(gate, model)} + {_from_state(gate, model)}"


def _from_input(gate: str, model: ModelConfig) -> str:
    return f"W_i{gate} x_t + b_i{gate}" if model.bias else f"W_i{gate} x_t"


def _from_state(gate: str, model: ModelConfig) -> str:
    return f"W_h{gate} {_BEFORE} + b_h{gate}" if model.bias else f"W_h{gate} {_BEFORE}"


def _blocks(model: ModelConfig, gates: str) -> dict[str, tuple[str, ...]]:
    letters = [("weight_ih", "W_i"), ("weight_hh", "W_h")]
    if model.bias:
        letters += [("bias_ih", "b_i"), ("bias_hh", "b_h")]
    return {weight: tuple(f"{letter}{gate}" for gate in gates) for weight, letter in letters}
