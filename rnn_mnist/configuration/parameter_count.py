"""The number of parameters of a recurrent classifier, from its configuration alone. Does not import torch."""

from dataclasses import replace

from rnn_mnist.configuration.schema import NUM_CLASSES, Cell, LSTMConfig, ModelConfig

GATES = {Cell.rnn: 1, Cell.lstm: 4, Cell.gru: 3}


def parameter_count(model: ModelConfig, input_size: int, num_classes: int = NUM_CLASSES) -> int:
    """Parameters of the recurrent module and of the linear layer on its read-out.

    Each layer and direction holds ``weight_ih [G*H, input]``, ``weight_hh [G*H, P]``, two biases ``[G*H]`` and, with a
    projection, ``weight_hr [P, H]``; G gates, P the size of the hidden state (https://docs.pytorch.org, ``nn.LSTM``).
    """
    hidden_size = model.hidden_size
    proj_size = model.proj_size if isinstance(model, LSTMConfig) else 0
    state_size = proj_size or hidden_size
    gate_rows = GATES[model.cell] * hidden_size
    total = 0
    for layer in range(model.num_layers):
        layer_input = input_size if layer == 0 else model.num_directions * state_size
        per_direction = gate_rows * (layer_input + state_size) + proj_size * hidden_size
        if model.bias:
            per_direction += 2 * gate_rows
        total += model.num_directions * per_direction
    return total + num_classes * (model.num_directions * state_size + 1)


def hidden_size_for_budget(model: ModelConfig, input_size: int, budget: int) -> int:
    """The hidden size whose parameter count lies nearest to ``budget``.

    Raises:
        ValueError: if even the smallest model has over twice as many parameters.
    """

    def count(hidden_size: int) -> int:
        return parameter_count(replace(model, hidden_size=hidden_size), input_size)

    smallest = 1 + (model.proj_size if isinstance(model, LSTMConfig) else 0)
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
