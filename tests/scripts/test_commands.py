"""plot.py, report.py and the end of a sweep as a user meets them: real processes, where torch cannot be imported."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnn_mnist.analysis.plots.figures import KINDS
from tests.conftest import REPOSITORY
from tests.synthetic_sweep import write_sweep

LAYERS = "model.num_layers"

# Run by the interpreter at its start: whatever imports torch ends there.
_NO_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision"):
            raise ImportError(f"{name}: not in this environment")

sys.meta_path.insert(0, NoTorch())
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("outputs") / "depth"
    directory.mkdir()
    write_sweep(directory, {LAYERS: [1, 2]}, seeds=range(3), states={1: "failed"})
    return directory


@pytest.fixture
def depth(written: Path, tmp_path: Path) -> Path:
    """Two depths, three seeds, one failed run; a copy of its own for each test."""
    return shutil.copytree(written, tmp_path / "outputs" / "depth")


@pytest.fixture
def no_torch(tmp_path: Path) -> dict[str, str]:
    """An environment in which importing torch fails."""
    folder = tmp_path / "without_torch"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_NO_TORCH)
    search = os.pathsep.join([str(folder), str(REPOSITORY)])
    return {**os.environ, "PYTHONPATH": search, "COLUMNS": "100"}


def run(environment: dict[str, str], cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)


def test_the_environment_has_no_torch(no_torch: dict[str, str], tmp_path: Path) -> None:
    assert "not in this environment" in run(no_torch, tmp_path, "-c", "import torch").stderr


def test_plot_draws_what_suits_and_prints_paths(no_torch: dict[str, str], depth: Path, tmp_path: Path) -> None:
    result = run(no_torch, tmp_path, str(REPOSITORY / "scripts" / "plot.py"), "outputs/depth")
    assert (result.returncode, result.stderr) == (0, "")
    printed = [tmp_path / line for line in result.stdout.splitlines()]
    assert sorted(printed) == sorted((depth / "figures").iterdir())
    assert {path.suffix for path in printed} == {".png", ".svg"}
    assert {"effect-model.num_layers", "learning_curves", "confusion"} <= {path.stem for path in printed}


def test_plot_draws_what_is_asked_for(no_torch: dict[str, str], depth: Path, tmp_path: Path) -> None:
    options = ["--kind", "effect,seeds", "--factor", "num_layers", "--metric", "val_accuracy"]
    options += ["--out", "drawn", "--format", "svg"]
    result = run(no_torch, tmp_path, str(REPOSITORY / "scripts" / "plot.py"), str(depth), *options)
    assert (result.returncode, result.stderr) == (0, "")
    names = ["effect-model.num_layers-val_accuracy.svg", "seeds-val_accuracy.svg"]
    assert result.stdout.splitlines() == [f"drawn/{name}" for name in names]
    assert not (depth / "figures").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["outputs/dept"], "error: outputs/dept: no such directory; in {outputs} there is depth"),
        (["outputs/depth", "--kind", "pie"], "error: --kind pie: no such kind; there are " + ", ".join(KINDS)),
        (["outputs/depth", "--factor", "width"], "error: width: no such factor; what varies: model.num_layers"),
    ],
)
def test_a_mistake_is_one_line(
    no_torch: dict[str, str], depth: Path, tmp_path: Path, arguments: list[str], line: str
) -> None:
    result = run(no_torch, tmp_path, str(REPOSITORY / "scripts" / "plot.py"), *arguments)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [line.format(outputs=depth.parent)]


@pytest.mark.parametrize("script", ["plot.py", "report.py"])
def test_a_sweep_without_a_finished_run_is_one_line(no_torch: dict[str, str], tmp_path: Path, script: str) -> None:
    sweep = tmp_path / "early"
    sweep.mkdir()
    write_sweep(sweep, {LAYERS: [1, 2]}, seeds=[0], states={0: "failed", 1: "running"})
    result = run(no_torch, tmp_path, str(REPOSITORY / "scripts" / script), "early")
    assert result.returncode == 1
    assert result.stderr == "error: early: no completed run yet (1 failed, 1 running)\n"


def test_help_names_every_kind(no_torch: dict[str, str], tmp_path: Path) -> None:
    shown = run(no_torch, tmp_path, str(REPOSITORY / "scripts" / "plot.py"), "--help").stdout
    assert all(f"\n  {kind} " in shown for kind in KINDS)
    assert "python scripts/plot.py outputs/depth" in shown


def test_report_writes_one_file(no_torch: dict[str, str], depth: Path, tmp_path: Path) -> None:
    result = run(no_torch, tmp_path, str(REPOSITORY / "scripts" / "report.py"), "outputs/depth")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "outputs/depth/report.html\n"
    assert (depth / "report.html").stat().st_size > 1_000_000


def test_the_end_of_a_sweep(no_torch: dict[str, str], depth: Path, tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from rnn_mnist.analysis.report.sweep_end import present; "
        "present(pathlib.Path(sys.argv[1]))"
    )
    start = time.perf_counter()
    result = run(no_torch, tmp_path, "-c", program, str(depth))
    assert time.perf_counter() - start < 30  # about 4 s on an idle machine
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    (heading,) = [line for line in lines if "test accuracy" in line]
    assert heading.split("  ")[0].strip() == "num_layers"
    assert any(line.split()[:2] == ["1", "3"] and " %" in line for line in lines)
    assert any("2 (1 failed)" in line for line in lines)
    assert all((depth / "figures" / name).exists() for name in ("effect-model.num_layers.png", "seeds.svg"))
    assert str(depth / "figures" / "confusion.svg") in lines
    assert (depth / "summary.csv").read_text().startswith("model.num_layers,n,failed,mean")


def test_the_end_of_a_sweep_that_has_nothing_yet(no_torch: dict[str, str], tmp_path: Path) -> None:
    sweep = tmp_path / "early"
    sweep.mkdir()
    program = (
        "import sys, pathlib; from rnn_mnist.analysis.report.sweep_end import present; "
        "present(pathlib.Path(sys.argv[1]))"
    )
    write_sweep(sweep, {LAYERS: [1, 2]}, seeds=[0], states={0: "failed", 1: "running"})
    early = run(no_torch, tmp_path, "-c", program, "early")
    assert (early.returncode, early.stderr) == (0, "")
    assert early.stdout.splitlines()[-1] == "early: no completed run yet (1 failed, 1 running)"
