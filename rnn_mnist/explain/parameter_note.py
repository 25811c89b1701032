"""What is said of a configured parameter, and the words that several such notes share."""

from dataclasses import dataclass

from rnn_mnist.catalogues.cells import CELLS, ModelConfig
from rnn_mnist.catalogues.sequences import SEQUENCES
from rnn_mnist.configuration.schema import Config


@dataclass(frozen=True)
class ParameterNote:
    """A key and its value, what it does, and what it is often taken to do but does not."""

    key: str
    value: str
    does: str
    does_not: str


def output_at(model: ModelConfig, step: str) -> str:
    """``output`` at a time step, as it is written in the layout that ``batch_first`` sets."""
    return f"output[:, {step}]" if model.batch_first else f"output[{step}]"


def steps_in_words(config: Config) -> str:
    """How many time steps a sequence has: ``28``, or ``14 to 28`` where that differs from image to image."""
    spec = SEQUENCES[config.sequence.kind]
    longest = spec.shape[0]
    fewest = spec.lengths(config.sequence)[0] if spec.lengths else longest
    return f"{fewest} to {longest}" if fewest < longest else str(longest)


def from_pytorch(model: ModelConfig) -> bool:
    """Whether the module is PyTorch's own, whose weights and states are known, and not a class from elsewhere."""
    return CELLS[model.cell].module.startswith("torch.nn.")


def lengths_differ(config: Config) -> bool:
    """Whether sequences are of unequal lengths, and so go packed into the module."""
    return SEQUENCES[config.sequence.kind].lengths is not None


def percent(fraction: float) -> str:
    """``0.125`` as ``12.5 %``."""
    return f"{100 * fraction:.3g} %"
