"""What flows through a configured model, what it is made of, and what each parameter does.

Shapes are read off PyTorch's own module, run on a batch of the configured size on the *meta* device: there PyTorch
works out every shape and no number, so that neither weights nor outputs take memory. Only symbolic names are written
down here.

Letters: B batch, T time steps, F features of a step, L ``num_layers``, D directions (2 if bidirectional), H
``hidden_size``, P size of ``h`` (``proj_size`` if set, else H), G gates, C classes.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from rnn_mnist.catalogues.cells import CELLS, Readout
from rnn_mnist.catalogues.sequences import IMAGE_SIZE, SEQUENCES
from rnn_mnist.configuration.schema import NUM_CLASSES, Config
from rnn_mnist.data.sequences import SequenceReader
from rnn_mnist.explain.constructor import constructor
from rnn_mnist.explain.diagram import Diagram, diagram, legend
from rnn_mnist.explain.equations import CellEquations, cell_equations, conventions
from rnn_mnist.explain.notes import parameter_notes
from rnn_mnist.explain.parameter_note import ParameterNote, lengths_differ, output_at
from rnn_mnist.explain.sizes import SizeRow, size_rows
from rnn_mnist.explain.states import (
    Statement,
    StateRow,
    final_states,
    initial_state_notes,
    own_initial_state,
    state_order,
)
from rnn_mnist.explain.weights import WeightRow, weight_rows
from rnn_mnist.network.classifier import RecurrentClassifier

_META = torch.device("meta")


@dataclass(frozen=True)
class TensorRow:
    """One tensor on the way from the image to the logits: symbolic and real shape, and what it holds."""

    name: str
    symbols: str
    shape: tuple[int, ...]
    meaning: str


@dataclass(frozen=True)
class Explanation:
    """All that ``python -m rnn_mnist.explain`` prints.

    Attributes:
        module: the line of Python that builds the recurrent module, with every argument that is not PyTorch's default.
        letters: each letter's meaning and its value here.
        tensors: in the order in which they come about.
        weights: in the order of ``named_parameters()``.
        total: parameters in all, as PyTorch counts them.
        notes: what each configured parameter does, and what it does not do.
        diagram: layers against time steps, to be drawn in a width; ``legend`` says what it shows.
        equations: of one step; None for a cell from elsewhere. ``conventions`` says what stands in them.
        states: h_n's, in its order, which ``state_order`` says in words.
        own_state: lines of Python that call the module with a state of one's own, and ``own_state_notes`` on them.
        sizes: what grows with ``hidden_size`` and what with the number of steps.
    """

    module: str
    letters: dict[str, tuple[str, int]]
    tensors: list[TensorRow]
    weights: list[WeightRow]
    total: int
    notes: list[ParameterNote]
    diagram: Diagram
    legend: tuple[str, ...]
    equations: CellEquations | None
    conventions: tuple[str, ...]
    states: list[StateRow]
    state_order: tuple[str, ...]
    own_state: tuple[Statement, ...]
    own_state_notes: tuple[str, ...]
    sizes: list[SizeRow]


def explain(config: Config) -> Explanation:
    """Build the configured model, run one batch through it, both without their numbers, and describe what there is."""
    with _META:
        model = RecurrentClassifier(config.model, config.features).eval()
    weights = weight_rows(model, config.model)
    return Explanation(
        module=constructor(config.model, config.features),
        letters=_letters(config),
        tensors=_tensor_rows(model, config),
        weights=weights,
        total=sum(parameter.numel() for parameter in model.parameters()),
        notes=parameter_notes(config),
        diagram=diagram(config),
        legend=legend(config),
        equations=cell_equations(config.model),
        conventions=conventions(config.model),
        states=final_states(config),
        state_order=state_order(config.model),
        own_state=own_initial_state(config),
        own_state_notes=initial_state_notes(config),
        sizes=size_rows(config),
    )


def _letters(config: Config) -> dict[str, tuple[str, int]]:
    model = config.model
    steps, features = SEQUENCES[config.sequence.kind].shape
    spec = CELLS[model.cell]
    letters = {
        "B": ("batch: images handled together, training.batch_size", config.training.batch_size),
        "T": ("time steps of the sequence (the longest, if they differ)", steps),
        "F": ("features of one time step", features),
        "L": ("layers, model.num_layers", model.num_layers),
        "D": ("directions: 2 if model.bidirectional, else 1", model.num_directions),
        "H": (
            f"features of a {'cell' if model.projection_size else 'hidden'} state, model.hidden_size",
            model.hidden_size,
        ),
        "G": (f"blocks stacked in each weight ({spec.gate_names})", spec.gates),
        "C": ("classes", NUM_CLASSES),
    }
    if model.projection_size:
        letters["P"] = ("features of a projected hidden state, model.proj_size", model.state_size)
    return letters


@torch.inference_mode()
def _tensor_rows(model: RecurrentClassifier, config: Config) -> list[TensorRow]:
    batch_size, recurrent, batch_first = config.training.batch_size, model.recurrent, config.model.batch_first
    p = "P" if config.model.projection_size else "H"
    images = torch.empty(batch_size, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8, device=_META)
    reader = SequenceReader.create(config.sequence, batch_size, "train", _META)
    sequences, lengths = reader.read(images, torch.arange(batch_size))
    calls: list[tuple[Tensor, Any]] = []
    features: list[Tensor] = []
    recurrent.register_forward_hook(lambda _module, arguments, result: calls.append((arguments[0], result)))
    model.linear.register_forward_pre_hook(lambda _module, arguments: features.append(arguments[0]))
    # Without lengths, for the meta device cannot unpack; packing changes no shape but that of the input's data, below.
    logits = model(sequences)
    ((inputs, (output, final)),) = calls
    layout = "[B, T, {}]" if batch_first else "[T, B, {}]"
    rows = [
        TensorRow("images", "[B, 28, 28]", tuple(images.shape), "grey values 0 to 255, as MNIST has them"),
        TensorRow("sequences", "[B, T, F]", tuple(sequences.shape), _reading(config)),
        TensorRow(
            "input",
            layout.format("F"),
            tuple(inputs.shape),
            f"{'the same' if lengths is not None else 'what the module is called with'}; "
            f"batch_first={str(batch_first).lower()} puts {'the batch first' if batch_first else 'time first'}",
        ),
    ]
    packed = None
    if lengths is not None:
        packed = pack_padded_sequence(inputs, lengths, batch_first=batch_first, enforce_sorted=False)
        data, sizes = tuple(packed.data.shape), tuple(packed.batch_sizes.shape)
        rows += [
            TensorRow("lengths", "[B]", tuple(lengths.shape), "the number of valid steps of each sequence"),
            TensorRow(
                "packed.data",
                "[sum of lengths, F]",
                data,
                "what the module is called with is a PackedSequence: the valid steps alone, time step by time step",
            ),
            TensorRow(
                "packed.batch_sizes",
                "[max of lengths]",
                sizes,
                "at each time step, how many sequences have not ended; the module needs no lengths beside it",
            ),
        ]
    if isinstance(recurrent, nn.RNNBase):
        # The shapes of the zeros that the module makes for itself where it is called without a state.
        h_0 = recurrent.get_expected_hidden_size(inputs, None)
        rows.append(
            TensorRow("h_0", f"[D*L, B, {p}]", h_0, "the hidden state before the first step: zeros unless given")
        )
    if isinstance(recurrent, nn.LSTM):
        c_0 = recurrent.get_expected_cell_size(inputs, None)
        rows.append(TensorRow("c_0", "[D*L, B, H]", c_0, "the cell state before the first step: zeros too"))
    if packed is not None:
        rows.append(
            TensorRow(
                "packed output.data",
                f"[sum of lengths, D*{p}]",
                (data[0], output.shape[-1]),
                "what the module returns is a PackedSequence too, with the batch_sizes of its input",
            )
        )
    rows.append(
        TensorRow(
            "output",
            layout.format(f"D*{p}"),
            tuple(output.shape),
            "h of the last layer after every time step"
            + (", forward and backward side by side" if config.model.bidirectional else "")
            + ("; pad_packed_sequence made it, with zeros behind each end" if packed is not None else ""),
        )
    )
    h_n = final[0] if isinstance(final, tuple) else final
    rows.append(TensorRow("h_n", f"[D*L, B, {p}]", tuple(h_n.shape), _final_state(config)))
    if isinstance(final, tuple):
        rows.append(TensorRow("c_n", "[D*L, B, H]", tuple(final[1].shape), "the cell state likewise"))
    rows.append(TensorRow("features", f"[B, D*{p}]", tuple(features[0].shape), _read_out(config)))
    rows.append(
        TensorRow("logits", "[B, C]", tuple(logits.shape), "linear(features): a score for each class, the highest wins")
    )
    return rows


def _final_state(config: Config) -> str:
    last = "the last valid step" if lengths_differ(config) else "the last step"
    if config.model.bidirectional:
        whose = f"h of every layer and direction after {last} it reads (backward: the first one of the sequence)"
    else:
        whose = f"h of every layer after {last}"
    return f"{whose}; batch_first leaves it alone"


def _read_out(config: Config) -> str:
    model, padded = config.model, lengths_differ(config)
    steps = "the valid steps" if padded else "all steps"
    last = "each sequence's last valid step" if padded else f"the last step, {output_at(model, '-1')}"
    return {
        Readout.last_step: f"the read-out: output after {last}",
        Readout.final_hidden: "the read-out: h_n of the last layer"
        + (", both directions side by side" if model.bidirectional else ""),
        Readout.mean: f"the read-out: the mean of output over {steps}",
        Readout.max: f"the read-out: the maximum of each feature of output over {steps}",
    }[model.readout]


def _lengths_differ(config: Config) -> bool:
    return SEQUENCES[config.sequence.kind].lengths is not None


def _reading(config: Config) -> str:
    return f"{SEQUENCES[config.sequence.kind].reads}; scaled to 0 to 1"
