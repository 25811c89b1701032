"""Whole commands of this code and of an earlier commit's, in turn on one machine: how many times as fast is it now?"""

import csv
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

REPOSITORY = Path(__file__).parents[2]
TRAIN = ("-m", "rnn_mnist.train")
_TUTORIAL_SWEEP = ("optimizer.lr=0.01", "data.validation_size=0", "training.epochs=1")
_NOTHING = (
    "no_op.py", "-m", "hydra.launcher.preload=[]", "hydra.launcher.on_job_end=null", "hydra.launcher.on_sweep_end=null",
)  # fmt: skip
_FEW, _MANY = 4, 44


def _wall(_: Path, seconds: float) -> float:
    return seconds


def _per_job(_: Path, seconds: float) -> float:
    return seconds / (_MANY - _FEW)


def _best_epoch(folder: Path, _: float) -> float:
    """Seconds of the fastest epoch of the one run in a folder."""
    (path,) = folder.glob("outputs/single/*/metrics.csv")
    with path.open(encoding="utf-8") as file:
        return min(float(row["epoch_seconds"]) for row in csv.DictReader(file))


@dataclass(frozen=True)
class Timed:
    """A command that is timed.

    Attributes:
        name: what the table calls it.
        arguments: of the Python interpreter.
        seconds: from the folder that it ran in, and the seconds that it took, to what is compared.
        less: another command, whose seconds are taken off.
        beside: so many processes that hold a core each meanwhile.
    """

    name: str
    arguments: tuple[str, ...]
    seconds: Callable[[Path, float], float] = _wall
    less: tuple[str, ...] | None = None
    beside: int = 0


def _epochs(name: str, *overrides: str) -> Timed:
    arguments = (*TRAIN, "training.epochs=3", "data.train_fraction=0.1", "training.batch_size=128", *overrides)
    return Timed(f"epoch of 5,500 images, {name}", arguments, _best_epoch)


def _sweep(name: str, layers: int, hidden_size: int, fraction: float) -> Timed:
    overrides = (
        "-m", "seed=range(8)", f"model.num_layers={layers}", f"model.hidden_size={hidden_size}", *_TUTORIAL_SWEEP,
        f"data.train_fraction={fraction}", "hydra.launcher.on_sweep_end=null",
    )  # fmt: skip
    return Timed(f"8 runs of an epoch, {name}", (*TRAIN, *overrides))


SUBJECTS: dict[str, tuple[Timed, ...]] = {
    "start": (
        Timed("--help", (*TRAIN, "--help")),
        Timed("a dry run of 6", (*TRAIN, "-m", "model.num_layers=1,2,3", "seed=0,1", "hydra.launcher.dry_run=true")),
        Timed("explain", ("-m", "rnn_mnist.explain")),
        Timed("plot --help", (str(Path("scripts") / "plot.py"), "--help")),
        Timed("compare --help", (str(Path("scripts") / "compare.py"), "--help")),
        Timed("a run, LSTM 1x32, 1 epoch", (*TRAIN, "training.epochs=1", "model.hidden_size=32", "model.num_layers=1")),
    ),
    "step": (
        _epochs("LSTM 2x128, 1 thread", "training.threads=1"),
        _epochs("LSTM 2x128", "training.threads=2"),
        _epochs("LSTM 1x32, 1 thread", "training.threads=1", "model.num_layers=1", "model.hidden_size=32"),
        _epochs("GRU 2x128, 1 thread", "training.threads=1", "model=gru"),
        _epochs("RNN 2x128, 1 thread", "training.threads=1", "model=rnn"),
    ),
    "sweep": (
        _sweep("LSTM 1x32", 1, 32, 1.0),
        _sweep("LSTM 2x128", 2, 128, 1.0),
        Timed("the quick start's sweep", (*TRAIN, "-m", "model.num_layers=1,2,3")),
    ),
    "busy": tuple(
        replace(timed, name=f"{timed.name}, beside 3 busy processes", beside=3)
        for timed in (
            _epochs("LSTM 2x128", "training.threads=2"),
            _epochs("LSTM 1x32", "training.threads=2", "model.num_layers=1", "model.hidden_size=32"),
        )
    ),
    "overhead": (
        Timed(
            "a job that does nothing", (*_NOTHING, f"seed=range({_MANY})"), _per_job, (*_NOTHING, f"seed=range({_FEW})")
        ),
    ),
}


def compare(commit: str, subjects: Sequence[str], rounds: int) -> None:
    """Time every command of the subjects in both codes, ``rounds`` times in turn, and print a table as it grows."""
    print(f"seconds, lowest / median / highest of {rounds} in turn; ratio of the medians\n")
    print(f"| command | {commit} | now | times as fast |\n|---|---|---|---|", flush=True)
    with _checked_out(commit) as earlier:
        for subject in subjects:
            for timed in SUBJECTS[subject]:
                before, now = [], []
                for _ in range(rounds):
                    before.append(_measure(timed, earlier))
                    now.append(_measure(timed, REPOSITORY))
                ratio = median(before) / median(now)
                print(f"| {timed.name} | {_spread(before)} | {_spread(now)} | {ratio:.2f} |", flush=True)


@contextmanager
def _checked_out(commit: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "code"
        git = ["git", "-C", str(REPOSITORY), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(place), commit], check=True)
        try:
            yield place
        finally:
            subprocess.run([*git, "remove", "--force", str(place)], check=True)


def _measure(timed: Timed, code: Path) -> float:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "no_op.py").write_text(_program_that_does_nothing(code), encoding="utf-8")
        busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(timed.beside)]
        try:
            taken = _run(timed.arguments, code, folder)
            if timed.less is not None:
                taken -= _run(timed.less, code, folder)
        finally:
            for process in busy:
                process.kill()
                process.wait()
        return timed.seconds(Path(folder), taken)


def _program_that_does_nothing(code: Path) -> str:
    """As that code's own benchmark has it: modules have other names now."""
    found = re.search(r'APP = """(.*?)"""', (code / "scripts" / "benchmarks" / "overhead.py").read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def _run(arguments: Sequence[str], code: Path, folder: str) -> float:
    # Without site, whose path files may name the code that is installed here.
    packages = [path for path in sys.path if Path(path).name == "site-packages"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(code), *packages])}
    script = [str(code / part) if part.startswith("scripts") else part for part in arguments]
    start = time.perf_counter()
    subprocess.run([sys.executable, "-S", *script], cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


def _spread(seconds: Sequence[float]) -> str:
    digits = 3 if median(seconds) < 0.1 else 2 if median(seconds) < 10 else 1
    return " / ".join(f"{each:.{digits}f}" for each in (min(seconds), median(seconds), max(seconds)))
