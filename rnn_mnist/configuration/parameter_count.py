"""The number of parameters of a recurrent classifier, from its configuration alone. Does not import torch."""

from dataclasses import replace

from rnn_mnist.catalogues.cells import CELLS, ModelConfig
from rnn_mnist.configuration.schema import NUM_CLASSES


def parameter_count(model: ModelConfig, input_size: int, num_classes: int = NUM_CLASSES) -> int:
    """Parameters of the recurrent module and of the linear layer on its read-out."""
    total = 0
    for layer in range(model.num_layers):
        layer_input = input_size if layer == 0 else model.output_size
        total += model.num_directions * CELLS[model.cell].parameter_count(model, layer_input)
    return total + num_classes * (model.output_size + 1)


def hidden_size_for_budget(model: ModelConfig, input_size: int, budget: int) -> int:
    """The hidden size whose parameter count lies nearest to ``budget``.

    Raises:
        ValueError: if even the smallest model has over twice as many parameters.
    """

    def count(hidden_size: int) -> int:
        return parameter_count(replace(model, hidden_size=hidden_size), input_size)

    smallest = 1 + model.projection_size
    if count(smallest) > 2 * budget:
        raise ValueError(f"the smallest such model, hidden_size={smallest}, has {count(smallest):,} parameters")
    above = smallest
    while count(above) < budget:
        above *= 2
    below = smallest
    while above - below > 1:
        middle = (below + above) // 2
        if count(middle) < budget:
            below = middle
        else:
            above = middle
    return min((below, above), key=lambda hidden_size: abs(count(hidden_size) - budget))
