"""The catalogue of metrics: it names what is measured, and an entry more is all that a new metric needs."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from rnn_mnist.catalogues.metrics import METRICS, run_metrics
from rnn_mnist.training.trainer import EpochMetrics
from tests.conftest import REPOSITORY
from tests.synthetic_sweep import write_sweep

LAYERS = "model.num_layers"

# What a file of a user's does before anything else is imported; then the rest of the program.
_ADDED = """
from rnn_mnist.catalogues.metrics import METRICS, Metric
METRICS["macro_f1"] = Metric("macro_f1", "Macro F1", "%", 100, decimals=1, higher_is_better=True)
import runpy, sys
"""
_COMMANDS = (
    _ADDED
    + """
import json

for arguments in json.loads(sys.argv[1]):
    print("$")
    sys.argv = arguments
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as ended:
        assert not ended.code, arguments
"""
)
_FIGURES_AND_TABLES = (
    _ADDED
    + """
from pathlib import Path
from matplotlib.text import Text
from rnn_mnist.analysis.plots.figure_kind import Request, Sweep
from rnn_mnist.analysis.plots.figures import KINDS, draw
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.report.tables import settings_table
from rnn_mnist.runs.sweep import update_results

directory = Path(sys.argv[1])
update_results(directory)
assert "macro_f1" in (directory / "results.csv").read_text().splitlines()[0].split(",")
runs = load_runs(directory).frame
sweep = Sweep(runs)
assert "macro_f1" not in sweep.factors
for kind in KINDS.values():
    if "metric" in kind.takes:
        drawn = draw(sweep, Request(kind.name, metric="macro_f1"))
        texts = " ".join(text.get_text() for text in drawn.figure.findobj(Text))
        assert "macro f1" in texts.lower(), kind.name
        assert "macro f1" in drawn.caption.lower(), (kind.name, drawn.caption)
        print(kind.name)
print(settings_table(runs, sweep.factors, "macro_f1").markdown())
"""
)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep whose runs were measured by one metric more than the catalogue has."""
    directory = tmp_path_factory.mktemp("outputs") / "measured"
    grid: dict[str, list[Any]] = {LAYERS: [1, 2, 3], "model.bias": [True, False]}
    for run in write_sweep(directory, grid, seeds=range(3), accuracy=lambda levels: 0.9 + 0.02 * float(levels[LAYERS])):
        result = json.loads((run / "result.json").read_text())
        (run / "result.json").write_text(json.dumps({**result, "macro_f1": result["test_accuracy"] - 0.5}))
    return directory


def run(program: str, *arguments: object) -> str:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_a_metric_more_is_in_every_figure_and_table(measured: Path) -> None:
    printed = run(_FIGURES_AND_TABLES, measured).splitlines()
    assert {"effect", "interaction", "forest", "importance", "cost", "seeds", "parallel"} <= set(printed)
    headings, _, first, *_ = [line for line in printed if line.startswith("|")]
    assert "macro f1" in headings
    mean = first.split(" | ")[3]
    assert mean.endswith(" %")
    assert 40 < float(mean.split()[0]) < 45


@pytest.mark.slow
def test_a_metric_more_is_accepted_by_the_commands(measured: Path, tmp_path: Path) -> None:
    report, metric = tmp_path / "report.html", ["--metric", "macro_f1"]
    commands = [
        ["scripts/compare.py", str(measured), *metric, "--importance", "--power"],
        ["scripts/plot.py", "--help"],
        ["scripts/plot.py", str(measured), *metric, "--out", str(tmp_path), "--format", "svg"],
        ["scripts/report.py", str(measured), "--out", str(report)],
    ]
    compared, usage, drawn, _ = run(_COMMANDS, json.dumps(commands)).split("$\n")[1:]
    assert "Macro F1 of 18 runs" in compared
    assert "percentage points" in compared
    assert "macro_f1" in usage
    assert drawn.splitlines() == [str(tmp_path / f"effect-{LAYERS}-macro_f1.svg")]
    assert "Macro F1 (%)" in report.read_text()


def test_the_columns_of_results_keep_their_order() -> None:
    assert run_metrics() == (
        "best_epoch",
        "val_accuracy",
        "test_accuracy",
        "test_loss",
        "parameters",
        "train_seconds",
        "images_per_second",
        "peak_memory_mib",
    )


def test_every_column_of_an_epoch_is_a_metric() -> None:
    columns = {field.name for field in fields(EpochMetrics)} - {"epoch"}
    assert columns == {key for key, metric in METRICS.items() if metric.of_epoch}


def test_how_values_are_shown() -> None:
    accuracy, loss, count = METRICS["test_accuracy"], METRICS["test_loss"], METRICS["parameters"]
    assert (accuracy.text(0.97432), accuracy.difference(-0.0042), accuracy.size_text(0.0042)) == (
        "97.43 %",
        "-0.42",
        "0.42 points",
    )
    assert (accuracy.axis_label, accuracy.difference_label) == (
        "Test accuracy (%)",
        "Difference in test accuracy (percentage points)",
    )
    assert (loss.text(0.08), loss.size_text(0.01)) == ("0.0800 nats", "0.0100 nats")
    assert (count.text(214_282), count.difference_label) == ("214,282", "Difference in parameters")
    assert accuracy.number(float("nan")) == accuracy.difference(float("nan")) == "–"
