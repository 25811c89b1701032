"""Measuring a classifier on images that it does not learn from."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from rnn_mnist.data.images import LabelledImages
from rnn_mnist.data.sequences import SequenceReader
from rnn_mnist.network.classifier import RecurrentClassifier

# Bounds the memory that all outputs of all steps of a batch take.
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
        accuracy_by_step: a fraction for each time step, see :func:`accuracy_by_step`.
    """

    evaluation: Evaluation
    accuracy_by_step: list[float]


@torch.inference_mode()
def evaluate(
    model: RecurrentClassifier, images: LabelledImages, indices: Tensor, reader: SequenceReader, batch_size: int
) -> Evaluation:
    """Evaluate ``model`` on the images at ``indices`` (``[image]``, CPU)."""
    model.eval()
    loss = torch.zeros((), dtype=torch.float64)
    predictions, log_probabilities = [], []
    for batch in torch.split(indices, batch_size):
        here = batch.to(images.images.device)
        sequences, lengths = reader.read(images.images[here], batch)
        logits = model(sequences, lengths).float()
        loss += functional.cross_entropy(logits, images.labels[here], reduction="sum").cpu()
        predictions.append(logits.argmax(1).to("cpu", torch.uint8))
        log_probabilities.append(logits.log_softmax(1).cpu())
    predicted = torch.cat(predictions)
    correct = int((predicted == images.labels[indices.to(images.labels.device)].cpu()).sum())
    return Evaluation(float(loss) / len(indices), correct / len(indices), predicted, torch.cat(log_probabilities))


@torch.inference_mode()
def accuracy_by_step(
    model: RecurrentClassifier, images: LabelledImages, reader: SequenceReader, batch_size: int
) -> list[float]:
    """After which time step does it know? The accuracy of :meth:`RecurrentClassifier.logits_by_step` at each step.

    Sequences that end early count with their last step from then on. In a bidirectional model the backward direction
    has read the rest of the sequence at every step, so that early steps are not ignorant there.
    """
    model.eval()
    steps = reader.shape[0]
    correct = torch.zeros(steps, dtype=torch.int64)
    indices = torch.arange(len(images))
    for batch in torch.split(indices, max(1, min(batch_size, STEPS_AT_ONCE // steps))):
        here = batch.to(images.images.device)
        sequences, lengths = reader.read(images.images[here], batch)
        predicted = model.logits_by_step(sequences, lengths).argmax(2)  # [batch, time]
        correct += (predicted == images.labels[here].unsqueeze(1)).sum(0).cpu()
    return [int(count) / len(images) for count in correct]
