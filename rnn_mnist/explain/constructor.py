"""The line of Python that builds the recurrent module of a configuration."""

from rnn_mnist.catalogues.cells import CELLS, ModelConfig

# Of torch.nn.RNN, LSTM and GRU (https://docs.pytorch.org); a class of somebody else may have others.
_DEFAULTS = {
    "num_layers": 1,
    "nonlinearity": "tanh",
    "bias": True,
    "batch_first": False,
    "dropout": 0.0,
    "bidirectional": False,
    "proj_size": 0,
}


def constructor(model: ModelConfig, input_size: int) -> str:
    """``nn.LSTM(28, 128, num_layers=2, batch_first=True)``: every argument that is not PyTorch's default.

    ``nn`` is ``torch.nn``. Of a class from elsewhere, by its dotted path, every argument stands there. What the harness
    does to the weights afterwards (``model.init``, ``model.forget_bias``) is no argument and does not.
    """
    spec = CELLS[model.cell]
    path = spec.path(model)
    own = {name: getattr(model, name) for name in spec.arguments}
    arguments = {
        "num_layers": model.num_layers,
        **{name: str(value) if isinstance(value, str) else value for name, value in own.items()},
        "bias": model.bias,
        "batch_first": model.batch_first,
        "dropout": model.dropout,
        "bidirectional": model.bidirectional,
    }
    defaults = _DEFAULTS if path.startswith("torch.nn.") else {}
    written = [
        f"{name}={value!r}" for name, value in arguments.items() if name not in defaults or value != defaults[name]
    ]
    sizes = (
        [str(input_size), str(model.hidden_size)]
        if defaults
        else [f"input_size={input_size}", f"hidden_size={model.hidden_size}"]
    )
    return f"{path.removeprefix('torch.')}({', '.join([*sizes, *written])})"
