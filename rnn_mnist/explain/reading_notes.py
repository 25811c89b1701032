"""Notes on the parameters that say how a sequence is read, and what of it is read out."""

from rnn_mnist.catalogues.cells import CELLS, LSTMConfig, ModelConfig, Readout
from rnn_mnist.catalogues.sequences import SEQUENCES
from rnn_mnist.configuration.change import written
from rnn_mnist.configuration.schema import Config
from rnn_mnist.explain.parameter_note import ParameterNote, lengths_differ, output_at, steps_in_words


def batch_first(model: ModelConfig) -> ParameterNote:
    """``batch_first``: the layout."""
    states = "h_0, h_n, c_0 and c_n" if CELLS[model.cell].cell_state else "h_0 and h_n"
    return ParameterNote(
        "batch_first",
        written(model.batch_first),
        "The layout of input and output alone: "
        f"{'[batch, time, feature]' if model.batch_first else '[time, batch, feature]'}.",
        f"{states} keep the shape [D*L, batch, ...] either way, and so do the weights. It does not change what is "
        "computed: equal seeds give equal predictions.",
    )


def bidirectional(config: Config) -> ParameterNote:
    """``bidirectional``: what each direction has read at a step."""
    model = config.model
    if not model.bidirectional:
        return ParameterNote(
            "bidirectional",
            "false",
            "One direction, D = 1: output at a step knows that step and those before it.",
            "Setting it does not share weights between directions: it doubles the first layer, and more than doubles "
            "any above.",
        )
    place = "output at step t" if lengths_differ(config) else output_at(model, "t")
    if model.num_layers == 1:
        does_not = (
            f"The two do not meet at one moment: at {place} forward has read steps 0 to t, backward the steps from t "
            "on."
        )
    else:
        does_not = (
            f"No half of {place} stands for a part of the sequence. The first layer's forward half has read steps 0 to "
            "t, its backward half the steps from t on; but a layer above reads both at once, so that both of its "
            "halves depend on all steps, at every t."
        )
    return ParameterNote(
        "bidirectional",
        "true",
        "A second set of weights reads from the end; output holds [forward, backward] side by side, "
        f"{'D*P' if isinstance(model, LSTMConfig) and model.proj_size else 'D*H'} features, and "
        f"{'a layer above would read' if model.num_layers == 1 else 'the layer above reads'} both.",
        does_not,
    )


def readout(config: Config) -> ParameterNote:
    """``readout``: what is classified."""
    model = config.model
    value, last = str(model.readout), output_at(model, "-1")
    if lengths_differ(config):
        last = "output at each sequence's last valid step"
    match model.readout:
        case Readout.last_step if model.bidirectional:
            return ParameterNote(
                "readout",
                value,
                f"Classifies {last}: the forward half has read the whole sequence.",
                f"The backward half has not: it starts there, and has read one step of {steps_in_words(config)}; "
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
        return "what it reads there comes from the layer below, whose forward half has read everything"
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


def sequence(config: Config) -> ParameterNote:
    """``sequence``: what a time step is."""
    spec = SEQUENCES[config.sequence.kind]
    steps, features = spec.shape
    if spec.lengths is not None:
        does = (
            f"{steps_in_words(config)} steps of {features} features; each image has its own number, packed so that "
            "none is padding: the module takes a PackedSequence and returns its output as one; its states are tensors."
        )
    else:
        does = f"{steps} steps of {features} {'feature' if features == 1 else 'features'}."
    return ParameterNote(
        "sequence",
        config.sequence.kind,
        does,
        "The number of steps changes time and difficulty, not the number of parameters; the features of a step do.",
    )
