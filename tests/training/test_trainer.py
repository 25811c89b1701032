"""A run is a function of its configuration: the same bits again, interrupted or not, whatever runs beside it."""

import io
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from rnn_mnist.configuration.schema import Config
from rnn_mnist.data.images import DataSet, LabelledImages
from rnn_mnist.training.execution import execution
from rnn_mnist.training.trainer import DivergedError, EpochMetrics, Trainer
from tests.conftest import small

CPU = torch.device("cpu")
TIMINGS = ("epoch_seconds", "images_per_second")

VARIANTS = {
    "lstm": [],
    "gru, dropout": ["model=gru", "model.num_layers=2", "model.dropout=0.5"],
    "rnn, sgd, cosine": ["model=rnn", "optimizer=sgd", "schedule=cosine", "optimizer.lr=0.01"],
    "rmsprop, step": ["optimizer=rmsprop", "schedule=step"],
    "one cycle, clipped, adamw": ["schedule=one_cycle", "optimizer=adamw", "training.gradient_clip_norm=1"],
    "augmented": ["data.augmentation.max_shift=2", "data.augmentation.max_rotation=10"],
    "random length": ["sequence=random_length", "model.bidirectional=true", "model.readout=final_hidden"],
    "bf16": ["training.precision=bf16"],
    "smoothed, no validation": ["training.label_smoothing=0.1", "data.validation_size=0"],
}


@pytest.fixture(scope="module")
def mnist(mnist: DataSet) -> DataSet:
    """MNIST with 1,000 test images: no fact here depends on their number, and testing takes longer than training."""
    return replace(mnist, test=LabelledImages(mnist.test.images[:1000], mnist.test.labels[:1000]))


def configure(*overrides: str) -> Config:
    return small("data.validation_size=1000", *overrides).config


def without_timings(history: list[EpochMetrics]) -> list[dict[str, Any]]:
    return [{key: value for key, value in vars(row).items() if key not in TIMINGS} for row in history]


def train(config: Config, data: DataSet, trainer: Trainer | None = None, epochs: int | None = None) -> Trainer:
    trainer = trainer or Trainer(config, data, CPU)
    with execution(config, CPU):
        while not trainer.finished and len(trainer.history) != epochs:
            trainer.train_epoch()
    return trainer


def assert_same(first: Trainer, second: Trainer) -> None:
    assert without_timings(first.history) == without_timings(second.history)
    one, other = first.test(), second.test()
    assert torch.equal(one.evaluation.predictions, other.evaluation.predictions)
    assert one.accuracy_by_step == other.accuracy_by_step
    for name, weight in first.model.state_dict().items():
        assert torch.equal(weight, second.model.state_dict()[name]), name


@pytest.mark.parametrize("overrides", VARIANTS.values(), ids=VARIANTS.keys())
def test_an_interrupted_run_ends_with_the_same_bits(overrides: list[str], mnist: DataSet) -> None:
    config = configure("training.epochs=3", *overrides)
    whole = train(config, mnist)
    interrupted = train(config, mnist, epochs=1)
    file = io.BytesIO()
    torch.save(interrupted.state_dict(), file)
    file.seek(0)
    torch.manual_seed(12345)  # whatever else the new process has drawn
    resumed = Trainer(config, mnist, CPU)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    assert len(resumed.history) == 1
    assert_same(whole, train(config, mnist, resumed))


def test_what_runs_beside_a_run_does_not_change_it(mnist: DataSet) -> None:
    config = configure("model.dropout=0.5", "training.epochs=2")
    alone = train(config, mnist)
    first, second = Trainer(config, mnist, CPU), Trainer(configure("model=gru", "seed=5"), mnist, CPU)
    before = torch.random.get_rng_state()
    with execution(config, CPU):
        for _ in range(2):
            first.train_epoch()
            second.train_epoch()
    assert torch.equal(before, torch.random.get_rng_state())
    assert_same(alone, first)


def test_seeds_differ(mnist: DataSet) -> None:
    first, second = (train(configure(f"seed={seed}"), mnist) for seed in (0, 1))
    assert without_timings(first.history) != without_timings(second.history)


@pytest.mark.parametrize("readout", ["last_step", "mean"])
@pytest.mark.parametrize("sequence", ["rows", "random_length"])
@pytest.mark.parametrize("model", ["rnn", "lstm", "gru"])
def test_batch_first_gives_identical_predictions(model: str, sequence: str, readout: str, mnist: DataSet) -> None:
    overrides = [f"model={model}", f"sequence={sequence}", f"model.readout={readout}", "model.dropout=0.3"]
    first, second = (
        train(configure(*overrides, f"model.batch_first={flag}"), mnist).test().evaluation for flag in ("true", "false")
    )
    assert torch.equal(first.predictions, second.predictions)


def test_last_step_and_final_hidden_are_one_in_one_direction(mnist: DataSet) -> None:
    first, second = (
        train(configure(f"model.readout={readout}"), mnist).test().evaluation
        for readout in ("last_step", "final_hidden")
    )
    assert torch.equal(first.predictions, second.predictions)


def test_accuracy_by_step_ends_at_the_test_accuracy(mnist: DataSet) -> None:
    for readout in ("last_step", "final_hidden", "mean", "max"):
        config = configure(f"model.readout={readout}", "model.bidirectional=true", "sequence=random_length")
        result = train(config, mnist).test()
        assert len(result.accuracy_by_step) == 28
        assert result.accuracy_by_step[-1] == pytest.approx(result.evaluation.accuracy, abs=2e-4)


def test_the_best_validation_epoch_is_the_one_that_is_tested(mnist: DataSet) -> None:
    # A rate this high makes the accuracy jump up and down.
    config = configure("training.epochs=6", "optimizer.lr=0.3", "training.gradient_clip_norm=1", "model=rnn")
    trainer = Trainer(config, mnist, CPU)
    weights: list[dict[str, Tensor]] = []
    while not trainer.finished:
        trainer.train_epoch()
        weights.append({name: value.clone() for name, value in trainer.model.state_dict().items()})
    accuracies = [row.val_accuracy or 0.0 for row in trainer.history]
    assert accuracies[trainer.best_epoch - 1] == max(accuracies)
    assert trainer.best_epoch < 6, "choose a configuration whose last epoch is not its best"
    trainer.test()
    for name, value in trainer.model.state_dict().items():
        assert torch.equal(value, weights[trainer.best_epoch - 1][name])


def test_without_a_validation_split_the_last_epoch_counts(mnist: DataSet) -> None:
    trainer = train(configure("data.validation_size=0", "training.epochs=3"), mnist)
    assert trainer.best_epoch == 3
    assert {row.val_accuracy for row in trainer.history} == {None}


def test_early_stopping_waits_as_long_as_it_was_told(mnist: DataSet) -> None:
    # At a vanishing rate nothing improves after the first epochs.
    config = configure("training.epochs=50", "optimizer.lr=1e-12", "training.early_stopping_patience=2")
    trainer = train(config, mnist)
    assert len(trainer.history) < 50
    assert len(trainer.history) == trainer.best_epoch + 2
    assert trainer.stopped_early


def test_a_run_whose_patience_ends_with_its_epochs_was_not_stopped_early(mnist: DataSet) -> None:
    config = configure("training.epochs=3", "optimizer.lr=1e-12", "training.early_stopping_patience=2")
    trainer = Trainer(config, mnist, CPU)
    states = []
    while not trainer.finished:
        trainer.train_epoch()
        states.append(trainer.stopped_early)
    assert trainer.best_epoch == 1, "choose a configuration whose patience ends in the last epoch"
    assert states == [False] * 3


def test_divergence_names_epoch_and_step(mnist: DataSet) -> None:
    config = configure("model=rnn", "model.nonlinearity=relu", "optimizer=sgd", "optimizer.lr=1000", "seed=1")
    with pytest.raises(DivergedError, match=r"loss is (nan|inf) at epoch 1, step \d+"):
        train(config, mnist)


def test_clipping_bounds_the_step_and_reports_the_norm_before_it(mnist: DataSet) -> None:
    base = ["optimizer=sgd", "optimizer.momentum=0", "optimizer.lr=1", "training.epochs=1"]
    config = configure(*base, "training.gradient_clip_norm=0.001", "training.batch_size=590")  # one step
    trainer = Trainer(config, mnist, CPU)
    before = [parameter.detach().clone() for parameter in trainer.model.parameters()]
    metrics = trainer.train_epoch()
    moved = torch.cat([(new - old).flatten() for new, old in zip(trainer.model.parameters(), before, strict=True)])
    assert float(moved.detach().norm()) == pytest.approx(0.001, rel=0.01)
    assert metrics.gradient_norm > 0.01


@pytest.mark.parametrize(
    ("override", "attribute", "value"),
    [
        ("model.num_layers=3", "num_layers", 3),
        ("model.hidden_size=5", "hidden_size", 5),
        ("model.bias=false", "bias", False),
        ("model.batch_first=false", "batch_first", False),
        ("model.dropout=0.25", "dropout", 0.25),
        ("model.bidirectional=true", "bidirectional", True),
        ("model.proj_size=3", "proj_size", 3),
    ],
)
def test_a_swept_value_reaches_the_module(override: str, attribute: str, value: object, mnist: DataSet) -> None:
    assert getattr(Trainer(configure(override), mnist, CPU).model.recurrent, attribute) == value


def test_the_schedule_moves_the_rate(mnist: DataSet) -> None:
    def rates(*overrides: str) -> list[float]:
        trainer = train(configure("training.epochs=4", "data.train_fraction=0.005", *overrides), mnist)
        return [row.learning_rate for row in trainer.history]

    assert rates("schedule=constant", "optimizer.lr=0.02") == [0.02] * 4
    assert rates("schedule=step", "schedule.step_size=2", "schedule.gamma=0.5", "optimizer.lr=0.02") == pytest.approx(
        [0.02, 0.02, 0.01, 0.01]
    )
    cosine = rates("schedule=cosine", "optimizer.lr=0.02")
    assert cosine == sorted(cosine, reverse=True)
    one_cycle = rates("schedule=one_cycle", "optimizer.lr=0.02")
    assert max(one_cycle[:2]) > 0.015
    assert one_cycle[-1] == pytest.approx(0.02 / 25 / 1e4)


def test_weights_that_break_in_the_last_step_are_divergence(mnist: DataSet) -> None:
    config = configure(
        "optimizer=sgd",
        "optimizer.lr=1000",
        "optimizer.weight_decay=1000",
        "data.validation_size=0",
        "data.train_fraction=0.001",
        "training.batch_size=10",
        "training.gradient_clip_norm=1",
    )
    with pytest.raises(DivergedError):
        train(config, mnist).test()


@pytest.mark.slow
def test_the_tutorials_lstm_learns_to_read_digits(mnist: DataSet) -> None:
    """One epoch of the tutorial on all 60,000 images: published runs reach about 96 % after it."""
    from rnn_mnist.configuration.compose import compose_checked

    config = compose_checked(["experiment=article", "training.epochs=1"]).config
    assert train(config, mnist).test().evaluation.accuracy > 0.93
