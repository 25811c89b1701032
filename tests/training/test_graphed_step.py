"""When a step becomes a CUDA graph, and what becomes of its memory; what a graph computes is tested in tests/gpu."""

import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest.mock import MagicMock

import pytest
import torch
from torch import Tensor

from rnn_mnist.data.augmentation import Moves
from rnn_mnist.data.images import DataSet
from rnn_mnist.training import trainer
from rnn_mnist.training.graphed_step import GraphedStep, can_be_graphed, optimizer_can_be_graphed
from rnn_mnist.training.trainer import Trainer
from tests.training.test_trainer import CPU, configure

CUDA = torch.device("cuda")
BATCH = 4


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["model=gru", "model.dropout=0.5"],
        ["training.precision=bf16"],
        ["data.augmentation.max_shift=2"],
        ["optimizer=rmsprop"],
        ["experiment=depth"],
        ["sequence=permuted_pixels"],
    ],
)
def test_what_is_the_same_work_in_each_step_is_graphed(overrides: list[str]) -> None:
    assert can_be_graphed(configure(*overrides), CUDA)
    assert not can_be_graphed(configure(*overrides), CPU)


@pytest.mark.parametrize(
    "overrides",
    [
        ["training.cuda_graphs=false"],
        ["sequence=random_length"],
        ["model.proj_size=4"],
    ],
)
def test_what_is_not_runs_as_it_is(overrides: list[str]) -> None:
    assert not can_be_graphed(configure(*overrides), CUDA)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], True),
        (["optimizer=sgd", "schedule=cosine"], True),
        (["schedule=one_cycle", "schedule.cycle_momentum=false"], True),
        (["schedule=one_cycle"], False),
        (["optimizer=rmsprop"], False),
    ],
)
def test_an_optimizer_that_a_graph_would_freeze_follows_it(overrides: list[str], expected: bool) -> None:
    assert optimizer_can_be_graphed(configure(*overrides)) == expected


class Recorder:
    """Stands in for CUDA: notes which steps ran as they are, were captured and were replayed, and on which images."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, free: int, with_optimizer: bool = True) -> None:
        self.seen: list[str] = []
        self.steps: list[tuple[float, float]] = []
        """The learning rate and the gradient of each of the optimizer's steps."""
        self._capturing = False
        self._captured_rate: Tensor | None = None
        self._captured: tuple[Tensor, Tensor] | None = None
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self._optimizer = torch.optim.SGD([self.weight], lr=0.5)
        monkeypatch.setattr(self._optimizer, "step", self._optimizer_step)
        monkeypatch.setattr(torch.cuda, "Stream", MagicMock())
        monkeypatch.setattr(torch.cuda, "current_stream", MagicMock())
        monkeypatch.setattr(torch.cuda, "stream", lambda _: nullcontext())
        monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: MagicMock(replay=self._replay))
        monkeypatch.setattr(torch.cuda, "graph", self._capture)
        monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: 100)
        monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 60)
        monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 110)
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 1000))
        self._graphed = GraphedStep(self._optimizer, BATCH, CPU, with_optimizer=with_optimizer)

    def run(self, sizes: list[int]) -> list[str]:
        """How each of the steps ran; its images, its learning rate and its gradient are all its number."""
        with self._graphed.epoch(self._make_gradients) as do_step:
            for number, size in enumerate(sizes):
                self._optimizer.param_groups[0]["lr"] = float(number)
                do_step(torch.full((size,), number), None)
                assert self._optimizer.param_groups[0]["lr"] == number
                assert isinstance(self._optimizer.param_groups[0]["lr"], float)
        assert self.steps == [(float(number), float(number)) for number in range(len(sizes))]
        return self.seen

    def _make_gradients(self, indices: Tensor, _: Moves | None) -> None:
        self.weight.grad = indices[:1].float()
        if self._capturing:
            self._captured = indices, self.weight.grad
        self.seen.append("captured" if self._capturing else "as it is")

    def _optimizer_step(self) -> None:
        rate = self._optimizer.param_groups[0]["lr"]
        if self._capturing:
            self._captured_rate = rate
        else:
            assert self.weight.grad is not None
            self.steps.append((float(rate), float(self.weight.grad)))

    @contextmanager
    def _capture(self, *_: Any, **__: Any) -> Iterator[None]:
        self._capturing = True
        yield
        self._capturing = False

    def _replay(self) -> None:
        assert self._captured is not None
        indices, gradient = self._captured
        gradient.copy_(indices[:1])  # where it was, whatever the weight has for a gradient now
        self.seen.append("replayed")
        if self._captured_rate is not None:
            self.steps.append((float(self._captured_rate), float(gradient)))


@pytest.mark.parametrize("with_optimizer", [True, False])
def test_a_full_batch_is_replayed_on_its_own_images_at_its_own_learning_rate(
    with_optimizer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(monkeypatch, free=200, with_optimizer=with_optimizer)
    kinds = recorder.run([BATCH, BATCH, BATCH, BATCH, BATCH, BATCH - 1, BATCH])
    assert kinds == ["as it is"] * 3 + ["captured", "replayed", "replayed", "as it is", "replayed"]


def test_a_step_that_a_card_has_no_room_for_twice_is_not_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Recorder(monkeypatch, free=151).run([BATCH] * 5)[-1] == "replayed"  # 201 of at most 100
    assert Recorder(monkeypatch, free=150).run([BATCH] * 5) == ["as it is"] * 5


def test_a_graphed_run_is_gone_as_soon_as_nobody_has_it(mnist: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its images and its graph stay on the card while the next run begins."""
    monkeypatch.setattr(torch.cuda, "Stream", MagicMock())
    monkeypatch.setattr(trainer, "can_be_graphed", lambda *_: True)
    Trainer(configure(), mnist, CPU)  # the first imports PyTorch's compiler
    gc.collect()
    gc.disable()
    try:
        run = Trainer(configure(), mnist, CPU)
        there = weakref.ref(run)
        del run
        assert there() is None
    finally:
        gc.enable()
