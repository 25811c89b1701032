"""What the tables of an analysis hold, and that a terminal of 80 columns cuts nothing off them."""

import io
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from rnn_mnist.analysis.reading.factors import find_factors
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.report.tables import effects_as_text, effects_table, settings_table, unsuccessful_table
from rnn_mnist.analysis.statistics.effects import effects
from rnn_mnist.analysis.statistics.summary import write_summary
from rnn_mnist.tables import Content, Table
from tests.synthetic_sweep import write_sweep

LAYERS = "model.num_layers"


@pytest.fixture(scope="module")
def depth(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Three depths, five seeds; one run of two layers has failed."""
    directory = tmp_path_factory.mktemp("sweeps") / "depth"
    write_sweep(directory, {LAYERS: [1, 2, 3]}, states={1: "failed"}, files=False)
    return load_runs(directory).frame


def column(table: Table, heading: str) -> list[str]:
    """The texts below a heading."""
    (place,) = [i for i, column in enumerate(table.columns) if column.heading == heading]
    return [row[place].text for row in table.rows]


def test_a_row_for_each_setting(depth: pd.DataFrame) -> None:
    table = settings_table(depth, find_factors(depth))
    assert column(table, "num_layers") == ["1", "2", "3"]
    assert column(table, "runs") == ["5", "4 (1 failed)", "5"]
    mean = depth[(depth[LAYERS] == 3)]["test_accuracy"].mean()
    assert column(table, "test accuracy")[2] == f"{100 * mean:.2f} %"
    losses = settings_table(depth, find_factors(depth), "test_loss")
    mean = depth[(depth[LAYERS] == 3)]["test_loss"].mean()
    assert column(losses, "test loss")[2] == f"{mean:.4f} nats"


def test_all_tables_count_the_runs_of_a_sweep_that_failed_whole(tmp_path: Path) -> None:
    sweep = tmp_path / "s"
    write_sweep(sweep, {LAYERS: [1, 2]}, seeds=range(3), states=dict.fromkeys(range(6), "failed"))
    runs = load_runs(sweep).frame
    results, summary = pd.read_csv(sweep / "results.csv"), pd.read_csv(write_summary(runs, sweep))
    assert list(results.groupby(LAYERS)["status"].value_counts().items()) == [((1, "failed"), 3), ((2, "failed"), 3)]
    assert summary[[LAYERS, "n", "failed"]].to_numpy().tolist() == [[1, 0, 3], [2, 0, 3]]
    assert summary["mean"].isna().all()
    table = settings_table(runs, find_factors(runs))
    assert column(table, "runs") == ["0 (3 failed)", "0 (3 failed)"]
    assert column(table, "test accuracy") == ["–", "–"]


def test_a_row_for_each_comparison(depth: pd.DataFrame) -> None:
    compared = effects(depth)
    table = effects_table(compared)
    assert column(table, "level") == ["num_layers=2", "num_layers=3"]
    assert column(table, "difference") == [f"{100 * value:+.2f}" for value in compared["difference"]]
    assert "at" not in [column.heading for column in table.columns]  # nothing else varies


def test_contexts_are_named_and_verdicts_in_words_in_a_csv(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {LAYERS: [1, 2], "model.bias": [True, False]}, seeds=range(3), files=False)
    compared = effects(load_runs(tmp_path / "s").frame)
    assert column(effects_table(compared), "at") == ["bias=false", "bias=true", "num_layers=1", "num_layers=2"]
    effects_as_text(compared).to_csv(tmp_path / "effects.csv", index=False)
    read = pd.read_csv(tmp_path / "effects.csv")
    assert list(read["context"]) == ["model.bias=false", "model.bias=true", f"{LAYERS}=1", f"{LAYERS}=2"]
    assert set(read["verdict"]) == {"not resolved"}
    assert all(words.startswith("not resolved: ") for words in read["in_words"])


def test_80_columns_cut_nothing_off_the_tables_of_one_factor(depth: pd.DataFrame) -> None:
    factors = find_factors(depth)
    for table in (settings_table(depth, factors), effects_table(effects(depth)), unsuccessful_table(depth, factors)):
        written = io.StringIO()
        Console(file=written, width=80).print(table.terminal(80))
        text = written.getvalue()
        assert max(map(len, text.splitlines())) <= 80
        for row in table.rows:
            for cell, of in zip(row, table.columns, strict=True):
                assert of.content is not Content.number or cell.text in text
