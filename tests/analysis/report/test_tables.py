"""What the tables of an analysis hold, and that a terminal of 80 columns cuts nothing off them."""

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from scipy import stats

from rnn_mnist.analysis.reading.factors import find_factors
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.report.tables import (
    effects_as_text,
    effects_table,
    settings_paper_table,
    settings_table,
    unsuccessful_table,
)
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
    assert column(table, "runs") == ["5", "4 (1 diverged)", "5"]
    mean = depth[(depth[LAYERS] == 3)]["test_accuracy"].mean()
    # A mean of those that finished alone says so, for it is no fair one.
    assert column(table, "test accuracy of those that finished")[2] == f"{100 * mean:.2f} %"
    losses = settings_table(depth, find_factors(depth), "test_loss")
    mean = depth[(depth[LAYERS] == 3)]["test_loss"].mean()
    assert column(losses, "test loss of those that finished")[2] == f"{mean:.4f} nats"


def test_all_tables_count_the_runs_of_a_sweep_that_failed_whole(tmp_path: Path) -> None:
    sweep = tmp_path / "s"
    write_sweep(sweep, {LAYERS: [1, 2]}, seeds=range(3), states=dict.fromkeys(range(6), "failed"))
    runs = load_runs(sweep).frame
    results, summary = pd.read_csv(sweep / "results.csv"), pd.read_csv(write_summary(runs, sweep))
    assert list(results.groupby(LAYERS)["status"].value_counts().items()) == [((1, "failed"), 3), ((2, "failed"), 3)]
    assert summary[[LAYERS, "n", "failed"]].to_numpy().tolist() == [[1, 0, 3], [2, 0, 3]]
    assert summary["mean"].isna().all()
    table = settings_table(runs, find_factors(runs))
    assert column(table, "runs") == ["0 (3 diverged)", "0 (3 diverged)"]
    assert column(table, "test accuracy of those that finished") == ["–", "–"]


def test_a_row_for_each_contrast(depth: pd.DataFrame) -> None:
    compared = effects(depth)
    table = effects_table(compared)
    assert column(table, "contrast") == ["num_layers=1 vs 2", "num_layers=3 vs 2"]  # 2 is the configuration's default
    differences = column(table, "difference (95 %)")
    assert [text.partition(" ")[0] for text in differences] == [f"{100 * d:+.2f}" for d in compared["difference"]]
    assert column(table, "diverged") == ["0/5, 1/5", "0/5, 1/5"]
    assert "at" not in [column.heading for column in table.columns]  # nothing else varies


def test_a_csv_holds_words_for_values_and_a_sentence_a_row(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {LAYERS: [1, 2], "model.bias": [True, False]}, seeds=range(3), files=False)
    compared = effects(load_runs(tmp_path / "s").frame)
    effects_as_text(compared).to_csv(tmp_path / "effects.csv", index=False)
    read = pd.read_csv(tmp_path / "effects.csv")
    assert list(read["factor"]) == [LAYERS, "model.bias"]
    assert list(read["verdict"]) == [verdict.value for verdict in compared["verdict"]]
    assert all(len(sentence.split()) > 3 for sentence in read["sentence"])


def test_a_paper_has_mean_and_deviation_of_each_setting_and_what_was_lost(depth: pd.DataFrame) -> None:
    table = settings_paper_table(depth, find_factors(depth))
    values = 100 * depth.loc[depth[LAYERS] == 3, "test_accuracy"]
    means = column(table, "test accuracy of those that finished (%)")
    assert means[2] == f"{values.mean():.2f} ± {values.std():.2f}"
    low, high = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    assert column(table, "95 % interval")[2] == f"[{low:.2f}, {high:.2f}]"
    assert column(table, "diverged") == ["0 of 5", "1 of 5", "0 of 5"]
    assert "missing" not in [column.heading for column in table.columns]
    assert rf"{values.mean():.2f} $\pm$ {values.std():.2f} & [" in table.latex()
    whole = settings_paper_table(depth[depth[LAYERS] != 2], [LAYERS])
    headings = ["num_layers", "runs", "test accuracy (%)", "95 % interval", "parameters"]
    assert [column.heading for column in whole.columns] == headings


def test_runs_without_an_outcome_are_missing_and_not_diverged(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {LAYERS: [1, 2]}, seeds=range(3), states={0: "interrupted", 1: "failed"}, files=False)
    runs = load_runs(tmp_path / "s").frame
    table = settings_paper_table(runs, find_factors(runs))
    assert (column(table, "diverged"), column(table, "missing")) == (["0 of 2", "1 of 3"], ["1", "0"])
    assert column(settings_table(runs, find_factors(runs)), "runs") == ["2 (1 missing)", "2 (1 diverged)"]
    assert column(unsuccessful_table(runs, find_factors(runs)), "state") == ["interrupted", "diverged"]


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Four factors; a run of each other setting has diverged."""
    directory = tmp_path_factory.mktemp("sweeps") / "four"
    grid: dict[str, list[Any]] = {LAYERS: [1, 2], "model.readout": ["last_step", "mean"]}
    grid |= {"optimizer.lr": [0.001, 0.003], "training.batch_size": [128, 256]}
    write_sweep(directory, grid, seeds=range(3), states=dict.fromkeys(range(0, 16, 2), "failed"), files=False)
    return load_runs(directory).frame


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("sweep", ["depth", "four"])
def test_a_terminal_shows_all_of_every_table(sweep: str, width: int, request: pytest.FixtureRequest) -> None:
    runs = request.getfixturevalue(sweep)
    factors = find_factors(runs)
    for table in (settings_table(runs, factors), effects_table(effects(runs)), unsuccessful_table(runs, factors)):
        written = io.StringIO()
        Console(file=written, width=width).print(table.terminal(width))
        text = written.getvalue()
        found = "".join(text.split())
        assert max(map(len, text.splitlines())) <= width
        for row in table.rows:
            for cell, of in zip(row, table.columns, strict=True):
                # Numbers stand whole in one line; of the rest only a directory's name may be longer than a line.
                assert of.content is not Content.number or cell.text in text
                assert all(word in found for word in cell.text.split())


def test_settings_of_one_factor_are_a_table_at_80_columns(depth: pd.DataFrame) -> None:
    written = io.StringIO()
    finished = depth[depth[LAYERS] != 2]
    Console(file=written, width=80).print(settings_table(finished, [LAYERS]).terminal(80))
    assert len(written.getvalue().splitlines()) == 4  # headings, a rule, a line each
