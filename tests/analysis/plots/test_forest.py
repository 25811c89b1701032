"""The forest shows main effects by factor, and says of each row what it rests on."""

import math
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from rnn_mnist.analysis.plots import forest
from rnn_mnist.analysis.plots.differences import LOOKS, differences
from rnn_mnist.analysis.plots.figure_kind import Sweep
from rnn_mnist.analysis.plots.forest import ForestInfo, forest_info
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.reading.run_directories import ResultsError
from rnn_mnist.analysis.statistics.verdict import Reason, Verdict
from tests.analysis.plots.contrast_rows import incomparable, row, table_of
from tests.synthetic_sweep import write_sweep

LAYERS, LR, HIDDEN = "model.num_layers", "optimizer.lr", "model.hidden_size"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    directory = tmp_path_factory.mktemp("sweep")
    write_sweep(directory, {LAYERS: [1, 2]}, seeds=range(3), files=False, states={1: "interrupted"})
    return load_runs(directory).frame


def texts(figure: Figure) -> list[str]:
    ax = figure.axes[0]
    return [*(label.get_text() for label in ax.get_yticklabels()), *(text.get_text() for text in ax.texts)]


def drawn(info: ForestInfo) -> Figure:
    figure: Figure = forest.KIND.draw(info)
    return figure


def test_a_block_a_factor_and_a_row_a_level(runs: pd.DataFrame) -> None:
    table = table_of(
        row(LAYERS, 2, 1, Verdict.better, 0.002, 0.0008),
        row(LAYERS, 3, 1, Verdict.undecided, 0.001, 0.003),
        row(LR, 0.01, 0.001, Verdict.equivalent, 0.0, 0.0005),
    )
    info = forest_info(runs, table)
    assert [(block.heading, len(block.rows)) for block in info.blocks] == [
        ("num_layers, against 1", 2),
        ("lr, against 0.001", 1),
    ]
    first = info.rows[0]
    assert first.low == pytest.approx(0.0012)
    assert first.high == pytest.approx(0.0028)
    assert info.margin == 0.001
    assert info.missing == 1
    assert "1 better, 1 equivalent, 1 undecided" in forest.KIND.describe(info)
    assert "+0.20 [+0.12, +0.28]  better, n=5" in texts(drawn(info))


def test_what_is_not_comparable_has_its_reason_and_no_dot(runs: pd.DataFrame) -> None:
    table = table_of(
        row(LAYERS, 2, 1, Verdict.better, 0.002, 0.001),
        incomparable(LAYERS, 3, 1, Reason.confounded, difference=0.0106, confounded=("training.epochs",)),
    )
    figure = drawn(forest_info(runs, table))
    assert "not comparable: epochs changes with it (+1.06 as it stands)" in texts(figure)
    markers = [line for line in figure.axes[0].lines if line.get_marker() not in ("None", None)]
    assert [line.get_xdata()[0] for line in markers] == pytest.approx([0.2])  # type: ignore[index]


def test_failures_stand_beside_the_row(runs: pd.DataFrame) -> None:
    table = table_of(
        row(LR, 0.01, 0.001, Verdict.undecided, 0.001, 0.002, failed_reference=1, runs_reference=6),
        incomparable(LR, 0.1, 0.001, Reason.diverges, difference=0.0093, failed=3, runs=6),
        row(LR, 1.0, 0.001, Verdict.worse, reason=Reason.all_diverged, failed=6, runs=6),
    )
    written = texts(drawn(forest_info(runs, table)))
    assert "of 0.001: 1 of 6 diverge" in written
    assert "not comparable: 3 of 6 diverge (+0.93 as it stands)" in written
    assert "worse: every run diverged; 6 of 6 diverge" in written


def test_a_misleading_main_effect_is_marked_and_followed_by_its_parts(runs: pd.DataFrame) -> None:
    parts = [row(LR, 0.1, 0.01, Verdict.worse, -0.8, 0.01, at=((LAYERS, layers),)) for layers in (2, 3)]
    info = forest_info(runs, table_of(row(LR, 0.1, 0.01, Verdict.worse, -0.4, 0.01, depends_on=LAYERS), *parts))
    labels = [text.replace("\n", " ") for text in texts(drawn(info))]
    assert labels[1:4] == ["0.1 (depends on num_layers)", "↳ 0.1, at num_layers=2", "↳ 0.1, at num_layers=3"]
    assert "depend on num_layers" in forest.KIND.describe(info)


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [((8, 30, 22), (8, 30, 22)), ((8, 30, 40), (8, 26, 26)), ((199,), (60,)), ((1,) * 70, (1,) * 70)],
)
def test_all_rows_are_shown_as_long_as_they_fit(
    sizes: tuple[int, ...], shown: tuple[int, ...], runs: pd.DataFrame
) -> None:
    rows = [
        row(f"model.key{f}", i, -1, Verdict.undecided, 0.001 * i, 0.01) for f, n in enumerate(sizes) for i in range(n)
    ]
    info = forest_info(runs, table_of(*rows))
    assert tuple(len(block.rows) for block in info.blocks) == shown
    assert len(info.rows) + len(info.hidden) == len(rows)
    assert info.blocks[0].rows[-1].level == sizes[0] - 1  # evenly over the levels, not the largest differences


def test_many_rows_that_cannot_be_compared_are_one_line(runs: pd.DataFrame) -> None:
    many = [incomparable(HIDDEN, size, 10, Reason.too_few_seeds, seeds=1) for size in range(11, 70)]
    info = forest_info(runs, table_of(row(LAYERS, 2, 1, Verdict.better, 0.002, 0.001), *many))
    assert [len(block.hidden) for block in info.blocks] == [0, 59]
    assert "59 not comparable (too few seeds (1))" in texts(drawn(info))


def test_verdicts_differ_in_their_markers_alone() -> None:
    assert set(LOOKS) == {verdict.value for verdict in Verdict}
    for one, other in combinations(LOOKS.values(), 2):
        assert (one.marker, one.filled) != (other.marker, other.filled)


def test_an_interval_without_bounds_is_no_interval() -> None:
    table = table_of(row(LAYERS, 2, 1, Verdict.undecided, 0.001, math.inf))
    (only,) = differences(table)
    assert (only.low, only.high, only.comparable) == (None, None, True)


def test_nothing_to_compare_is_said_in_a_line(runs: pd.DataFrame) -> None:
    with pytest.raises(ResultsError, match="sampled"):
        forest_info(runs, table_of())


def test_an_interval_far_wider_than_the_others_does_not_set_the_scale(runs: pd.DataFrame) -> None:
    rows: list[dict[str, Any]] = [row(LAYERS, i, 1, Verdict.undecided, 0.001, 0.002) for i in range(2, 7)]
    info = forest_info(runs, table_of(*rows, row(LAYERS, 9, 1, Verdict.undecided, 0.001, 0.5)))
    assert drawn(info).axes[0].get_xlim()[1] < 1
    alone = forest_info(runs, table_of(row(LAYERS, 9, 1, Verdict.undecided, 0.001, 0.5)))
    assert drawn(alone).axes[0].get_xlim()[1] > 50


def test_the_forest_of_a_sweep_finds_what_is_there(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {LAYERS: [1, 2], "model.bidirectional": [False, True]}
    write_sweep(tmp_path, grid, accuracy=lambda setting: 0.97 + 0.01 * setting["model.bidirectional"], files=False)
    sweep = Sweep(load_runs(tmp_path).frame)
    info = forest_info(sweep.runs, sweep.effects("test_accuracy"))
    assert len(info.rows) == 2
    found = {row.factor: row.difference for row in info.rows if row.verdict in ("better", "worse")}
    assert {factor: abs(difference or 0) for factor, difference in found.items()} == {
        "model.bidirectional": pytest.approx(0.01, abs=0.003)
    }
