"""What flows through a configured model, what it is made of, and what each parameter does.

Shapes are read off a real module that has been run on a real batch; only their symbolic names are written down here.
Letters: B batch, T time steps, F features of a step, L ``num_layers``, D directions (2 if bidirectional), H
``hidden_size``, P size of ``h`` (``proj_size`` if set, else H), G gates, C classes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnn_mnist.config import IMAGE_SIZE, NUM_CLASSES, Cell, Config, LSTMConfig, ModelConfig, Readout
from rnn_mnist.models import RecurrentClassifier
from rnn_mnist.parameter_count import GATES
from rnn_mnist.parameter_notes import ParameterNote, parameter_notes
from rnn_mnist.sequences import SequenceReader

GATE_NAMES = {
    Cell.rnn: "no gates: one candidate state",
    Cell.lstm: "input i, forget f, cell candidate g, output o",
    Cell.gru: "reset r, update z, candidate n",
}


@dataclass(frozen=True)
class TensorRow:
    """One tensor on the way from the image to the logits: symbolic and real shape, and what it holds."""

    name: str
    symbols: str
    shape: tuple[int, ...]
    meaning: str


@dataclass(frozen=True)
class WeightRow:
    """One weight: symbolic and real shape, what it does, and how many parameters it is."""

    name: str
    symbols: str
    shape: tuple[int, ...]
    meaning: str
    count: int


@dataclass(frozen=True)
class Explanation:
    """All that ``python -m rnn_mnist.explain`` prints.

    Attributes:
        module: the recurrent module as PyTorch prints it.
        letters: each letter's meaning and its value here.
        tensors: in the order in which they come about.
        weights: in the order of ``named_parameters()``.
        total: parameters in all, as PyTorch counts them.
        notes: what each configured parameter does, and what it does not do.
    """

    module: str
    letters: dict[str, tuple[str, int]]
    tensors: list[TensorRow]
    weights: list[WeightRow]
    total: int
    notes: list[ParameterNote]


def explain(config: Config) -> Explanation:
    """Build the configured model, run one batch of blank images through it, and describe what there is."""
    model = RecurrentClassifier(config.model, config.sequence.shape[1]).eval()
    weights = _weight_rows(model, config.model)
    return Explanation(
        module=repr(model.recurrent),
        letters=_letters(config),
        tensors=_tensor_rows(model, config),
        weights=weights,
        total=sum(parameter.numel() for parameter in model.parameters()),
        notes=parameter_notes(config),
    )


def _letters(config: Config) -> dict[str, tuple[str, int]]:
    model = config.model
    steps, features = config.sequence.shape
    letters = {
        "B": ("batch: images handled together, training.batch_size", config.training.batch_size),
        "T": ("time steps of the sequence (the longest, if they differ)", steps),
        "F": ("features of one time step", features),
        "L": ("layers, model.num_layers", model.num_layers),
        "D": ("directions: 2 if model.bidirectional, else 1", model.num_directions),
        "H": ("features of a hidden state, model.hidden_size", model.hidden_size),
        "G": (f"blocks stacked in each weight ({GATE_NAMES[model.cell]})", GATES[model.cell]),
        "C": ("classes", NUM_CLASSES),
    }
    if _projected(model):
        letters["P"] = ("features of a projected hidden state, model.proj_size", _state_size(model))
    return letters


def _projected(model: ModelConfig) -> bool:
    return isinstance(model, LSTMConfig) and model.proj_size > 0


def _state_size(model: ModelConfig) -> int:
    return model.output_size // model.num_directions


@torch.inference_mode()
def _tensor_rows(model: RecurrentClassifier, config: Config) -> list[TensorRow]:
    batch_size, recurrent = config.training.batch_size, model.recurrent
    p = "P" if _projected(config.model) else "H"
    batch_first = config.model.batch_first
    images = torch.zeros(batch_size, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8)
    reader = SequenceReader.create(config.sequence, batch_size, "train", torch.device("cpu"))
    sequences, lengths = reader.read(images, torch.arange(batch_size))
    rows = [
        TensorRow("images", "[B, 28, 28]", tuple(images.shape), "grey values 0 to 255, as MNIST has them"),
        TensorRow("sequences", "[B, T, F]", tuple(sequences.shape), _reading(config)),
    ]
    layout = "[B, T, {}]" if batch_first else "[T, B, {}]"
    inputs: Tensor | PackedSequence = sequences if batch_first else sequences.transpose(0, 1)
    assert isinstance(inputs, Tensor)
    rows.append(
        TensorRow(
            "input",
            layout.format("F"),
            tuple(inputs.shape),
            f"what the module is called with; batch_first={str(batch_first).lower()} puts "
            + ("the batch first" if batch_first else "time first"),
        )
    )
    batch_sizes = None
    if lengths is not None:
        inputs = pack_padded_sequence(inputs, lengths, batch_first=batch_first, enforce_sorted=False)
        batch_sizes = inputs.batch_sizes
        rows.append(
            TensorRow(
                "input.data",
                "[sum of lengths, F]",
                tuple(inputs.data.shape),
                "the same without padding: a PackedSequence holds the valid steps alone, time step by time step",
            )
        )
    data = inputs.data if isinstance(inputs, PackedSequence) else inputs
    # What the module would make of zeros if it were called without a state.
    h_0 = torch.zeros(recurrent.get_expected_hidden_size(data, batch_sizes))
    rows.append(
        TensorRow(
            "h_0", f"[D*L, B, {p}]", tuple(h_0.shape), "the hidden state before the first step: zeros unless given"
        )
    )
    state: Tensor | tuple[Tensor, Tensor] = h_0
    if isinstance(recurrent, nn.LSTM):
        c_0 = torch.zeros(recurrent.get_expected_cell_size(data, batch_sizes))
        rows.append(
            TensorRow("c_0", "[D*L, B, H]", tuple(c_0.shape), "the cell state before the first step: zeros too")
        )
        state = (h_0, c_0)
    output, final = recurrent(inputs, state)
    if isinstance(output, PackedSequence):
        output, _ = pad_packed_sequence(output, batch_first=batch_first, total_length=sequences.shape[1])
    rows.append(
        TensorRow(
            "output",
            layout.format(f"D*{p}"),
            tuple(output.shape),
            "h of the last layer after every time step"
            + (", forward and backward side by side" if recurrent.bidirectional else ""),
        )
    )
    h_n = final[0] if isinstance(final, tuple) else final
    rows.append(
        TensorRow(
            "h_n",
            f"[D*L, B, {p}]",
            tuple(h_n.shape),
            "h of every layer and direction after the last step it reads (backward: the first one of the sequence); "
            "batch_first leaves it alone",
        )
    )
    if isinstance(final, tuple):
        rows.append(TensorRow("c_n", "[D*L, B, H]", tuple(final[1].shape), "the cell state likewise"))
    features: list[Tensor] = []
    handle = model.linear.register_forward_pre_hook(lambda _module, arguments: features.append(arguments[0]))
    logits = model(sequences, lengths)
    handle.remove()
    rows.append(TensorRow("features", f"[B, D*{p}]", tuple(features[0].shape), _READOUTS[config.model.readout]))
    rows.append(
        TensorRow("logits", "[B, C]", tuple(logits.shape), "linear(features): a score for each class, the highest wins")
    )
    return rows


_READOUTS = {
    Readout.last_step: "the read-out: output after the last (valid) step, output[:, -1] where the batch comes first",
    Readout.final_hidden: "the read-out: h_n of the last layer, all directions side by side",
    Readout.mean: "the read-out: the mean of output over the (valid) steps",
    Readout.max: "the read-out: the maximum of each feature of output over the (valid) steps",
}


def _reading(config: Config) -> str:
    words = {
        "rows": "one row of the image a time step, from the top",
        "columns": "one column of the image a time step, from the left",
        "pixels": "one pixel a time step, in reading order",
        "permuted_pixels": "one pixel a time step, in one random order for all images",
        "random_length": "one row a time step; how many of them are valid differs from image to image",
    }
    return f"{words[config.sequence.kind]}; scaled to 0 to 1"


def _weight_rows(model: RecurrentClassifier, config: ModelConfig) -> list[WeightRow]:
    p = "P" if _projected(config) else "H"
    rows = []
    for name, parameter in model.named_parameters():
        kind = name.removeprefix("recurrent.")
        first_layer = "_l0" in kind
        source = "the input" if first_layer else "the outputs of the layer below"
        backward = ", backward direction" if kind.endswith("_reverse") else ""
        gates = "" if config.cell == Cell.rnn else f"; rows: {GATE_NAMES[config.cell]}"
        symbols, meaning = {
            "weight_ih": (f"[G*H, {'F' if first_layer else f'D*{p}'}]", f"from {source} to the gates{backward}{gates}"),
            "weight_hh": (f"[G*H, {p}]", f"from h of the step before to the gates{backward}{gates}"),
            "weight_hr": ("[P, H]", f"projects h to P features{backward}"),
            "bias_ih": ("[G*H]", f"added to the input's part{backward}"),
            "bias_hh": ("[G*H]", f"added to the hidden state's part{backward}{_second_bias(config.cell)}"),
            "linear.weight": (f"[C, D*{p}]", "from the features to the logits"),
            "linear.bias": ("[C]", "added to the logits"),
        }[kind.partition("_l")[0] if not kind.startswith("linear") else kind]
        rows.append(WeightRow(name, symbols, tuple(parameter.shape), meaning, parameter.numel()))
    return rows


def _second_bias(cell: Cell) -> str:
    if cell == Cell.gru:
        return "; the reset gate acts on it in n, so that there it is no mere double"
    return "; only the sum of the two counts"
