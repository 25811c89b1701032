"""What each parameter of a recurrent classifier does, and what it does not do, in the words of one configuration."""

import math
from dataclasses import dataclass, fields

from rnn_mnist.catalogues.cells import CELLS, Initialization, LSTMConfig, ModelConfig, Readout, RNNConfig
from rnn_mnist.catalogues.keys import METADATA
from rnn_mnist.catalogues.sequences import SEQUENCES
from rnn_mnist.configuration.change import written
from rnn_mnist.configuration.parameter_count import parameter_count
from rnn_mnist.configuration.schema import Config


@dataclass(frozen=True)
class ParameterNote:
    """A key and its value, what it does, and what it is often taken to do but does not."""

    key: str
    value: str
    does: str
    does_not: str


def parameter_notes(config: Config) -> list[ParameterNote]:
    """A note for every key of the model, and for the way an image is read."""
    model = config.model
    notes = [
        _cell(config),
        _num_layers(config),
        _hidden_size(model),
        _bias(model),
        _batch_first(model),
        _dropout(model),
        _bidirectional(model),
        _readout(config),
        _init(model),
    ]
    if isinstance(model, RNNConfig):
        notes.append(
            ParameterNote(
                "nonlinearity",
                str(model.nonlinearity),
                "The activation of h. relu is unbounded: with an identity start it can carry a state far (Le et al. "
                "2015).",
                "nn.LSTM and nn.GRU do not have it: their gates are sigmoids, their candidates tanh.",
            )
        )
    elif isinstance(model, LSTMConfig):
        notes += [_proj_size(model), _forget_bias(model)]
    else:
        notes += _declared(model)
    notes.append(_sequence(config))
    return notes


def output_at(model: ModelConfig, step: str) -> str:
    """``output`` at a time step, as it is written in the layout that ``batch_first`` sets."""
    return f"output[:, {step}]" if model.batch_first else f"output[{step}]"


def _declared(model: ModelConfig) -> list[ParameterNote]:
    """The keys of another cell, as it declares them."""
    common = {entry.name for entry in fields(ModelConfig)}
    return [
        ParameterNote(entry.name, written(getattr(model, entry.name)), f"{entry.metadata[METADATA].meaning}.", "")
        for entry in fields(model)
        if entry.name not in common and METADATA in entry.metadata
    ]


def _cell(config: Config) -> ParameterNote:
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


def _num_layers(config: Config) -> ParameterNote:
    layers = config.model.num_layers
    return ParameterNote(
        "num_layers",
        str(layers),
        "One recurrent layer: nothing is stacked on it."
        if layers == 1
        else f"Stacks {layers} recurrent layers: each reads the outputs of the one below, step by step.",
        f"It is not the number of time steps: every layer runs through all of them, {_steps(config)}, with "
        "the same weights. More steps add no parameter, more layers do.",
    )


def _hidden_size(model: ModelConfig) -> ParameterNote:
    if isinstance(model, LSTMConfig) and model.proj_size:
        does = (
            "Features of the cell state that a layer carries from step to step, and rows of each gate. What is output "
            f"and fed back has proj_size={model.proj_size}, so that the weights grow in proportion "
            "to hidden_size, not with its square."
        )
    else:
        does = "Features of the state that a layer carries from step to step; recurrent weights grow with its square."
    return ParameterNote(
        "hidden_size", str(model.hidden_size), does, "It is independent of the input's size and of the number of steps."
    )


def _batch_first(model: ModelConfig) -> ParameterNote:
    states = "h_0, h_n, c_0 and c_n" if CELLS[model.cell].cell_state else "h_0 and h_n"
    return ParameterNote(
        "batch_first",
        written(model.batch_first),
        "The layout of input and output alone: "
        f"{'[batch, time, feature]' if model.batch_first else '[time, batch, feature]'}.",
        f"{states} keep the shape [D*L, batch, ...] either way, and so do the weights. It does not change what is "
        "computed: equal seeds give equal predictions.",
    )


def _bias(model: ModelConfig) -> ParameterNote:
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


def _dropout(model: ModelConfig) -> ParameterNote:
    if model.num_layers == 1:
        does = "Nothing here: it acts between layers, and there is one."
    elif model.dropout == 0:
        does = "Off. It would zero outputs of every layer but the last on their way up, in training."
    else:
        does = (
            f"Zeroes {_percent(model.dropout)} of the outputs of every layer but the last on their way up, in training."
        )
    return ParameterNote(
        "dropout",
        f"{model.dropout:g}",
        does,
        "It touches neither the step from time to time (W_hh sees the whole h) nor the last layer's output, nor "
        "evaluation.",
    )


def _bidirectional(model: ModelConfig) -> ParameterNote:
    if not model.bidirectional:
        return ParameterNote(
            "bidirectional",
            "false",
            "One direction, D = 1: output at a step knows that step and those before it.",
            "Setting it does not share weights between directions: it doubles the first layer, and more than doubles "
            "any above.",
        )
    return ParameterNote(
        "bidirectional",
        "true",
        "A second set of weights reads from the end; output holds [forward, backward] side by side, "
        f"{'D*P' if isinstance(model, LSTMConfig) and model.proj_size else 'D*H'} features, and "
        f"{'a layer above would read' if model.num_layers == 1 else 'the layer above reads'} both.",
        f"The two do not meet at one moment: at {output_at(model, 't')} forward has read steps 0 to t, backward the "
        "steps from t on.",
    )


def _readout(config: Config) -> ParameterNote:
    model = config.model
    value, last = str(model.readout), output_at(model, "-1")
    if SEQUENCES[config.sequence.kind].lengths is not None:
        last = "output at each sequence's last valid step"
    match model.readout:
        case Readout.last_step if model.bidirectional:
            return ParameterNote(
                "readout",
                value,
                f"Classifies {last}: the forward half has read the whole sequence.",
                f"The backward half has not: it starts there, and has read one step of {_steps(config)}; "
                f"{_what_the_backward_half_knows(config)}. readout=final_hidden takes the backward state that has read "
                "all.",
            )
        case Readout.last_step:
            other = (
                "With batch_first=false output[:, -1] would be"
                if model.batch_first
                else "With batch_first=false output[:, -1] is"
            )
            return ParameterNote(
                "readout",
                value,
                f"Classifies {last}: h of the last layer after the whole sequence.",
                f"In one direction it is the same numbers as final_hidden. {other} the last image of the batch; the "
                "harness takes the last step in either layout.",
            )
        case Readout.final_hidden:
            return ParameterNote(
                "readout",
                value,
                "Classifies h_n of the last layer, "
                + ("both directions" if model.bidirectional else "the last h")
                + ".",
                f"h_n is not {last} for the backward direction: it is {output_at(model, '0')} there."
                if model.bidirectional
                else f"In one direction it is the same numbers as last_step: {last}.",
            )
        case Readout.mean | Readout.max:
            return ParameterNote(
                "readout",
                value,
                f"Classifies the {'mean' if value == 'mean' else 'maximum'} of output over time: every step has a say, "
                "and the gradient reaches each directly.",
                "Padding of shorter sequences does not count.",
            )


def _what_the_backward_half_knows(config: Config) -> str:
    model = config.model
    if model.num_layers > 1:
        return "the layers below, which have read everything, tell it a little more"
    words = "in a single layer it knows nothing else"
    measured = (
        isinstance(model, LSTMConfig)
        and not model.proj_size
        and config.sequence.kind == "rows"
        and config.data.name == "mnist"
    )
    if measured:
        words += (
            ", which costs accuracy (98.07 % against 98.38 % with final_hidden: one LSTM layer of 64 units on MNIST's "
            "rows, 5 epochs, 3 seeds)"
        )
    return words


def _init(model: ModelConfig) -> ParameterNote:
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


def _proj_size(model: LSTMConfig) -> ParameterNote:
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


def _forget_bias(model: LSTMConfig) -> ParameterNote:
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
        f"{_percent(1 / (1 + math.exp(-model.forget_bias)))} of c, is kept each step.",
        "It is a start, not a constraint: training moves it.",
    )


def _sequence(config: Config) -> ParameterNote:
    spec = SEQUENCES[config.sequence.kind]
    steps, features = spec.shape
    if spec.lengths is not None:
        does = (
            f"{_steps(config)} steps of {features} features; each image has its own number, packed so that "
            "none is padding."
        )
    else:
        does = f"{steps} steps of {features} {'feature' if features == 1 else 'features'}."
    return ParameterNote(
        "sequence",
        config.sequence.kind,
        does,
        "The number of steps changes time and difficulty, not the number of parameters; the features of a step do.",
    )


def _steps(config: Config) -> str:
    """How many time steps a sequence has: ``28``, or ``14 to 28`` where that differs from image to image."""
    spec = SEQUENCES[config.sequence.kind]
    longest = spec.shape[0]
    fewest = spec.lengths(config.sequence)[0] if spec.lengths else longest
    return f"{fewest} to {longest}" if fewest < longest else str(longest)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.3g} %"
