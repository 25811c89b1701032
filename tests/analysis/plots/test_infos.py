"""What the figures will show, before anything is drawn."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from scipy import stats

from rnn_mnist.analysis.plots import confusion, effect, interaction, parallel
from rnn_mnist.analysis.plots.confusion import confusion_info
from rnn_mnist.analysis.plots.curves import spread_evenly
from rnn_mnist.analysis.plots.effect_info import effect_info
from rnn_mnist.analysis.plots.factor_axis import factor_axis, setting_label
from rnn_mnist.analysis.plots.figure_kind import Request, Sweep
from rnn_mnist.analysis.plots.importance import importance_info
from rnn_mnist.analysis.plots.interaction import interaction_info
from rnn_mnist.analysis.plots.learning_curves import learning_curves_info
from rnn_mnist.analysis.plots.parallel import parallel_info
from rnn_mnist.analysis.plots.seeds import seeds_info
from rnn_mnist.analysis.plots.source import find_source
from rnn_mnist.analysis.plots.time_steps import time_steps_info
from rnn_mnist.analysis.plots.value_axis import find_range
from rnn_mnist.analysis.reading.factors import find_factors
from rnn_mnist.analysis.reading.results import check_metric, load_runs
from rnn_mnist.analysis.reading.run_directories import ResultsError
from rnn_mnist.analysis.statistics.importance import TermKind, importance
from rnn_mnist.catalogues.data_sets import find_data_set
from tests.synthetic_sweep import write_sweep

LAYERS, READOUT, BIDIRECTIONAL = "model.num_layers", "model.readout", "model.bidirectional"


@pytest.fixture(scope="module")
def depth(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Three layers, five seeds; the second run (two layers) and the fourth (one) have failed."""
    directory = tmp_path_factory.mktemp("sweeps") / "depth"
    directory.mkdir()
    write_sweep(
        directory,
        {LAYERS: [1, 2, 3]},
        accuracy=lambda setting: 0.97 + 0.005 * setting[LAYERS],
        states={1: "failed", 3: "failed"},
    )
    return load_runs(directory).frame


@pytest.fixture(scope="module")
def readouts(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    directory = tmp_path_factory.mktemp("sweeps") / "readouts"
    directory.mkdir()
    grid: dict[str, list[Any]] = {BIDIRECTIONAL: [True, False], READOUT: ["mean", "last_step"]}
    write_sweep(directory, grid, seeds=range(3), accuracy=lambda setting: 0.97 + 0.01 * setting[BIDIRECTIONAL])
    return load_runs(directory).frame


@pytest.mark.parametrize(
    ("key", "levels", "scale"),
    [
        ("model.num_layers", [1, 2, 3, 4], "linear"),
        ("model.num_layers", [1, 10], "linear"),
        ("model.hidden_size", [16, 32, 64, 128, 256], "log"),
        ("model.hidden_size", [60, 64], "log"),
        ("model.dropout", [0.0, 0.1, 0.2, 0.5], "linear"),
        ("model.dropout", [0.001, 0.01, 0.1, 0.5], "category"),  # too close on the linear axis that it declares
        ("optimizer.lr", [0.0001, 0.001, 0.01], "log"),
        ("optimizer.lr", [0.001, 0.01], "log"),
        ("optimizer.lr", [0.001], "category"),
        ("optimizer.weight_decay", [0.0, 1e-4, 1e-3, 1e-2], "category"),  # no logarithm of zero
        ("optimizer.lr", list(np.geomspace(1e-4, 1e-1, 60)), "log"),  # sampled: however close
        ("model.dropout", list(np.linspace(0, 0.5, 13) ** 3), "linear"),
        ("model.bias", [False, True], "category"),
        ("optimizer.name", ["sgd", "adam"], "category"),
    ],
)
def test_the_scale_of_an_axis_is_declared_with_its_key(key: str, levels: list[object], scale: str) -> None:
    axis = factor_axis(pd.DataFrame({key: pd.Series(levels[::-1], dtype=object)}), key)
    assert axis.scale == scale
    assert list(axis.positions) == sorted(axis.positions)
    assert len(set(axis.positions)) == len(levels)


@pytest.mark.parametrize("count", [13, 60, 200])
@pytest.mark.parametrize("key", ["optimizer.lr", "model.dropout", "model.hidden_size"])
def test_many_numbers_have_a_few_round_labels(key: str, count: int) -> None:
    random = np.random.default_rng(count)
    levels = random.uniform(0, 0.5, count) if key == "model.dropout" else np.exp(random.uniform(-7, -2, count))
    values = np.unique(np.round(levels * 1e5).astype(int) + 1) if key == "model.hidden_size" else levels
    axis = factor_axis(pd.DataFrame({key: values}), key)
    assert 2 <= len(axis.ticks) <= 6
    places = [axis.fraction(position) for position, _ in axis.ticks]
    assert np.diff(places).min() > 0.06
    assert -0.03 < places[0] < places[-1] < 1.03
    assert all(len(label) <= 6 for _, label in axis.ticks)


def test_categories_stand_in_config_order() -> None:
    axis = factor_axis(pd.DataFrame({"model.cell": ["gru", "rnn", "lstm", "rnn"]}), "model.cell")
    assert axis.labels == ("rnn", "lstm", "gru")
    assert not axis.numeric


def test_labels_hold_only_what_differs() -> None:
    assert setting_label({LAYERS: 2}, [LAYERS]) == "2"
    levels = {BIDIRECTIONAL: True, "optimizer.name": "adam", "schedule.name": "step"}
    assert setting_label(levels, list(levels)) == "bidirectional=true, optimizer=adam, schedule=step"
    assert setting_label({}, []) == "all runs"


def test_effect_has_every_seed_and_intervals_from_three_on(depth: pd.DataFrame) -> None:
    info = effect_info(depth, LAYERS, factors=[LAYERS])
    (panel,) = info.panels
    (series,) = panel.series
    points = [point for point in series.points if point]
    assert [point.n for point in points] == [4, 4, 5]
    assert [point.failed for point in points] == [1, 1, 0]
    three = depth[depth[LAYERS] == 3]["test_accuracy"].to_numpy(float)
    low, high = stats.t.interval(0.95, 4, three.mean(), stats.sem(three))
    assert points[2].low == pytest.approx(low)
    assert points[2].high == pytest.approx(high)
    assert sorted(points[2].values) == sorted(three)
    assert "num_layers=3" in effect.KIND.describe(info)
    assert "2 of 15 diverge" in effect.KIND.describe(info)


def test_two_seeds_have_points_and_no_mean(depth: pd.DataFrame) -> None:
    info = effect_info(depth[depth["seed"] > 2], LAYERS, factors=[LAYERS])
    assert all(point.n == 2 and point.mean is None and point.low is None for point in info.points)


def test_effect_averages_each_seed_over_factors_that_are_not_shown(readouts: pd.DataFrame) -> None:
    factors = find_factors(readouts)
    info = effect_info(readouts, BIDIRECTIONAL, factors=factors)
    assert info.averaged == (READOUT,)
    one_way = info.points[0]
    expected = readouts[~readouts[BIDIRECTIONAL].astype(bool)].groupby("seed")["test_accuracy"].mean()
    assert sorted(one_way.values) == pytest.approx(sorted(expected))
    hue = effect_info(readouts, READOUT, factors=factors, hue=BIDIRECTIONAL)
    assert hue.averaged == ()
    assert [series.label for series in hue.panels[0].series] == ["false", "true"]


def test_effect_is_of_what_all_levels_share(readouts: pd.DataFrame) -> None:
    uneven = readouts[readouts[BIDIRECTIONAL].astype(bool) | (readouts[READOUT] == "mean")]
    info = effect_info(uneven, BIDIRECTIONAL, factors=find_factors(readouts))
    assert info.averaged == (READOUT,)
    both = uneven[uneven[BIDIRECTIONAL].astype(bool) & (uneven[READOUT] == "mean")]
    assert sorted(info.points[1].values) == pytest.approx(sorted(both["test_accuracy"]))
    assert "over the 1 of 2 combinations that all levels share" in effect.KIND.describe(info)


def test_effect_claims_no_mean_where_levels_share_nothing(readouts: pd.DataFrame) -> None:
    crossed = readouts[readouts[BIDIRECTIONAL].astype(bool) == (readouts[READOUT] == "mean")]
    info = effect_info(crossed, BIDIRECTIONAL, factors=[READOUT, BIDIRECTIONAL])
    assert info.pooled == (READOUT,)
    assert all(point.mean is None for point in info.points)
    assert "no mean is claimed" in effect.KIND.describe(info)


def test_an_inert_cell_stands_for_all_its_levels(tmp_path: Path) -> None:
    write_sweep(tmp_path, {LAYERS: [1, 2], "model.dropout": [0.0, 0.5]}, seeds=range(3))
    runs = load_runs(tmp_path).frame
    info = effect_info(runs, LAYERS, factors=find_factors(runs))
    assert info.averaged == ("model.dropout",)
    assert [point.n for point in info.points] == [3, 3]


def test_interaction_has_a_value_and_n_in_each_cell(readouts: pd.DataFrame) -> None:
    info = interaction_info(readouts, READOUT, BIDIRECTIONAL, factors=find_factors(readouts))
    assert info.horizontal.labels == ("last_step", "mean")
    assert [[cell.n for cell in row] for row in info.cells] == [[3, 3], [3, 3]]
    cell = readouts[readouts[BIDIRECTIONAL].astype(bool) & (readouts[READOUT] == "mean")]
    assert info.cells[1][1].mean == pytest.approx(cell["test_accuracy"].mean())


def test_interaction_has_the_difference_of_differences(tmp_path: Path) -> None:
    def expected(setting: dict[str, Any]) -> float:
        return 0.97 if setting[BIDIRECTIONAL] and setting[READOUT] == "mean" else 0.95

    grid: dict[str, list[Any]] = {BIDIRECTIONAL: [False, True], READOUT: ["last_step", "mean"]}
    write_sweep(tmp_path, grid, seeds=range(6), accuracy=expected, noise=0.001, files=False)
    sweep = Sweep(load_runs(tmp_path).frame)
    info = interaction.KIND.info(sweep, Request("interaction", factor=READOUT, hue=BIDIRECTIONAL))
    (contrast,) = info.contrasts
    assert contrast.difference == pytest.approx(0.02, abs=0.004)
    assert contrast.low < 0.02 < contrast.high
    assert contrast.resolved
    assert "Interaction, resolved: +" in interaction.KIND.describe(info)


def test_learning_curves_have_a_band_over_seeds(depth: pd.DataFrame) -> None:
    info = learning_curves_info(depth, factors=[LAYERS])
    assert info.legend_title == "num_layers"
    assert info.ordered
    last = info.settings[2].val_accuracy
    assert last is not None
    assert len(last.seeds) == 5
    assert last.mean[-1] == pytest.approx(depth[depth[LAYERS] == 3]["val_accuracy"].mean(), abs=1e-4)
    assert (last.low <= last.mean).all()
    assert info.settings[0].outcomes.diverged_text == "1 of 5 diverge"


def test_time_steps_end_at_the_test_accuracy(depth: pd.DataFrame) -> None:
    info = time_steps_info(depth, factors=[LAYERS])
    assert info.settings[2][1].mean[-1] == pytest.approx(depth[depth[LAYERS] == 3]["test_accuracy"].mean(), abs=1e-4)
    assert info.unit == "row"
    assert not info.bidirectional


def test_seeds_have_a_standard_deviation(depth: pd.DataFrame) -> None:
    info = seeds_info(depth, factors=[LAYERS])
    expected = depth[depth[LAYERS] == 3]["test_accuracy"].std(ddof=1)
    assert info.settings[2].standard_deviation == pytest.approx(expected)


def test_confusion_counts_the_runs_errors(depth: pd.DataFrame) -> None:
    info = confusion_info(depth, factors=[LAYERS], setting="num_layers=3")
    assert info.runs == 5
    assert info.counts.sum() == 50_000
    assert info.accuracy == pytest.approx(depth[depth[LAYERS] == 3]["test_accuracy"].mean())
    assert [entry.wrong for entry in info.misread] == sorted((entry.wrong for entry in info.misread), reverse=True)
    assert all(entry.label != entry.prediction for entry in info.misread)
    assert "num_layers=3" in confusion.KIND.describe(info)
    assert info.choice == ""
    with pytest.raises(ResultsError, match=r"no such setting.*num_layers=1; num_layers=2; num_layers=3"):
        confusion_info(depth, factors=[LAYERS], setting="num_layers=9")


def test_confusion_shows_no_setting_that_diverges_or_lacks_seeds(tmp_path: Path) -> None:
    write_sweep(
        tmp_path, {LAYERS: [1, 2, 3, 4]}, seeds=range(3), accuracy=lambda setting: 0.9 + 0.02 * setting[LAYERS],
        states={3: "failed", 2: "interrupted"},
    )  # fmt: skip
    runs = load_runs(tmp_path).frame
    info = confusion_info(runs, factors=[LAYERS])
    assert (info.setting, info.runs) == ("num_layers=2", 3)
    assert "2 of 4 settings in which no run diverges and all 3 seeds are there" in confusion.KIND.describe(info)
    by_loss = confusion_info(runs, factors=[LAYERS], metric="test_loss")
    assert by_loss.setting == "num_layers=2"


def test_confusion_calls_classes_by_their_names(depth: pd.DataFrame) -> None:
    digits = confusion_info(depth, factors=[LAYERS])
    clothes = replace(digits, classes=find_data_set("fashion_mnist").classes)
    for info, last in ((digits, "9"), (clothes, "Ankle boot  9")):
        axes = confusion.KIND.draw(info).subfigs[0].axes[0]
        assert axes.get_yticklabels()[-1].get_text() == last
    wrong = np.where(np.eye(10, dtype=bool), 0, clothes.counts)
    label, prediction = np.unravel_index(wrong.argmax(), wrong.shape)
    assert f"{clothes.classes[label]} is taken for {clothes.classes[prediction]}" in confusion.KIND.describe(clothes)


def test_parallel_has_failed_runs_too(depth: pd.DataFrame) -> None:
    info = parallel_info(depth, factors=[LAYERS])
    assert len(info.lines) == 15
    assert sum(np.isnan(line.value) for line in info.lines) == 2


@pytest.mark.parametrize("metric", ["test_accuracy", "test_loss"])
def test_parallel_draws_the_best_run_darkest_and_last(depth: pd.DataFrame, metric: str) -> None:
    info = parallel_info(depth, factors=[LAYERS], metric=metric)
    (lines, _failed, *_) = parallel.KIND.draw(info).axes[0].collections
    assert isinstance(lines, LineCollection)
    darkness = list(1 - np.array(lines.get_colors())[:, :3].mean(axis=1))
    assert darkness[-1] == max(darkness)
    assert darkness[-1] > darkness[0]
    best = max(depth["test_accuracy"].dropna()) if metric == "test_accuracy" else min(depth["test_loss"].dropna())
    values = info.metric.shown(np.array([line.value for line in info.lines]))
    finished = values[np.isfinite(values)]
    assert info.metric.shown(best) == (finished.min() if metric == "test_loss" else finished.max())
    ends = [float(np.asarray(path.vertices)[-1, 1]) for path in lines.get_paths()]
    assert ends[-1] == (min(ends) if metric == "test_loss" else max(ends))


def test_importance_follows_its_table(readouts: pd.DataFrame) -> None:
    shares = importance_info(readouts, importance(readouts))
    assert sum(row.share for row in shares.rows) == pytest.approx(1)
    assert shares.rows[0].term == (BIDIRECTIONAL,)
    assert shares.rows[-1].kind is TermKind.seeds
    assert TermKind.interaction in [row.kind for row in shares.rows]


def test_the_value_axis_leaves_out_only_what_never_learned() -> None:
    learned = [98.0, 98.2, 98.4, 98.1, 98.3]
    clipped = find_range(np.array([11.0, *learned]), np.array([]))
    assert clipped.clipped
    assert clipped.low > 90
    assert not find_range(np.array([95.0, *learned]), np.array([])).clipped
    assert not find_range(np.array([11.0, 11.3, 11.2, 11.1, *learned]), np.array([])).clipped
    wide = find_range(np.array(learned), np.array([97.9, 20.0]))  # one interval that spans everything
    assert 97 < wide.low < 97.9


def test_of_losses_the_axis_leaves_out_what_lies_far_above() -> None:
    losses = np.array([0.10, 0.11, 0.12, 0.105, 0.115, 3.5])
    above = find_range(losses, np.array([]), higher_is_better=False)
    assert above.clipped
    assert list(above.inside(losses)) == [True] * 5 + [False]
    assert find_range(losses, np.array([])).high > 3.5


def test_best_to_worst_is_by_the_metrics_direction(tmp_path: Path) -> None:
    sizes = list(range(10, 70))
    write_sweep(
        tmp_path,
        {"model.hidden_size": sizes},
        seeds=[0],
        noise=0,
        accuracy=lambda s: 0.9 + s["model.hidden_size"] / 1e3,
    )
    runs = load_runs(tmp_path).frame
    for metric in ("test_accuracy", "test_loss"):
        shown = [setting.label for setting in seeds_info(runs, factors=["model.hidden_size"], metric=metric).settings]
        assert (shown[0], shown[-1], len(shown)) == ("10", "69", 40)
    assert spread_evenly([0.1, float("nan"), 0.3], 2) == [1, 2]


def test_the_source_names_sweep_runs_and_commit(depth: pd.DataFrame) -> None:
    text = find_source(depth).text("a note")
    assert text == "depth · 13 completed runs, 2 failed · a note · commit 0123456789ab"


def test_an_unknown_metric_names_those_there_are(depth: pd.DataFrame) -> None:
    with pytest.raises(ResultsError, match=r"no such metric; there are .*test_accuracy, test_loss"):
        check_metric(depth, "accuracy")
    assert check_metric(depth, "test_loss").higher_is_better is False
