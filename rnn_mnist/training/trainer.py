"""One run: trained epoch by epoch, resumable after each, tested once at the end. Knows nothing of files."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from rnn_mnist.configuration.schema import Config, Precision
from rnn_mnist.data.augmentation import Moves, augment, draw_moves
from rnn_mnist.data.images import DataSet, split_indices
from rnn_mnist.data.seeding import derive_seed, generator, global_stream
from rnn_mnist.data.sequences import SequenceReader
from rnn_mnist.errors import ExpectedError
from rnn_mnist.network.classifier import RecurrentClassifier
from rnn_mnist.network.cudnn import CudnnCall
from rnn_mnist.training.evaluation import Evaluation, FinalMeasurement, evaluate, measure
from rnn_mnist.training.execution import autocast, needs_own_cudnn_call
from rnn_mnist.training.graphed_step import GraphedStep, Step, can_be_graphed, optimizer_can_be_graphed
from rnn_mnist.training.optimization import build_optimizer, build_schedule
from rnn_mnist.training.tally import Tally
from rnn_mnist.training.weight_average import WeightAverage

STEPS_BETWEEN_REPORTS = 20
FIRST_STEPS = 20
"""So many steps of a run are kept one by one: later, rounding alone can have made two makings of one run unlike."""

OnStep = Callable[[int, float, float], None]
"""Called with the steps done in this epoch, and its mean training loss and accuracy so far."""


def _ignore_step(_step: int, _loss: float, _accuracy: float) -> None: ...


class DivergedError(ExpectedError):
    """The loss became NaN or infinite; the message names epoch and step."""


@dataclass(frozen=True)
class EpochMetrics:
    """A row of ``metrics.csv``.

    Attributes:
        epoch: from 1.
        train_loss: mean over the epoch's images *while* it trained (dropout on, augmented, label smoothing included).
        train_accuracy: likewise, a fraction.
        val_loss: cross-entropy after the epoch; None without a validation split.
        val_accuracy: a fraction; None without a validation split.
        learning_rate: of the epoch's last step.
        gradient_norm: mean over the steps of the gradient's 2-norm, before clipping.
        epoch_seconds: training and validation.
        images_per_second: in training alone.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    learning_rate: float
    gradient_norm: float
    epoch_seconds: float
    images_per_second: float


class Trainer:
    """The state of a run between two epochs.

    Attributes:
        model: the classifier being trained.
        history: the metrics of the epochs done.
        best_epoch: the epoch with the highest validation accuracy (of equals the one with the lowest validation loss),
            or the last epoch where there is no validation split; 0 before the first.
        first_losses: mean training loss of each of the first steps, from the first epoch on; empty if another process
            has trained that one.
    """

    def __init__(self, config: Config, data: DataSet, device: torch.device) -> None:
        """Put the data on ``device`` and draw the model's initial weights from the run's seed."""
        self.config, self.device = config, device
        self._train_indices, self._val_indices = split_indices(
            len(data.train), config.data.validation_size, config.data.train_fraction, config.data.split_seed
        )
        self._train_images = data.train.to(device)
        self._test_images = data.test.to(device)
        self._train_reader = SequenceReader.create(config.sequence, len(data.train), "train", device)
        self._test_reader = SequenceReader.create(config.sequence, len(data.test), "test", device)
        # Spelled as it is: the stream, and with it every trained bit, is drawn from this word.
        with global_stream(config.seed, "initialisation", device=device):
            # On the CPU, so that a seed means the same weights on every device.
            self.model = RecurrentClassifier(config.model, config.features)
        self.model.to(device)
        if needs_own_cudnn_call(config, device):
            dtype = torch.bfloat16 if config.training.precision == Precision.bf16 else torch.float32
            self.model.cudnn = CudnnCall(cast(nn.RNNBase, self.model.recurrent), dtype)
        self._parameters = list(self.model.parameters())
        self._optimizer = build_optimizer(config.optimizer, self._parameters)
        self._schedule = build_schedule(
            config.schedule, self._optimizer, epochs=config.training.epochs, steps_per_epoch=self.steps_per_epoch
        )
        decay = config.training.weight_average
        self._average = None if decay is None else WeightAverage(self._parameters, decay)
        self._tally = Tally(self.steps_per_epoch, device)
        self._indices_on_cpu = self._train_indices[:0]
        self._graphed: GraphedStep | None = None
        if can_be_graphed(config, device):
            self._graphed = GraphedStep(
                self._optimizer,
                config.training.batch_size,
                device,
                with_optimizer=optimizer_can_be_graphed(config),
            )
        self.history: list[EpochMetrics] = []
        self.best_epoch = 0
        self.first_losses: tuple[float, ...] = ()
        self._best_weights: dict[str, Tensor] = {}

    @property
    def steps_per_epoch(self) -> int:
        """Training steps in an epoch; the last takes what is left of the images."""
        return -(-len(self._train_indices) // self.config.training.batch_size)

    @property
    def test_classes(self) -> Tensor:
        """The true classes ``[image]`` of the test images, on the CPU."""
        return self._test_images.labels.cpu()

    def mean_images_per_second(self) -> float:
        """Training images a second over all epochs, validation not counted."""
        seconds = sum(len(self._train_indices) / row.images_per_second for row in self.history)
        return round(len(self.history) * len(self._train_indices) / seconds, 1)

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or early stopping has ended the run."""
        return len(self.history) >= self.config.training.epochs or self.stopped_early

    @property
    def stopped_early(self) -> bool:
        """Whether early stopping has ended the run, with epochs left to train."""
        patience, done = self.config.training.early_stopping_patience, len(self.history)
        return patience is not None and done < self.config.training.epochs and done - self.best_epoch >= patience > 0

    def train_epoch(self, on_step: OnStep = _ignore_step) -> EpochMetrics:
        """Train one epoch, validate, and keep the weights if they are the best so far.

        Raises:
            DivergedError: if the training or validation loss is not finite.
        """
        epoch = len(self.history) + 1
        start = time.perf_counter()
        learning_rate, loss, accuracy, gradient_norm = self._train_steps(epoch, on_step)
        trained = time.perf_counter()
        with self._evaluated_weights():
            validation = self._evaluate_validation()
            weights = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        if validation is not None and not math.isfinite(validation.loss):
            raise DivergedError(f"validation loss is {validation.loss} after epoch {epoch}")
        metrics = EpochMetrics(
            epoch=epoch,
            train_loss=loss,
            train_accuracy=accuracy,
            val_loss=None if validation is None else validation.loss,
            val_accuracy=None if validation is None else validation.accuracy,
            learning_rate=learning_rate,
            gradient_norm=gradient_norm,
            epoch_seconds=round(time.perf_counter() - start, 3),
            images_per_second=round(len(self._train_indices) / (trained - start), 1),
        )
        if epoch == 1:
            images = torch.full((self.steps_per_epoch,), float(self.config.training.batch_size))
            images[-1] = len(self._train_indices) - (self.steps_per_epoch - 1) * self.config.training.batch_size
            self.first_losses = tuple((self._tally.losses.cpu() / images)[:FIRST_STEPS].tolist())
        self.history.append(metrics)
        if self._is_best(metrics):
            self.best_epoch = epoch
            self._best_weights = weights
        return metrics

    def test(self) -> FinalMeasurement:
        """Load the weights of the best epoch into the model and measure them on the test images.

        Raises:
            DivergedError: if the loss is not finite.
        """
        self.model.load_state_dict(self._best_weights)
        batch_size = self.config.training.evaluation_batch_size
        with autocast(self.config.training.precision, self.device):
            measured = measure(self.model, self._test_images, self._test_reader, batch_size)
        if not math.isfinite(measured.evaluation.loss):
            raise DivergedError(f"test loss is {measured.evaluation.loss} with the weights of epoch {self.best_epoch}")
        return measured

    def state_dict(self) -> dict[str, Any]:
        """All that the next epoch depends on, as plain data and tensors."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "history": [vars(metrics) for metrics in self.history],
            "best_epoch": self.best_epoch,
            "best_weights": self._best_weights,
            **({} if self._average is None else {"weight_average": self._average.state_dict()}),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where :meth:`state_dict` was taken."""
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        if self._average is not None:
            self._average.load_state_dict(state["weight_average"])
        self.history = [EpochMetrics(**row) for row in state["history"]]
        self.best_epoch = state["best_epoch"]
        self._best_weights = {name: value.to(self.device) for name, value in state["best_weights"].items()}

    def _train_steps(self, epoch: int, on_step: OnStep) -> tuple[float, float, float, float]:
        """Learning rate of the last step, and mean loss, accuracy and gradient norm of the epoch."""
        config, training = self.config, self.config.training
        order = torch.randperm(len(self._train_indices), generator=generator(config.seed, "shuffle", epoch))
        shuffled = self._train_indices[order]
        batches = torch.split(shuffled, training.batch_size)
        # Moved once: a copy in each step would have a GPU wait.
        batches_here = torch.split(shuffled.to(self.device), training.batch_size)
        augmentation_stream = generator(config.seed, "augmentation", epoch)
        tally = self._tally
        tally.begin()
        seen = 0
        learning_rate = 0.0
        self.model.train()
        with global_stream(config.seed, "dropout", epoch, device=self.device), self._steps() as do_step:
            if self.model.cudnn is not None:
                self.model.cudnn.seed(derive_seed(config.seed, "dropout", epoch))
            for step, (indices, here) in enumerate(zip(batches, batches_here, strict=True)):
                moves = None
                if config.data.augmentation.active:
                    moves = draw_moves(len(indices), config.data.augmentation, augmentation_stream).to(self.device)
                learning_rate = self._optimizer.param_groups[0]["lr"]
                self._indices_on_cpu = indices
                do_step(here, moves)
                if self._average is not None:
                    self._average.update()
                self._schedule.step()
                seen += len(indices)
                # Looked at now and then only, because each look makes a GPU wait.
                if (step + 1) % STEPS_BETWEEN_REPORTS == 0 or step + 1 == len(batches):
                    _refuse_nonfinite(tally.losses[: step + 1], epoch)
                    on_step(step + 1, float(tally.losses.sum()) / seen, int(tally.correct) / seen)
        # Summed in float64, which not every GPU has.
        mean_loss = float(tally.losses.cpu().double().sum()) / seen
        return learning_rate, mean_loss, int(tally.correct) / seen, float(tally.norms.mean())

    @contextmanager
    def _steps(self) -> Iterator[Step]:
        """What does the steps of an epoch."""
        if self._graphed is None:
            yield self._step
        else:
            with self._graphed.epoch(self._make_gradients) as do_step:
                yield do_step

    def _step(self, here: Tensor, moves: Moves | None) -> None:
        self._make_gradients(here, moves)
        self._optimizer.step()

    def _make_gradients(self, here: Tensor, moves: Moves | None) -> None:
        """Those of the images at ``here`` (``[batch]``), which are moved first unless ``moves`` is None; clipped."""
        training, tally = self.config.training, self._tally
        images, labels = self._train_images.take(here)
        if moves is not None:
            images = augment(images, moves)
        sequences, lengths = self._train_reader.read(images, self._indices_on_cpu)
        with autocast(training.precision, self.device):
            logits = self.model(sequences, lengths)
        loss = functional.cross_entropy(logits.float(), labels, label_smoothing=training.label_smoothing)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = self._clip_gradient()
        tally.add(loss.detach() * len(here), norm, (logits.detach().argmax(1) == labels).sum())

    def _clip_gradient(self) -> Tensor:
        largest = self.config.training.gradient_clip_norm
        if largest is None:
            return nn.utils.get_total_norm([p.grad for p in self._parameters if p.grad is not None])
        return nn.utils.clip_grad_norm_(self._parameters, largest)

    def _evaluated_weights(self) -> AbstractContextManager[None]:
        """The averaged ones where there is an average, else those that are there."""
        return nullcontext() if self._average is None else self._average.in_place()

    def _evaluate_validation(self) -> Evaluation | None:
        if len(self._val_indices) == 0:
            return None
        training = self.config.training
        with autocast(training.precision, self.device):
            return evaluate(
                self.model, self._train_images, self._val_indices, self._train_reader, training.evaluation_batch_size
            )

    def _is_best(self, metrics: EpochMetrics) -> bool:
        if metrics.val_accuracy is None or metrics.val_loss is None or self.best_epoch == 0:
            return True
        best = self.history[self.best_epoch - 1]
        if best.val_accuracy is None or best.val_loss is None:
            return True
        return (metrics.val_accuracy, -metrics.val_loss) > (best.val_accuracy, -best.val_loss)


def _refuse_nonfinite(losses: Tensor, epoch: int) -> None:
    finite = torch.isfinite(losses)
    if not bool(finite.all()):
        step = int((~finite).nonzero()[0])
        raise DivergedError(
            f"training loss is {float(losses[step])} at epoch {epoch}, step {step + 1}; "
            "a smaller optimizer.lr or a training.gradient_clip_norm may help"
        )
