"""How long does an epoch take: ours, the tutorial's, and the arithmetic alone? In one process, taken in turn."""

import time
from dataclasses import dataclass
from pkgutil import resolve_name
from statistics import median

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks.tutorial import TutorialLoop
from rnn_mnist.catalogues.cells import CELLS
from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.data.files import data_root
from rnn_mnist.data.images import DataSet, LabelledImages, load_data_set
from rnn_mnist.training.execution import describe_device, execution, resolve_device
from rnn_mnist.training.trainer import Trainer

BATCH_SIZE = 128
STEPS_PER_EPOCH = 469  # 60,000 images in batches of 128
TIME_STEPS = FEATURES = 28


@dataclass(frozen=True)
class Network:
    """One network that is timed."""

    cell: str
    num_layers: int
    hidden_size: int

    def __str__(self) -> str:
        """``LSTM 2x128``."""
        return f"{self.cell.upper()} {self.num_layers}x{self.hidden_size}"


NETWORKS = (Network("lstm", 2, 128), Network("lstm", 1, 32), Network("gru", 2, 128), Network("rnn", 2, 128))


class Floor:
    """The matrix multiplications, sigmoids and tanhs of one training step and nothing else.

    Forward and backward products of every layer, with what can be done for all time steps at once (inputs, weight
    gradients) done at once; no elementwise products, no autograd, no optimizer, memory allocated beforehand.
    """

    def __init__(self, network: Network, device: torch.device) -> None:
        """Allocate operands and results."""
        self.network, hidden, rows = network, network.hidden_size, TIME_STEPS * BATCH_SIZE
        gates = CELLS[network.cell].gates * hidden
        inputs = [FEATURES] + [hidden] * (network.num_layers - 1)

        def make(*shape: int) -> Tensor:
            return torch.rand(shape, device=device)

        self.layers = [
            {
                "x": make(rows, size),
                "w_ih": make(size, gates),
                "w_hh": make(hidden, gates),
                "gates": make(TIME_STEPS, BATCH_SIZE, gates),
                "h": make(TIME_STEPS, BATCH_SIZE, hidden),
                "dw_ih": make(size, gates),
                "dw_hh": make(hidden, gates),
                "dx": make(rows, size),
            }
            for size in inputs
        ]

    def step(self) -> None:
        """One training step's arithmetic."""
        with torch.no_grad():
            for index, layer in enumerate(self.layers):
                flat_gates, flat_h = layer["gates"].flatten(0, 1), layer["h"].flatten(0, 1)
                torch.mm(layer["x"], layer["w_ih"], out=flat_gates)
                for gates, h in zip(layer["gates"], layer["h"], strict=True):
                    torch.mm(h, layer["w_hh"], out=gates)
                    self._activate(gates, h)
                for gates, h in zip(layer["gates"], layer["h"], strict=True):
                    torch.mm(gates, layer["w_hh"].T, out=h)
                torch.mm(flat_h.T, flat_gates, out=layer["dw_hh"])
                torch.mm(layer["x"].T, flat_gates, out=layer["dw_ih"])
                if index > 0:
                    torch.mm(flat_gates, layer["w_ih"].T, out=layer["dx"])

    def _activate(self, gates: Tensor, h: Tensor) -> None:
        hidden = self.network.hidden_size
        match self.network.cell:
            case "rnn":
                gates.tanh_()
            case "gru":
                gates[:, : 2 * hidden].sigmoid_()
                gates[:, 2 * hidden :].tanh_()
            case "lstm":
                gates[:, : 3 * hidden].sigmoid_()
                gates[:, 3 * hidden :].tanh_()
                h.tanh_()


def compare(steps: int, rounds: int, threads: int | None) -> None:
    """Time ``rounds`` rounds of ``steps`` training steps of each network and print a table of epochs."""
    if threads is not None:
        torch.set_num_threads(threads)
    root = data_root(None)
    device = resolve_device("auto")
    data = load_data_set(compose_checked([]).config.data.name, root)
    images = steps * BATCH_SIZE
    part = DataSet(LabelledImages(data.train.images[:images], data.train.labels[:images]), data.test, data.checksum)
    table = Table(
        title=f"Seconds per epoch of 60,000 images, median of {rounds} rounds of {steps} steps (lowest to highest)",
        caption=f"{describe_device(device)}, {torch.get_num_threads()} thread(s), PyTorch {torch.__version__}",
    )
    for column in ("network", "ours", "tutorial's loop", "ratio", "floor", "ours / floor"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for network in NETWORKS:
        ours, tutorial, floor = _time(network, part, steps, rounds, device)
        ratio = median(theirs / own for own, theirs in zip(ours, tutorial, strict=True))
        table.add_row(
            str(network),
            _spread(ours),
            _spread(tutorial),
            f"{ratio:.2f}x",
            _spread(floor),
            f"{median(ours) / median(floor):.2f}x",
        )
    Console(width=120).print(table)


def _time(
    network: Network, data: DataSet, steps: int, rounds: int, device: torch.device
) -> tuple[list[float], list[float], list[float]]:
    """Seconds per epoch of each round: ours, the tutorial's loop, the floor."""
    config = compose_checked(
        [
            f"model={network.cell}",
            f"model.num_layers={network.num_layers}",
            f"model.hidden_size={network.hidden_size}",
            f"training.batch_size={BATCH_SIZE}",
            "data.validation_size=0",
        ]
    ).config
    tutorial_loop = TutorialLoop(
        data_root(None),
        cell=resolve_name(CELLS[network.cell].module),
        hidden_size=network.hidden_size,
        num_layers=network.num_layers,
        train_images=steps * BATCH_SIZE,
    )
    floor = Floor(network, device)
    ours_seconds, tutorial_seconds, floor_seconds = [], [], []
    trainer = Trainer(config, data, device)
    for round_number in range(rounds + 1):
        with execution(config, device):  # for our own part alone: the others run as PyTorch comes
            start = time.perf_counter()
            trainer.train_epoch()
            ours = time.perf_counter() - start
        tutorial = tutorial_loop.train_epoch()
        start = time.perf_counter()
        for _ in range(steps):
            floor.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        alone = time.perf_counter() - start
        if round_number > 0:  # the first round warms up
            ours_seconds.append(ours / steps * STEPS_PER_EPOCH)
            tutorial_seconds.append(tutorial / steps * STEPS_PER_EPOCH)
            floor_seconds.append(alone / steps * STEPS_PER_EPOCH)
    return ours_seconds, tutorial_seconds, floor_seconds


def _spread(seconds: list[float]) -> str:
    return f"{median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"
