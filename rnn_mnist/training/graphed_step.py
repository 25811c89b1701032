"""Training steps as one CUDA graph: Python takes milliseconds to launch what a GPU computes in a fraction of one.

The first steps run as they are, and make what has to be there before a capture: optimizer state, cuDNN's and cuBLAS's
handles (docs.pytorch.org, "CUDA Graphs"). Then one step is captured, and every further one of the same size replays it
on new data. ``python scripts/benchmark.py gpu`` measures what that brings.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from rnn_mnist.catalogues.optimizers import OPTIMIZERS
from rnn_mnist.catalogues.sequences import SEQUENCES
from rnn_mnist.configuration.schema import Config
from rnn_mnist.data.augmentation import Moves
from rnn_mnist.network.cudnn import CudnnCall

_EAGER_STEPS = 3

Step = Callable[[Tensor, Moves | None], None]
"""Works on images by their indices, ``[batch]``, each moved as ``[batch, 2, 3]`` or None says; both on the device."""


def can_be_graphed(config: Config, device: torch.device) -> bool:
    """Whether the steps of a configuration are always the same work at the same places in memory.

    Not where sequences are packed, whose lengths decide what is launched, or with a module that may do anything; nor
    with augmentations beyond shift, rotation and scale.
    """
    return (
        device.type == "cuda"
        and config.training.cuda_graphs
        and SEQUENCES[config.sequence.kind].lengths is None
        and CudnnCall.can_call(config.model)
        and not (config.data.augmentation.elastic or config.data.augmentation.row_dropout)
    )


def optimizer_can_be_graphed(config: Config) -> bool:
    """Whether the optimizer's step can be part of the graph too; else it follows the graph as it is.

    Not where a schedule changes more than the learning rate, as the momentum of ``one_cycle``: a graph would keep what
    it was captured with. Nor where the optimizer counts its steps on the CPU.
    """
    optimizer, schedule = OPTIMIZERS[config.optimizer.name], config.schedule
    cycled = bool(getattr(schedule, "cycle_momentum", False)) and optimizer.cycled is not None
    return bool(optimizer.constants.get("fused")) and not cycled


class GraphedStep:
    """Runs training steps of one size, the first few as they are and then as a graph, if the device has room for it."""

    def __init__(
        self, optimizer: torch.optim.Optimizer, batch_size: int, device: torch.device, *, with_optimizer: bool
    ) -> None:
        """Graph steps of ``batch_size`` images, with or without that of ``optimizer``.

        Batches of another size always run as they are.
        """
        self._optimizer, self._batch_size, self._device = optimizer, batch_size, device
        self._with_optimizer = with_optimizer
        self._gradients: list[tuple[Tensor, Tensor | None]] = []
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._eager_left = _EAGER_STEPS
        self._graph: torch.cuda.CUDAGraph | None = None
        self._has_room: bool | None = None
        # A graph reads from the same places each time.
        self._learning_rate = torch.zeros((), device=device)
        self._indices = torch.zeros(batch_size, dtype=torch.int64, device=device)
        self._moves = torch.zeros(batch_size, 2, 3, device=device)

    @contextmanager
    def epoch(self, step: Step) -> Iterator[Step]:
        """What does the steps of an epoch: ``step`` makes the gradients, and then the optimizer steps.

        They run on one stream, captured or not, because a capture wants one that is no other's. ``step`` is not kept:
        whoever has it usually has this object, and a cycle would hold a run's memory until Python looks for cycles.
        """
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        try:
            with torch.cuda.stream(self._stream):
                yield lambda indices, moves: self._do(step, indices, moves)
        finally:
            current.wait_stream(self._stream)

    def _do(self, step: Step, indices: Tensor, moves: Moves | None) -> None:
        if self._with_optimizer:
            self._learning_rate.fill_(self._optimizer.param_groups[0]["lr"])
        if len(indices) != self._batch_size or self._eager_left > 0 or not self._may_capture():
            self._eager_left -= len(indices) == self._batch_size
            step(indices, moves)
            with self._on_device():
                self._optimizer.step()
            return
        self._indices.copy_(indices)
        if moves is not None and moves.affine is not None:
            self._moves.copy_(moves.affine)
        if self._graph is None:
            graph = torch.cuda.CUDAGraph()
            with self._on_device(), torch.cuda.graph(graph, stream=self._stream):
                step(self._indices, None if moves is None else Moves(self._moves))
                if self._with_optimizer:
                    self._optimizer.step()
            self._graph = graph
            parameters = [parameter for group in self._optimizer.param_groups for parameter in group["params"]]
            self._gradients = [(parameter, parameter.grad) for parameter in parameters]
        self._graph.replay()
        if not self._with_optimizer:
            # A batch that ran as it is has put its own in their place.
            for parameter, gradient in self._gradients:
                parameter.grad = gradient
            self._optimizer.step()

    def _may_capture(self) -> bool:
        """Whether there is room, as is decided once.

        A graph keeps the memory of a whole step to itself, beside what the last batch and an evaluation take. A network
        that nearly fills a card is not kept waiting by Python anyway.
        """
        if self._has_room is None:
            self._has_room = 2 * torch.cuda.max_memory_allocated(self._device) < _free_memory(self._device)
        return self._has_room

    @contextmanager
    def _on_device(self) -> Iterator[None]:
        """Have a captured optimizer read its learning rate from the device, always, so that it rounds alike."""
        if not self._with_optimizer:
            yield
            return
        before = [dict(group) for group in self._optimizer.param_groups]
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate
            if "capturable" in group:
                group["capturable"] = True
        try:
            yield
        finally:
            for group, values in zip(self._optimizer.param_groups, before, strict=True):
                group["lr"] = values["lr"]
                if "capturable" in group:
                    group["capturable"] = values["capturable"]


def _free_memory(device: torch.device) -> int:
    """Bytes that this process could still allocate there: what nobody has, and what PyTorch keeps without using it."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
