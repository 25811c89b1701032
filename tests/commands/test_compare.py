"""scripts/compare.py as its user types it, with and without torch."""

import io
import runpy
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from rnn_mnist.analysis.report.sweep_end import present
from tests.conftest import REPOSITORY
from tests.synthetic_sweep import write_sweep

WITHOUT_TORCH = """
import importlib, pkgutil, runpy, sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoTorch())
import rnn_mnist.analysis
for module in pkgutil.walk_packages(rnn_mnist.analysis.__path__, "rnn_mnist.analysis."):
    importlib.import_module(module.name)
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    assert "torch" not in sys.modules
"""


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("outputs") / "depth"
    write_sweep(
        directory,
        {"model.num_layers": [1, 2], "optimizer.lr": [0.001, 0.01]},
        seeds=range(4),
        accuracy=lambda overrides: 0.95 + 0.01 * float(overrides["model.num_layers"]),
    )
    return directory


def compare(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error::DeprecationWarning", "scripts/compare.py", *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_without_torch_everything_imports_and_compares(sweep: Path) -> None:
    for arguments in (["--help"], [str(sweep), "--importance", "--power"]):
        result = subprocess.run(
            [sys.executable, "-c", WITHOUT_TORCH, "scripts/compare.py", *arguments],
            cwd=REPOSITORY, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
    assert "num_layers=1 is worse than 2" in result.stdout
    assert "functional ANOVA" in result.stdout


def test_tables_are_written_and_their_paths_printed(sweep: Path, tmp_path: Path) -> None:
    paths = [tmp_path / "effects.csv", tmp_path / "effects.md", tmp_path / "effects.tex"]
    options = zip(("--csv", "--markdown", "--latex"), paths, strict=True)
    result = compare(sweep, "--reference", "num_layers=1", *(word for option in options for word in option))
    assert result.returncode == 0, result.stderr
    assert [line for line in result.stdout.splitlines() if line in map(str, paths)] == [str(path) for path in paths]
    table = pd.read_csv(paths[0])
    assert list(table["factor"]) == ["model.num_layers", "optimizer.lr"]
    assert table["verdict"].iloc[0] == "better"
    needed = (
        "factor level reference contexts contexts_planned seeds difference low high p_value p_adjusted failed "
        "failed_reference verdict sentence"
    )
    assert set(needed.split()) <= set(table.columns)
    assert paths[1].read_text().startswith("| contrast | seeds | difference (95 %) | p | verdict |")
    assert r"num\_layers=2 vs 1" in paths[2].read_text()
    for path in paths[1:]:
        assert "0.001" in path.read_text()  # the settings have their table too


def test_nuisance_and_mcnemar(sweep: Path) -> None:
    result = compare(sweep, "--nuisance", "lr")
    assert result.returncode == 0, result.stderr
    assert "num_layers=2" in result.stdout
    assert "best by validation accuracy" in result.stdout
    assert "at the edge of its range" in result.stdout
    runs = sorted(path.parent for path in sweep.glob("*/predictions.npy"))
    result = compare("--mcnemar", *runs[:2])
    assert result.returncode == 0
    assert "McNemar's exact test: p = " in result.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["{sweep}x"], "no such directory; in"),
        (["{sweep}", "--factor", "depth"], "depth: no such factor; what varies: model.num_layers, optimizer.lr"),
        (
            ["{sweep}", "--metric", "accuracy"],
            "accuracy: no such metric; there are best_epoch",
        ),
        (["{sweep}", "--reference", "num_layers=7"], "no completed run has it; there are 1, 2"),
        (["{sweep}", "--reference", "num_layers"], "give a factor and its level"),
        (["{sweep}", "--factor", "lr", "--nuisance", "optimizer.lr"], "optimizer.lr: is to be compared (--factor) and"),
        (["{sweep}", "--by", "seed"], "seed: no such factor"),
        (["{sweep}", "--margin", "0"], "--margin 0.0: must be greater than 0"),
        (["{sweep}", "--confidence", "95"], "must lie between 0 and 1"),
        (["{sweep}", "--factor", "num_layers", "--by", "num_layers"], "there is no other factor to compare"),
        (["--mcnemar", "{sweep}", "{sweep}"], "holds 16 runs"),
    ],
)
def test_a_mistake_is_one_line(
    sweep: Path, arguments: list[str], line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["compare.py", *(argument.format(sweep=sweep) for argument in arguments)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(REPOSITORY / "scripts" / "compare.py"), run_name="__main__")
    assert ended.value.code == 1
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ")
    assert line in error


def test_no_finished_run_and_no_arguments(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=[0], states={0: "running", 1: "failed"})
    result = compare(tmp_path / "s")
    assert result.returncode == 1
    assert result.stderr == "error: s: no completed run yet (1 failed, 1 running)\n"
    assert compare().returncode == 2


@pytest.mark.slow
def test_who_was_refused_an_answer_has_not_looked(tmp_path: Path) -> None:
    for seeds in (range(1), range(1, 4)):
        write_sweep(tmp_path / "s", {"model.num_layers": [1]}, seeds=seeds, files=False)
        assert "nothing varies among" in compare(tmp_path / "s").stderr
    write_sweep(tmp_path / "s", {"model.num_layers": [2]}, seeds=range(4), files=False)
    assert "intervals hold however often" not in compare(tmp_path / "s").stdout


@pytest.mark.slow
def test_nothing_is_left_to_compare_after_a_choice(tmp_path: Path) -> None:
    grid: dict[str, list[float]] = {"model.num_layers": [1, 2], "optimizer.lr": [0.001, 0.01]}
    write_sweep(tmp_path / "s", grid, seeds=[0], files=False)
    assert "none is left to compare" in compare(tmp_path / "s", "--nuisance", "lr").stderr
    result = compare(tmp_path / "s", "--power")
    assert "no contrast has seeds enough to know its noise" in result.stdout


@pytest.mark.slow
def test_a_search_too_small_for_a_regression_has_an_answer_all_the_same(tmp_path: Path) -> None:
    settings: list[dict[str, object]] = [
        {"optimizer.lr": 10.0 ** -(1 + place / 4), "model.dropout": 0.01 * place, "model.num_layers": 2 + place % 2,
         "model.hidden_size": 16 + 8 * place}
        for place in range(7)
    ]  # fmt: skip
    write_sweep(tmp_path / "s", settings=settings, seeds=[0])
    result = compare(tmp_path / "s")
    assert (result.returncode, result.stderr) == (0, "")
    assert "too few settings for a regression" in result.stdout.lower()
    assert "Best by validation" in result.stdout
    console = Console(file=io.StringIO(), width=100)
    present(tmp_path / "s", console)
    assert "Best by validation" in console.file.getvalue()  # type: ignore[attr-defined]
