"""All that has to be known of a GPU: is it right, how fast is a step, how many runs share a card well?

The report is written anew after each part, so that a command that is cut off has told what it knew.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from statistics import median
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from benchmarks.tutorial import TutorialLoop
from rnn_mnist.catalogues.cells import CELLS
from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.data.files import data_root
from rnn_mnist.data.images import DataSet, LabelledImages, load_data_set
from rnn_mnist.training.execution import autocast, execution
from rnn_mnist.training.trainer import Trainer

REPOSITORY = Path(__file__).parents[2]
BATCH_SIZE, STEPS, STEPS_PER_EPOCH = 128, 40, 469
DEVICE = torch.device("cuda")
SIZES = ((1, 32), (2, 128), (2, 512))
PRECISIONS = ("fp32", "tf32", "bf16")
RUNS = 16


@dataclass(frozen=True)
class Subject:
    """A configuration whose steps are timed."""

    name: str
    overrides: tuple[str, ...]

    @classmethod
    def network(cls, cell: str, layers: int, hidden_size: int, *more: str) -> "Subject":
        """``LSTM 2x128`` and what else it is."""
        name = " ".join([f"{cell.upper()} {layers}x{hidden_size}", *more])
        return cls(name, (f"model={cell}", f"model.num_layers={layers}", f"model.hidden_size={hidden_size}", *more))


class Report:
    """Markdown that grows; printed, and kept in a file."""

    def __init__(self, path: Path | None) -> None:
        """``path`` is written after each part."""
        self._path, self._lines = path, [""]

    def add(self, *lines: str) -> None:
        """Lines of the report."""
        self._lines += lines
        print(*lines, sep="\n", flush=True)
        if self._path is not None:
            self._path.write_text("\n".join(self._lines) + "\n", encoding="utf-8")


def measure(path: Path | None, parts: list[str], rounds: int) -> None:
    """Run the parts (see :data:`PARTS`) and write the report.

    Raises:
        SystemExit: if there is no NVIDIA GPU.
    """
    if not torch.cuda.is_available():
        sys.exit("error: PyTorch sees no NVIDIA GPU here")
    report = Report(path)
    cudnn: Any = torch.backends.cudnn
    report.add(
        f"{torch.cuda.get_device_name()}, {os.cpu_count()} CPU cores, PyTorch {torch.__version__}, "
        f"CUDA {torch.version.cuda}, cuDNN {cudnn.version()}.",
    )
    for part in parts or list(PARTS):
        begun = time.perf_counter()
        report.add("", f"### {PARTS[part][0]}", "")
        try:
            PARTS[part][1](report, rounds)
        except Exception as error:
            report.add(f"{part} ended with {type(error).__name__}: {error}")
        report.add("", f"({time.perf_counter() - begun:.0f} s)")


def _correctness(report: Report, _: int) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", "tests/gpu"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=240)
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    report.add(f"`pytest -m gpu`: {done.stdout.strip().splitlines()[-1]}", *failed)


def _steps(report: Report, rounds: int) -> None:
    report.add(
        f"Milliseconds a step of {BATCH_SIZE} images, lowest / median / highest of {rounds} rounds of {STEPS} steps in "
        "turn. Ratio: the tutorial's loop to fp32, by the medians. Kernels alone: the graph of a step replayed on one "
        "batch, in fp32.",
        "",
        "| network | fp32 | tf32 | bf16 | fp32, cuda_graphs=false | tutorial's loop | ratio | kernels alone |",
        f"|---|{'---|' * 7}",
    )
    for layers, hidden_size in SIZES:
        for cell in ("lstm", "gru", "rnn"):
            subject = Subject.network(cell, layers, hidden_size)
            loops = _loops(subject, PRECISIONS) | {"eager": _loop(subject, "fp32", "training.cuda_graphs=false")}
            times = _interleaved(rounds, loops)
            times |= _interleaved(max(1, rounds // 2), {"tutorial": _tutorial(cell, layers, hidden_size)})
            times |= _interleaved(rounds, {"graph": _graph(subject)})
            cells = [_spread(times[name]) for name in (*PRECISIONS, "eager", "tutorial")]
            ratio = median(times["tutorial"]) / median(times["fp32"])
            report.add(f"| {subject.name} | {' | '.join(cells)} | {ratio:.1f} | {_spread(times['graph'])} |")


def _pixels(report: Report, rounds: int) -> None:
    report.add("784 steps of one pixel, milliseconds a step.", "", f"| network | {' | '.join(PRECISIONS)} |")
    report.add(f"|---|{'---|' * len(PRECISIONS)}")
    for cell in ("lstm", "gru", "rnn"):
        subject = Subject.network(cell, 1, 128, "sequence=pixels")
        times = _interleaved(max(1, rounds // 2), _loops(subject, PRECISIONS, steps=10))
        report.add(f"| {subject.name} | {' | '.join(_spread(times[precision]) for precision in PRECISIONS)} |")


def _optimizer_outside(report: Report, rounds: int) -> None:
    report.add(
        "Where the graph makes the gradients alone and the optimizer's step follows it; milliseconds a step.",
        "",
        "| network | fp32 | fp32, cuda_graphs=false | times as fast |",
        "|---|---|---|---|",
    )
    for options in (("schedule=one_cycle",), ("optimizer=rmsprop",)):
        for layers, hidden_size in SIZES[:2]:
            subject = Subject.network("lstm", layers, hidden_size, *options)
            eager = _loop(subject, "fp32", "training.cuda_graphs=false")
            times = _interleaved(rounds, {"graph": _loop(subject, "fp32"), "eager": eager})
            ratio = median(times["eager"]) / median(times["graph"])
            report.add(f"| {subject.name} | {_spread(times['graph'])} | {_spread(times['eager'])} | {ratio:.1f} |")


def _cudnn(report: Report, rounds: int) -> None:
    report.add(
        "Where cuDNN, as PyTorch's modules call it, does not do what is asked for, PyTorch's own kernels took its "
        "place before; milliseconds a step.",
        "",
        "| network | PyTorch's own kernels | now | times as fast |",
        "|---|---|---|---|",
    )
    for subject in (
        Subject.network("lstm", 2, 128, "model.dropout=0.3"),
        Subject.network("gru", 2, 128, "model.dropout=0.3"),
        Subject.network("lstm", 2, 512, "training.precision=bf16"),
        Subject.network("lstm", 2, 128, "model.dropout=0.3", "sequence=random_length"),
    ):
        before = _interleaved(
            max(1, rounds // 3), {"": _loop(subject, "fp32", "training.cuda_graphs=false", native=True)}
        )
        now = _interleaved(rounds, {"": _loop(subject, "fp32")})
        ratio = median(before[""]) / median(now[""])
        report.add(f"| {subject.name} | {_spread(before[''])} | {_spread(now[''])} | {ratio:.1f} |")


def _sharing(report: Report, _: int) -> None:
    report.add(
        f"{RUNS} runs of LSTM 1x32, one epoch of 60,000 images, the test and the program's start included.",
        "",
        "| jobs on the card | seconds | runs an hour | GPU busy |",
        "|---|---|---|---|",
    )
    for jobs in (1, 2, 4, 8, 16):
        _share(report, jobs, "")
    with _mps() as there:
        if not there:
            report.add("", "No MPS server could be started here.")
            return
        for jobs in (4, 8, 16):
            _share(report, jobs, " with MPS")


def _share(report: Report, jobs: int, how: str) -> None:
    overrides = [
        f"seed=range({RUNS})", "model.num_layers=1", "model.hidden_size=32", "training.epochs=1",
        f"hydra.launcher.jobs_per_device={jobs}",
    ]  # fmt: skip
    seconds, busy = _sweep(overrides)
    report.add(f"| {jobs}{how} | {seconds:.1f} | {3600 * RUNS / seconds:.0f} | {busy} |")


def _quick_start(report: Report, _: int) -> None:
    seconds, busy = _sweep(["model.num_layers=1,2,3"])
    report.add(f"`python -m rnn_mnist.train -m model.num_layers=1,2,3`: {seconds:.1f} s, GPU busy {busy}.")


PARTS: dict[str, tuple[str, Callable[[Report, int], None]]] = {
    "correctness": ("Correctness", _correctness),
    "steps": ("Steps", _steps),
    "optimizer_outside": ("Steps whose optimizer is not in the graph", _optimizer_outside),
    "cudnn": ("bf16 and repeatable dropout on cuDNN", _cudnn),
    "pixels": ("Long sequences", _pixels),
    "quick_start": ("The quick start's sweep", _quick_start),
    "sharing": ("Runs that share a card", _sharing),
}


def _interleaved(rounds: int, loops: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Seconds a step of each loop in each round, after one that warms up."""
    times: dict[str, list[float]] = {name: [] for name in loops}
    for number in range(rounds + 1):
        for name, loop in loops.items():
            seconds = loop()
            if number > 0:
                times[name].append(seconds)
    return times


def _loops(subject: Subject, precisions: tuple[str, ...], steps: int = STEPS) -> dict[str, Callable[[], float]]:
    return {precision: _loop(subject, precision, steps=steps) for precision in precisions}


def _trainer(subject: Subject, precision: str, steps: int, *more: str) -> Trainer:
    overrides = [
        f"training.batch_size={BATCH_SIZE}", "data.validation_size=0", "training.device=cuda", "training.epochs=1000",
        "optimizer.lr=0.001", *more,
    ]  # fmt: skip
    if not any(override.startswith("training.precision") for override in subject.overrides):
        overrides.append(f"training.precision={precision}")
    config = compose_checked([*overrides, *subject.overrides]).config
    whole = load_data_set("mnist", data_root(None))
    count = steps * BATCH_SIZE
    part = LabelledImages(whole.train.images[:count], whole.train.labels[:count])
    return Trainer(config, DataSet(part, whole.test, whole.checksum), DEVICE)


def _loop(
    subject: Subject, precision: str, *more: str, native: bool = False, steps: int = STEPS
) -> Callable[[], float]:
    """Seconds a step of the harness itself; ``native``: without cuDNN."""
    trainer = _trainer(subject, precision, steps, *more)
    if native:
        trainer.model.cudnn = None

    def run() -> float:
        with execution(trainer.config, DEVICE):
            enabled = torch.backends.cudnn.enabled
            torch.backends.cudnn.enabled = enabled and not native
            try:
                torch.cuda.synchronize()
                start = time.perf_counter()
                trainer.train_epoch()
                torch.cuda.synchronize()
                return (time.perf_counter() - start) / steps
            finally:
                torch.backends.cudnn.enabled = enabled

    return run


def _tutorial(cell: str, layers: int, hidden_size: int) -> Callable[[], float]:
    loop = TutorialLoop(
        data_root(None),
        cell=resolve_name(CELLS[cell].module),
        hidden_size=hidden_size,
        num_layers=layers,
        train_images=STEPS * BATCH_SIZE,
    )
    return lambda: loop.train_epoch() / STEPS


def _graph(subject: Subject) -> Callable[[], float]:
    """Seconds of the kernels of one step, captured and replayed."""
    trainer = _trainer(subject, "fp32", 1)
    model = trainer.model
    parameters = list(model.parameters())
    optimizer = torch.optim.Adam(parameters, lr=0.001, capturable=True, foreach=True)
    images = torch.rand(BATCH_SIZE, 28, 28, device=DEVICE)
    labels = torch.randint(0, 10, (BATCH_SIZE,), device=DEVICE)

    def step() -> None:
        with autocast(trainer.config.training.precision, DEVICE):
            loss = functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        optimizer.step()

    with execution(trainer.config, DEVICE):
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()

    def replay() -> float:
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(STEPS):
            graph.replay()
        torch.cuda.synchronize()
        return (time.perf_counter() - start) / STEPS

    return replay


def _sweep(overrides: list[str]) -> tuple[float, str]:
    """Seconds of a whole command, and how busy the card was."""
    with tempfile.TemporaryDirectory() as folder, _utilization() as samples:
        command = [sys.executable, "-m", "rnn_mnist.train", "-m", "hydra.launcher.on_sweep_end=null", *overrides]
        start = time.perf_counter()
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=200
        )
        if done.returncode != 0:
            raise RuntimeError((done.stdout + done.stderr)[-600:])
        seconds = time.perf_counter() - start
    return seconds, f"{median(samples):.0f} % (highest {max(samples)} %)" if samples else "?"


@contextmanager
def _utilization() -> Iterator[list[int]]:
    """Samples of the share of time in which a kernel ran, per cent, every half second."""
    samples: list[int] = []
    done = threading.Event()

    def sample() -> None:
        command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
        while not done.wait(0.5):
            told = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
            samples.extend(int(number) for number in told[:1] if number.isdecimal())

    thread = threading.Thread(target=sample)
    if shutil.which("nvidia-smi"):
        thread.start()
    try:
        yield samples
    finally:
        done.set()
        if thread.ident is not None:
            thread.join()


@contextmanager
def _mps() -> Iterator[bool]:
    """NVIDIA's Multi-Process Service while the context lasts; whether it is there."""
    control = shutil.which("nvidia-cuda-mps-control")
    if control is None:
        yield False
        return
    with tempfile.TemporaryDirectory() as folder:
        places = {"CUDA_MPS_PIPE_DIRECTORY": folder, "CUDA_MPS_LOG_DIRECTORY": folder}
        os.environ.update(places)
        started = subprocess.run([control, "-d"], check=False).returncode == 0
        try:
            yield started
        finally:
            subprocess.run([control], input="quit\n", text=True, check=False)
            for name in places:
                del os.environ[name]


def _spread(seconds: list[float]) -> str:
    return " / ".join(f"{1000 * each:.2f}" for each in (min(seconds), median(seconds), max(seconds)))
