"""What each parameter of a recurrent classifier does, and what it does not do, in the words of one configuration."""

from dataclasses import dataclass

from rnn_mnist.config import Cell, Config, Initialisation, LSTMConfig, ModelConfig, Readout, RNNConfig, SequenceKind
from rnn_mnist.parameter_count import GATES


@dataclass(frozen=True)
class ParameterNote:
    """A key and its value, what it does, and what it is often taken to do but does not."""

    key: str
    value: str
    does: str
    does_not: str


def parameter_notes(config: Config) -> list[ParameterNote]:
    """A note for every key of the model, and for the way an image is read."""
    model, steps = config.model, config.sequence.shape[0]
    notes = [
        _cell(model),
        ParameterNote(
            "num_layers",
            str(model.num_layers),
            f"Stacks {_count(model.num_layers, 'recurrent layer')}: each reads the outputs of the one below, step by "
            "step.",
            f"It is not the number of time steps: every layer runs through all {steps} of them with the same weights. "
            "More steps add no parameter, more layers do.",
        ),
        ParameterNote(
            "hidden_size",
            str(model.hidden_size),
            "Features of the state that a layer carries from step to step; recurrent weights grow with its square.",
            "It is independent of the input's size and of the number of steps.",
        ),
        _bias(model),
        ParameterNote(
            "batch_first",
            _yes(model.batch_first),
            "The layout of input and output alone: "
            f"{'[batch, time, feature]' if model.batch_first else '[time, batch, feature]'}.",
            "h_0, h_n, c_0 and c_n keep the shape [D*L, batch, ...] either way, and so do the weights. It does not "
            "change "
            "what is computed: equal seeds give equal predictions.",
        ),
        _dropout(model),
        _bidirectional(model),
        _readout(model, steps),
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
    if isinstance(model, LSTMConfig):
        notes += [_proj_size(model), _forget_bias(model)]
    notes.append(_sequence(config))
    return notes


def _cell(model: ModelConfig) -> ParameterNote:
    does = {
        Cell.rnn: "h = tanh or relu of (W_ih x + b_ih + W_hh h + b_hh): the state is rewritten whole at every step.",
        Cell.lstm: "Keeps a cell state c beside h; gates decide what c forgets and takes in, and what of it h shows.",
        Cell.gru: "One state h; a gate decides how much of it is kept, another how much of it the candidate sees.",
    }[model.cell]
    gates = GATES[model.cell]
    return ParameterNote(
        "model",
        str(model.cell),
        does,
        f"At equal hidden_size cells are not equally large: this one has {gates}x the recurrent parameters of nn.RNN "
        "(RNN 1, GRU 3, LSTM 4). model.parameter_budget compares them at equal size.",
    )


def _bias(model: ModelConfig) -> ParameterNote:
    redundant = (
        "In the candidate n of a GRU the second one is not redundant: the reset gate multiplies it."
        if model.cell == Cell.gru
        else "Only their sum acts, so that one would do: two are kept for cuDNN's sake."
    )
    does = (
        f"Two vectors a layer and direction, b_ih and b_hh, of {GATES[model.cell] * model.hidden_size} each. "
        f"{redundant}"
        if model.bias
        else "No bias vectors in the recurrent layers."
    )
    return ParameterNote("bias", _yes(model.bias), does, "The linear layer keeps its own bias either way.")


def _dropout(model: ModelConfig) -> ParameterNote:
    if model.num_layers == 1:
        does = "Nothing here: it acts between layers, and there is one."
    elif model.dropout == 0:
        does = "Off. It would zero outputs of every layer but the last on their way up, in training."
    else:
        does = f"Zeroes {model.dropout:.0%} of the outputs of every layer but the last on their way up, in training."
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
            "Setting it does not share weights between directions: it doubles the layer, and more than doubles those "
            "above.",
        )
    return ParameterNote(
        "bidirectional",
        "true",
        "A second set of weights reads from the end; output holds [forward, backward] side by side, D*H features, and "
        "the layer above reads both.",
        "The two do not meet at one moment: at output[:, t] forward has read steps 0 to t, backward the steps from t "
        "on.",
    )


def _readout(model: ModelConfig, steps: int) -> ParameterNote:
    value = str(model.readout)
    match model.readout:
        case Readout.last_step if model.bidirectional:
            deeper = (
                "in a single layer it knows nothing else, which costs accuracy (98.07 % against 98.38 % with "
                "final_hidden: 64 units, 5 epochs, 3 seeds)"
                if model.num_layers == 1
                else "the layers below, which have read everything, tell it a little more"
            )
            return ParameterNote(
                "readout",
                value,
                "Classifies output[:, -1]: the forward half has read the whole sequence.",
                f"The backward half has not: it starts there, and has read one step of {steps}; {deeper}. "
                "readout=final_hidden takes the backward state that has read all.",
            )
        case Readout.last_step:
            return ParameterNote(
                "readout",
                value,
                "Classifies output[:, -1], h of the last layer after the last step (of packed sequences: the last "
                "valid one).",
                "In one direction it is the same numbers as final_hidden. With batch_first=false output[:, -1] would "
                "be the "
                "last image of the batch; the harness takes the last step in either layout.",
            )
        case Readout.final_hidden:
            return ParameterNote(
                "readout",
                value,
                "Classifies h_n of the last layer, "
                + ("both directions" if model.bidirectional else "the last h")
                + ".",
                "h_n is not output[:, -1] for the backward direction: it is output[:, 0] there.",
            )
        case Readout.mean | Readout.max:
            return ParameterNote(
                "readout",
                value,
                f"Classifies the {'mean' if value == 'mean' else 'maximum'} of output over time: every step has a say, "
                "and the gradient reaches each directly.",
                "Padding of shorter sequences does not count.",
            )


def _init(model: ModelConfig) -> ParameterNote:
    does = {
        Initialisation.pytorch: f"All weights and biases from U(-k, k), k = 1/sqrt(H) = {model.hidden_size**-0.5:.3f}.",
        Initialisation.orthogonal: (
            "The recurrent matrix of each gate is orthogonal: it keeps lengths (Saxe et al. 2014)."
        ),
        Initialisation.identity: "W_hh = 1, biases 0, W_ih from N(0, 0.001): h starts as a sum of what was read "
        "(Le et al. 2015).",
    }[model.init]
    return ParameterNote("init", str(model.init), does, "The linear layer starts as PyTorch has it.")


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
            "PyTorch has no such argument; the harness writes it into the biases (two vectors, one sum).",
        )
    return ParameterNote(
        "forget_bias",
        f"{model.forget_bias:g}",
        f"The forget gate's biases start with the sum {model.forget_bias:g}: at first sigmoid of that of c is kept a "
        "step.",
        "It is a start, not a constraint: training moves it.",
    )


def _sequence(config: Config) -> ParameterNote:
    steps, features = config.sequence.shape
    if config.sequence.kind == SequenceKind.random_length:
        does = (
            f"Up to {steps} steps of {features} features; each image has its own number, packed so that none is "
            "padding."
        )
    else:
        does = f"{steps} steps of {features} {'feature' if features == 1 else 'features'}."
    return ParameterNote(
        "sequence",
        str(config.sequence.kind),
        does,
        "The number of steps changes time and difficulty, not the number of parameters; the features of a step do.",
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _yes(flag: bool) -> str:
    return "true" if flag else "false"
