"""The states of a recurrent module: the order in which h_n holds them, and how to pass some of one's own."""

from dataclasses import dataclass

from rnn_mnist.catalogues.cells import CELLS, ModelConfig
from rnn_mnist.catalogues.sequences import SEQUENCES
from rnn_mnist.configuration.schema import Config
from rnn_mnist.explain.constructor import constructor
from rnn_mnist.explain.parameter_note import from_pytorch, lengths_differ

_MOST_LISTED = 8


@dataclass(frozen=True)
class StateRow:
    """A final state: where h_n has it, whose it is, and what it equals."""

    name: str
    layer: str
    direction: str
    meaning: str


@dataclass(frozen=True)
class Statement:
    """A line of Python, and what is to be said beside it."""

    code: str
    comment: str = ""


def state_order(model: ModelConfig) -> tuple[str, ...]:
    """The order inside D*L, in sentences."""
    directions = ("forward", "backward")[: model.num_directions]
    sides = [f" {direction}" for direction in directions] if model.bidirectional else [""]
    names = [f"layer {layer}{side}" for layer in range(min(model.num_layers, 3)) for side in sides]
    if model.num_layers > len(names) // len(sides):
        names += ["...", *(f"layer {model.num_layers - 1}{side}" for side in sides)]
    both = "h_0 and h_n (c_0 and c_n likewise)" if CELLS[model.cell].cell_state else "h_0 and h_n"
    sentences = [f"The first dimension of {both} is D*L = {len(directions) * model.num_layers}: [{', '.join(names)}]."]
    if model.bidirectional:
        letter = "P" if model.projection_size else "H"
        sentences.append(
            "Layers are counted first, the two directions of each beside one another: "
            f"h_n.view(L, D, B, {letter})[layer, direction] with direction 0 forward and 1 backward."
        )
    return tuple(sentences)


def final_states(config: Config) -> list[StateRow]:
    """The states in h_n in their order; of more than eight the first layer's and the last one's."""
    model = config.model
    layers: list[int | None] = list(range(model.num_layers))
    if model.num_layers * model.num_directions > _MOST_LISTED:
        layers = [0, None, model.num_layers - 1]
    rows = []
    for layer in layers:
        if layer is None:
            rows.append(StateRow("...", "...", "...", "and so on"))
            continue
        for direction in range(model.num_directions):
            name = f"h_n[{layer * model.num_directions + direction}]"
            rows.append(
                StateRow(name, str(layer), ("forward", "backward")[direction], _meaning(config, layer, direction))
            )
    return rows


def own_initial_state(config: Config) -> tuple[Statement, ...]:
    """Lines that build the module and call it with states of one's own; none for a class from elsewhere."""
    model = config.model
    if not from_pytorch(model):
        return ()
    batch, (steps, features) = config.training.batch_size, SEQUENCES[config.sequence.kind].shape
    count = model.num_layers * model.num_directions
    packed, cell_state = lengths_differ(config), CELLS[model.cell].cell_state
    layout = (batch, steps) if model.batch_first else (steps, batch)
    letter = "P" if model.projection_size else "H"
    statements = [Statement("import torch"), Statement("from torch import nn")]
    if packed:
        statements.append(Statement("from torch.nn.utils import rnn"))
    statements += [
        Statement(f"recurrent = {constructor(model, features)}"),
        Statement(
            f"inputs = torch.rand({layout[0]}, {layout[1]}, {features})",
            "[B, T, F]" if model.batch_first else "[T, B, F]",
        ),
        Statement(f"h_0 = torch.zeros({count}, {batch}, {model.state_size})", f"[D*L, B, {letter}]"),
    ]
    if cell_state:
        statements.append(Statement(f"c_0 = torch.zeros({count}, {batch}, {model.hidden_size})", "[D*L, B, H]"))
    before, after = ("(h_0, c_0)", "(h_n, c_n)") if cell_state else ("h_0", "h_n")
    first = f", batch_first={model.batch_first}" if model.batch_first else ""
    if packed:
        statements += [
            Statement(f"lengths = torch.full(({batch},), {steps})", "[B]: the valid steps of each, on the CPU"),
            Statement(f"packed = rnn.pack_padded_sequence(inputs, lengths{first}, enforce_sorted=False)"),
            Statement(f"output, {after} = recurrent(packed, {before})", "output is a PackedSequence as well"),
            Statement(f"output, _ = rnn.pad_packed_sequence(output{first})"),
        ]
    else:
        statements.append(Statement(f"output, {after} = recurrent(inputs, {before})"))
    return tuple(statements)


def initial_state_notes(config: Config) -> tuple[str, ...]:
    """What is to be known of a state of one's own, in sentences."""
    model = config.model
    count = model.num_layers * model.num_directions
    names = "h_0 and c_0" if CELLS[model.cell].cell_state else "h_0"
    sentences = [
        f"The harness passes none: every sequence starts from zeros. {names} "
        f"{'have' if ' ' in names else 'has'} the batch in the middle whatever batch_first is, and the order above.",
        f"To learn it: start = nn.Parameter(torch.zeros({count}, 1, {model.state_size})), and "
        f"h_0 = start.expand(-1, {config.training.batch_size}, -1).contiguous().",
    ]
    if lengths_differ(config):
        sentences.append(
            f"The module takes a PackedSequence and returns one; {names} and the final states are plain tensors in the "
            "order of the batch, not in the order by length of the packed data."
        )
    return tuple(sentences)


def _meaning(config: Config, layer: int, direction: int) -> str:
    model, varying = config.model, lengths_differ(config)
    if direction:
        step = "h after step 0, the last one that it reads"
    elif varying:
        step = "h after each sequence's own last step"
    else:
        step = f"h after step {SEQUENCES[config.sequence.kind].shape[0] - 1}, the last one"
    if layer < model.num_layers - 1:
        return step
    half = (f"{model.state_size}:" if direction else f":{model.state_size}") if model.bidirectional else ""
    if varying and not direction:
        return f"{step}; equal to output there"
    at = "0" if direction else "-1"
    index = (":", at, half) if model.batch_first else (at, ":", half)
    return f"{step}; equal to output[{', '.join(part for part in index if part).removesuffix(', :')}]"
