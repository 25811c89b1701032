"""Notes on the parameters that make a layer what it is: its cell, its sizes, its weights and how they start."""

import math

from rnn_mnist.catalogues.cells import CELLS, Initialization, LSTMConfig, ModelConfig, RNNConfig
from rnn_mnist.configuration.change import written
from rnn_mnist.configuration.parameter_count import parameter_count
from rnn_mnist.configuration.schema import Config
from rnn_mnist.explain.parameter_note import ParameterNote, percent, steps_in_words


def cell(config: Config) -> ParameterNote:
    """``model``: what a step does, and how large it is."""
    model = config.model
    spec = CELLS[model.cell]
    activation = model.nonlinearity if isinstance(model, RNNConfig) else ""
    summed = "W_ih x + b_ih + W_hh h + b_hh" if model.bias else "W_ih x + W_hh h"
    return ParameterNote(
        "model",
        model.cell,
        spec.does.format(nonlinearity=activation, summed=summed),
        f"At equal hidden_size cells are not equally large: {_against_rnn(config)}. model.parameter_budget "
        "compares them at equal size.",
    )


def _against_rnn(config: Config) -> str:
    model, features = config.model, config.features
    if isinstance(model, RNNConfig):
        return "nn.GRU has 3x and nn.LSTM 4x the recurrent parameters of this one"
    if not model.projection_size:
        return f"this one has {CELLS[model.cell].gates}x the recurrent parameters of nn.RNN (RNN 1, GRU 3, LSTM 4)"
    plain = RNNConfig(
        num_layers=model.num_layers,
        hidden_size=model.hidden_size,
        bias=model.bias,
        bidirectional=model.bidirectional,
    )
    # The recurrent part alone: no class, no linear layer.
    ratio = parameter_count(model, features, num_classes=0) / parameter_count(plain, features, num_classes=0)
    return (
        f"with its projection this one has {ratio:.2g}x the recurrent parameters of nn.RNN (without one: RNN 1, GRU 3, "
        "LSTM 4)"
    )


def num_layers(config: Config) -> ParameterNote:
    """``num_layers``: stacking."""
    layers = config.model.num_layers
    return ParameterNote(
        "num_layers",
        str(layers),
        "One recurrent layer: nothing is stacked on it."
        if layers == 1
        else f"Stacks {layers} recurrent layers: each reads the outputs of the one below, step by step.",
        f"It is not the number of time steps: every layer runs through all of them, {steps_in_words(config)}, with "
        "the same weights. More steps add no parameter, more layers do.",
    )


def hidden_size(config: Config) -> ParameterNote:
    """``hidden_size``: the size of the state, which is not the length of the sequence."""
    model = config.model
    if isinstance(model, LSTMConfig) and model.proj_size:
        does = (
            "Features of the cell state that a layer carries from step to step, and rows of each gate. What is output "
            f"and fed back has proj_size={model.proj_size}, so that the weights grow in proportion "
            "to hidden_size, not with its square."
        )
    else:
        does = "Features of the state that a layer carries from step to step; recurrent weights grow with its square."
    return ParameterNote(
        "hidden_size",
        str(model.hidden_size),
        does,
        f"It is no number of steps and is not tied to it: {model.hidden_size} features are carried through "
        f"{steps_in_words(config)} steps, each by the same weights. Nor is it tied to the input's size.",
    )


def bias(model: ModelConfig) -> ParameterNote:
    """``bias``: the two bias vectors."""
    redundant = (
        "In the candidate n of a GRU the second one is not redundant: the reset gate multiplies it."
        if CELLS[model.cell].second_bias_acts
        else "Only their sum acts, so that one would do: two are kept for cuDNN's sake."
    )
    does = (
        f"Two vectors a layer and direction, b_ih and b_hh, of {CELLS[model.cell].gates * model.hidden_size} each. "
        f"{redundant}"
        if model.bias
        else "No bias vectors in the recurrent layers."
    )
    return ParameterNote("bias", written(model.bias), does, "The linear layer keeps its own bias either way.")


def dropout(model: ModelConfig) -> ParameterNote:
    """``dropout``: what is zeroed, and what is not."""
    if model.num_layers == 1:
        does = "Nothing here: it acts between layers, and there is one."
    elif model.dropout == 0:
        does = "Off. It would zero outputs of every layer but the last on their way up, in training."
    else:
        kept = f", and multiplies the others by {1 / (1 - model.dropout):.3g}" if model.dropout < 1 else ""
        does = (
            f"Zeroes {percent(model.dropout)} of the outputs of every layer but the last on their way up, in training"
            f"{kept}."
        )
    return ParameterNote(
        "dropout",
        f"{model.dropout:g}",
        does,
        "It touches neither the step from time to time (W_hh sees the whole h) nor the last layer's output, nor "
        "evaluation.",
    )


def init(model: ModelConfig) -> ParameterNote:
    """``init``: how the weights start."""
    bound = f"U(-k, k), k = 1/sqrt(H) = {model.hidden_size**-0.5:.3f}"
    match model.init:
        case Initialization.pytorch:
            does = f"All weights{' and biases' if model.bias else ''} from {bound}"
        case Initialization.orthogonal:
            whole = "The recurrent matrix" if CELLS[model.cell].gates == 1 else "The recurrent matrix of each gate"
            if isinstance(model, LSTMConfig) and model.proj_size:
                does = f"{whole} has orthonormal columns (Saxe et al. 2014); the rest is from {bound}"
            else:
                does = f"{whole} is orthogonal: it keeps lengths (Saxe et al. 2014); the rest is from {bound}"
        case Initialization.identity:
            biases = " biases 0," if model.bias else ""
            does = f"W_hh = 1,{biases} W_ih from N(0, 0.001): h starts as a sum of what was read (Le et al. 2015)"
    if isinstance(model, LSTMConfig) and model.forget_bias is not None:
        does += f", except for the forget gate's biases, which sum to forget_bias={model.forget_bias:g}"
    return ParameterNote("init", str(model.init), f"{does}.", "The linear layer starts as PyTorch has it.")


def proj_size(model: LSTMConfig) -> ParameterNote:
    """``proj_size``: the projection of h."""
    if model.proj_size == 0:
        does = "Off: h has hidden_size features, like c."
    else:
        does = f"W_hr turns h of {model.hidden_size} features into {model.proj_size}, which are output and fed back."
    return ParameterNote(
        "proj_size",
        str(model.proj_size),
        does,
        "The cell state c is never projected: c_n keeps hidden_size features. Only nn.LSTM has it.",
    )


def forget_bias(model: LSTMConfig) -> ParameterNote:
    """``forget_bias``: how much of c is kept at first."""
    if model.forget_bias is None:
        return ParameterNote(
            "forget_bias",
            "null",
            "The forget gate starts near sigmoid(0) = 0.5: half of c is gone after each step.",
            "PyTorch has no such argument; the harness writes it into the biases (two vectors, one sum)"
            f"{'' if model.bias else ', which need model.bias=true'}.",
        )
    return ParameterNote(
        "forget_bias",
        f"{model.forget_bias:g}",
        f"The forget gate's biases start with the sum {model.forget_bias:g}: at first about sigmoid of that, "
        f"{percent(1 / (1 + math.exp(-model.forget_bias)))} of c, is kept each step.",
        "It is a start, not a constraint: training moves it.",
    )


def nonlinearity(model: RNNConfig) -> ParameterNote:
    """``nonlinearity``: the activation of h."""
    return ParameterNote(
        "nonlinearity",
        str(model.nonlinearity),
        "The activation of h. relu is unbounded: with an identity start it can carry a state far (Le et al. 2015).",
        "nn.LSTM and nn.GRU do not have it: their gates are sigmoids, their candidates tanh.",
    )
