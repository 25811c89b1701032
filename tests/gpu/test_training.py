"""Runs on a GPU: as on the CPU but for rounding, the same bits twice and after an interruption, in every precision."""

import copy
import math

import pytest
import torch

from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.configuration.resolution import ConfigError
from rnn_mnist.data.images import DataSet
from rnn_mnist.training.execution import (
    MemoryExhaustedError,
    execution,
    out_of_memory_as_error,
    peak_memory_mib,
    resolve_device,
)
from rnn_mnist.training.trainer import EpochMetrics, Trainer

SMALL = ("data.train_fraction=0.03", "model.hidden_size=64", "optimizer.lr=0.003", "training.epochs=2")
CONFIGURATIONS = {
    "lstm": (),
    "gru": ("model=gru",),
    "rnn": ("model=rnn",),
    "relu": ("model=rnn", "model.nonlinearity=relu"),
    "bidirectional": ("model.bidirectional=true", "model.readout=final_hidden"),
    "time first": ("model.batch_first=false",),
    "no bias": ("model.bias=false",),
    "projection": ("model.proj_size=16",),
    "dropout": ("model.dropout=0.3", "model.num_layers=3"),
    "dropout gru": ("model=gru", "model.dropout=0.3"),
    "dropout packed": ("model.dropout=0.3", "sequence=random_length"),
    "dropout projection": ("model.dropout=0.3", "model.proj_size=16"),
    "packed": ("sequence=random_length",),
    "packed mean": ("sequence=random_length", "model.readout=mean", "model.bidirectional=true"),
    "augmented": ("data.augmentation.max_shift=2", "data.augmentation.max_rotation=10"),
    "elastic": ("data.augmentation.elastic=1.5", "data.augmentation.row_dropout=0.1"),
    "averaged": ("training.weight_average=0.99",),
    "tf32": ("training.precision=tf32",),
    "bf16": ("training.precision=bf16",),
    "bf16 packed": ("training.precision=bf16", "sequence=random_length"),
    "bf16 dropout": ("training.precision=bf16", "model.dropout=0.3"),
    "bf16 projection": ("training.precision=bf16", "model.proj_size=16"),
    "cosine": ("schedule=cosine", "optimizer=adamw", "training.gradient_clip_norm=1"),
    "one cycle": ("schedule=one_cycle", "training.gradient_clip_norm=1"),
    "one cycle sgd": ("schedule=one_cycle", "optimizer=sgd"),
    "rmsprop": ("optimizer=rmsprop",),
}
RANDOM_ON_THE_DEVICE = {name for name in CONFIGURATIONS if "dropout" in name}


def trained(
    overrides: tuple[str, ...], data: DataSet, device: str, *, interrupted: bool = False
) -> tuple[list[EpochMetrics], dict[str, torch.Tensor], torch.Tensor]:
    """Metrics, weights and predictions of a run."""
    config = compose_checked([*SMALL, *overrides, f"training.device={device}"]).config
    place = resolve_device(config.training.device)
    with execution(config, place):
        trainer = Trainer(config, data, place)
        while not trainer.finished:
            trainer.train_epoch()
            if interrupted:
                state = copy.deepcopy(trainer.state_dict())
                trainer = Trainer(config, data, place)
                trainer.load_state_dict(state)
        measured = trainer.test()
    weights = {name: value.cpu() for name, value in trainer.model.state_dict().items()}
    return trainer.history, weights, measured.evaluation.predictions


def same(one: EpochMetrics, other: EpochMetrics) -> bool:
    timed = ("epoch_seconds", "images_per_second")
    return all(value == getattr(other, name) for name, value in vars(one).items() if name not in timed)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_same_bits_twice_and_after_an_interruption(name: str, mnist: DataSet) -> None:
    first, again, resumed = (
        trained(CONFIGURATIONS[name], mnist, "cuda", interrupted=interrupted) for interrupted in (False, False, True)
    )
    for other in (again, resumed):
        assert all(same(*pair) for pair in zip(first[0], other[0], strict=True))
        assert all(torch.equal(value, other[1][key]) for key, value in first[1].items())
        assert torch.equal(first[2], other[2])


@pytest.mark.parametrize(
    "name", ["lstm", "gru", "rnn", "packed mean", "dropout", "augmented", "bf16", "tf32", "cosine"]
)
def test_a_gpu_learns_as_the_cpu_does(name: str, mnist: DataSet) -> None:
    (on_gpu, _, _), (on_cpu, _, _) = (trained(CONFIGURATIONS[name], mnist, device) for device in ("cuda", "cpu"))
    # The first epoch's loss begins with equal weights and batches; rounding is amplified as training goes on.
    tolerance = 0.05 if name in RANDOM_ON_THE_DEVICE or "bf16" in name else 0.02
    assert math.isclose(on_gpu[0].train_loss, on_cpu[0].train_loss, rel_tol=tolerance)
    assert on_gpu[0].learning_rate == on_cpu[0].learning_rate
    assert abs((on_gpu[1].val_accuracy or 0) - (on_cpu[1].val_accuracy or 0)) < 0.05


@pytest.mark.parametrize("name", ["lstm", "augmented", "dropout", "bf16", "cosine", "sgd", "one cycle", "rmsprop"])
def test_a_graph_of_a_step_does_what_the_step_does(name: str, mnist: DataSet) -> None:
    overrides = CONFIGURATIONS.get(name, ("optimizer=sgd", "optimizer.nesterov=true"))
    with_graphs, without = (
        trained((*overrides, f"training.cuda_graphs={graphs}"), mnist, "cuda") for graphs in ("true", "false")
    )
    for one, other in zip(with_graphs[0], without[0], strict=True):
        # The learning rate is rounded to float32 in a graph.
        assert math.isclose(one.train_loss, other.train_loss, rel_tol=1e-3)
        assert math.isclose(one.gradient_norm, other.gradient_norm, rel_tol=1e-2)
        assert abs(one.train_accuracy - other.train_accuracy) < 0.005


def test_dropout_differs_by_epoch_and_seed(mnist: DataSet) -> None:
    losses = [
        row.train_loss for seed in (0, 1) for row in trained(("model.dropout=0.5", f"seed={seed}"), mnist, "cuda")[0]
    ]
    assert len(set(losses)) == 4


def test_a_device_by_its_number(mnist: DataSet) -> None:
    history, _, _ = trained((), mnist, "cuda:0")
    assert len(history) == 2
    assert peak_memory_mib(torch.device("cuda:0")) is not None
    with pytest.raises(ConfigError, match="cuda:99"):
        resolve_device("cuda:99")


def test_a_full_card_is_one_line(mnist: DataSet) -> None:
    free, _ = torch.cuda.mem_get_info()
    filling = torch.empty(free - 2**29, dtype=torch.uint8, device="cuda")
    with pytest.raises(MemoryExhaustedError) as caught, out_of_memory_as_error():
        trained(("training.batch_size=50000", "data.train_fraction=1", "model.hidden_size=512"), mnist, "cuda")
    assert "\n" not in str(caught.value)
    del filling
    torch.cuda.empty_cache()
    trained((), mnist, "cuda")  # what the failed one had is free again
