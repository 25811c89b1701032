"""Measuring a classifier on images that it does not learn from."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from rnn_mnist.data.images import LabelledImages
from rnn_mnist.data.sequences import SequenceReader
from rnn_mnist.network.classifier import RecurrentClassifier

# Bounds the memory that the logits of all steps of a batch take.
STEPS_AT_ONCE = 200_000


@dataclass(frozen=True)
class Evaluation:
    """How a classifier does on some images.

    Attributes:
        loss: cross-entropy (natural logarithm), mean over the images.
        accuracy: a fraction.
        predictions: predicted classes ``[image]`` of uint8.
        log_probabilities: ``[image, class]`` of float32, natural logarithm.
    """

    loss: float
    accuracy: float
    predictions: Tensor
    log_probabilities: Tensor


@dataclass(frozen=True)
class FinalMeasurement:
    """What is measured once, at the end, on the test images.

    Attributes:
        evaluation: with the read-out as configured.
        accuracy_by_step: after which time step does it know? The accuracy of
            :meth:`RecurrentClassifier.logits_by_step`, a fraction, at each step. Sequences that end early count with
            their last step from then on. In a bidirectional model the backward direction has read the rest of the
            sequence at every step, so that early steps are not ignorant there.
    """

    evaluation: Evaluation
    accuracy_by_step: list[float]


def evaluate(
    model: RecurrentClassifier, images: LabelledImages, indices: Tensor, reader: SequenceReader, batch_size: int
) -> Evaluation:
    """Evaluate ``model`` on the images at ``indices`` (``[image]``, CPU)."""
    return _evaluate(model, images, indices, reader, batch_size, None)


def measure(
    model: RecurrentClassifier, images: LabelledImages, reader: SequenceReader, batch_size: int
) -> FinalMeasurement:
    """Evaluate ``model`` on all images, and after each of their time steps, in one pass."""
    correct = torch.zeros(reader.shape[0], dtype=torch.int64)
    evaluation = _evaluate(model, images, torch.arange(len(images)), reader, batch_size, correct)
    return FinalMeasurement(evaluation, [int(count) / len(images) for count in correct])


@torch.inference_mode()
def _evaluate(
    model: RecurrentClassifier,
    images: LabelledImages,
    indices: Tensor,
    reader: SequenceReader,
    batch_size: int,
    correct_by_step: Tensor | None,
) -> Evaluation:
    """As :func:`evaluate`; adds the images that are right after each step to ``correct_by_step``, ``[time]``."""
    model.eval()
    loss = torch.zeros((), dtype=torch.float64)
    predictions, log_probabilities = [], []
    for batch in torch.split(indices, batch_size):
        here = batch.to(images.images.device)
        pictures, labels = images.take(here)
        sequences, lengths = reader.read(pictures, batch)
        output, hidden = model.encode(sequences, lengths)
        logits = model.classify(output, hidden, lengths).float()
        loss += functional.cross_entropy(logits, labels, reduction="sum").cpu()
        predictions.append(logits.argmax(1).to("cpu", torch.uint8))
        log_probabilities.append(logits.log_softmax(1).cpu())
        if correct_by_step is not None:
            correct_by_step += _correct_by_step(model, output, lengths, labels)
    predicted = torch.cat(predictions)
    correct = int((predicted == images.labels[indices.to(images.labels.device)].cpu()).sum())
    return Evaluation(float(loss) / len(indices), correct / len(indices), predicted, torch.cat(log_probabilities))


def _correct_by_step(model: RecurrentClassifier, output: Tensor, lengths: Tensor | None, labels: Tensor) -> Tensor:
    steps = output.shape[1]
    correct = torch.zeros(steps, dtype=torch.int64)
    for part in torch.split(torch.arange(len(output)), max(1, STEPS_AT_ONCE // steps)):
        some = slice(int(part[0]), int(part[-1]) + 1)
        predicted = model.classify_each_step(output[some], None if lengths is None else lengths[some]).argmax(2)
        correct += (predicted == labels[some].unsqueeze(1)).sum(0).cpu()
    return correct
