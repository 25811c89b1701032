"""The data that the page's script draws from."""

import json
from pathlib import Path
from typing import Any

from rnn_mnist.analysis.reading.factors import find_factors
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.report.interactive import run_data
from tests.synthetic_sweep import write_sweep


def data(directory: Path, **sweep: Any) -> dict[str, Any]:
    """What the script reads of a synthetic sweep."""
    write_sweep(directory, files=False, **sweep)
    runs = load_runs(directory).frame
    content: dict[str, Any] = json.loads(run_data(runs, find_factors(runs)))
    return content


def test_every_run_is_there_with_its_levels_and_figures(tmp_path: Path) -> None:
    grid = {"optimizer.lr": [0.01, 0.001], "model.readout": ["mean", "last_step"]}
    content = data(tmp_path / "s", grid=grid, seeds=[3, 4], states={0: "failed", 1: "interrupted"})
    columns = {column["label"]: (place, column) for place, column in enumerate(content["columns"])}
    assert len(content["rows"]) == 8
    place, rate = columns["lr"]
    assert (rate["levels"], rate["values"], rate["log"]) == (["0.001", "0.01"], [0.001, 0.01], True)
    assert sorted(row[place] for row in content["rows"]) == [0] * 4 + [1] * 4
    _, readout = columns["readout"]
    assert readout["levels"] == ["last_step", "mean"]
    assert "values" not in readout
    # Runs without a result are rows, too: they have a state and no accuracy.
    state, accuracy = columns["state"], columns["Test accuracy (%)"][0]
    states = [state[1]["levels"][row[state[0]]] for row in content["rows"]]
    assert sorted(set(states)) == ["completed", "diverged", "interrupted"]
    assert [row[accuracy] is None for row in content["rows"]] == [word != "completed" for word in states]
    assert all(90 < row[accuracy] < 100 for row in content["rows"] if row[accuracy] is not None)


def test_levels_that_python_takes_for_equal_are_kept_apart(tmp_path: Path) -> None:
    content = data(tmp_path / "s", grid={"model.bias": [True, False], "model.num_layers": [1, 2]}, seeds=[0])
    bias = next(column for column in content["columns"] if column["label"] == "bias")
    assert bias["levels"] == ["false", "true"]
    assert "values" not in bias


def test_nothing_in_it_ends_the_element_that_holds_it(tmp_path: Path) -> None:
    directory = tmp_path / "s"
    write_sweep(directory, {"model.num_layers": [1, 2]}, seeds=[0], files=False)
    runs = load_runs(directory).frame.assign(run="</script><!--<script>")
    text = run_data(runs, find_factors(runs))
    assert "<" not in text
    assert json.loads(text)["rows"][0][-1] == "</script><!--<script>"
