"""``hidden_size`` against the number of time steps: what doubling either changes, and what it does not."""

from dataclasses import dataclass, replace

from rnn_mnist.catalogues.cells import CELLS, ModelConfig
from rnn_mnist.catalogues.sequences import SEQUENCES
from rnn_mnist.configuration.parameter_count import parameter_count
from rnn_mnist.configuration.schema import NUM_CLASSES, Config
from rnn_mnist.explain.parameter_note import from_pytorch


@dataclass(frozen=True)
class SizeRow:
    """A number as configured, with twice the ``hidden_size``, and with twice the time steps."""

    name: str
    here: int
    wider: int
    longer: int
    why: str


def size_rows(config: Config) -> list[SizeRow]:
    """What grows with what, for one image; nothing for a cell from elsewhere, whose weights are not known."""
    model, features = config.model, config.features
    if not from_pytorch(model):
        return []
    steps = SEQUENCES[config.sequence.kind].shape[0]
    wide = replace(model, hidden_size=2 * model.hidden_size)
    projected = ", which proj_size sets" if model.projection_size else ""
    states = model.num_layers * model.num_directions
    rows = [
        SizeRow(
            "parameters",
            *(parameter_count(model, features), parameter_count(wide, features), parameter_count(model, features)),
            "Every step has the same weights.",
        ),
        SizeRow(
            "numbers in h_n",
            *(states * model.state_size, states * wide.state_size, states * model.state_size),
            f"One h a layer and direction{projected}, however many steps there were.",
        ),
    ]
    if CELLS[model.cell].cell_state:
        rows.append(
            SizeRow(
                "numbers in c_n",
                *(states * model.hidden_size, states * wide.hidden_size, states * model.hidden_size),
                "Likewise.",
            )
        )
    return [
        *rows,
        SizeRow(
            "numbers in output",
            *(steps * model.output_size, steps * wide.output_size, 2 * steps * model.output_size),
            f"One h of the last layer a step{projected}.",
        ),
        SizeRow(
            "multiplications by a weight",
            *(_multiplications(model, features, steps), _multiplications(wide, features, steps)),
            _multiplications(model, features, 2 * steps),
            "Every matrix once a step; the linear layer once.",
        ),
        SizeRow(
            "steps one after another",
            *(steps, steps, 2 * steps),
            "Features are worked on side by side, steps wait for the one before; gradients go back through as many.",
        ),
    ]


def _multiplications(model: ModelConfig, features: int, steps: int) -> int:
    linear = NUM_CLASSES * model.output_size
    matrices = parameter_count(replace(model, bias=False), features) - linear - NUM_CLASSES
    return steps * matrices + linear
