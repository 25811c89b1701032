"""What each parameter of a recurrent classifier does, and what it does not do, in the words of one configuration."""

from dataclasses import fields

from rnn_mnist.catalogues.cells import LSTMConfig, ModelConfig, RNNConfig
from rnn_mnist.catalogues.keys import METADATA
from rnn_mnist.configuration.change import written
from rnn_mnist.configuration.schema import Config
from rnn_mnist.explain import layer_notes, reading_notes
from rnn_mnist.explain.parameter_note import ParameterNote


def parameter_notes(config: Config) -> list[ParameterNote]:
    """A note for every key of the model, and for the way an image is read."""
    model = config.model
    notes = [
        layer_notes.cell(config),
        layer_notes.num_layers(config),
        layer_notes.hidden_size(config),
        layer_notes.bias(model),
        reading_notes.batch_first(model),
        layer_notes.dropout(model),
        reading_notes.bidirectional(config),
        reading_notes.readout(config),
        layer_notes.init(model),
    ]
    if isinstance(model, RNNConfig):
        notes.append(layer_notes.nonlinearity(model))
    elif isinstance(model, LSTMConfig):
        notes += [layer_notes.proj_size(model), layer_notes.forget_bias(model)]
    else:
        notes += _declared(model)
    notes.append(reading_notes.sequence(config))
    return notes


def _declared(model: ModelConfig) -> list[ParameterNote]:
    """The keys of another cell, as it declares them."""
    common = {entry.name for entry in fields(ModelConfig)}
    return [
        ParameterNote(entry.name, written(getattr(model, entry.name)), f"{entry.metadata[METADATA].meaning}.", "")
        for entry in fields(model)
        if entry.name not in common and METADATA in entry.metadata
    ]
