"""The effect figure: differences below the means, and axes that hold many levels."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from rnn_mnist.analysis.plots import effect, style
from rnn_mnist.analysis.plots.effect_info import effect_info
from rnn_mnist.analysis.plots.factor_axis import factor_axis
from rnn_mnist.analysis.plots.figure_kind import Request, Sweep
from rnn_mnist.analysis.plots.figures import KINDS, draw
from rnn_mnist.analysis.plots.level_places import level_places
from rnn_mnist.analysis.reading.factors import find_factors
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.statistics.verdict import Reason, Verdict
from tests.analysis.plots.contrast_rows import incomparable, row, table_of
from tests.synthetic_sweep import write_sweep

LAYERS, LR, HIDDEN = "model.num_layers", "optimizer.lr", "model.hidden_size"


@pytest.fixture(scope="module")
def rates(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Two layers at three rates with six seeds; at the highest rate, three of the runs with one layer diverge."""
    directory = tmp_path_factory.mktemp("rates")
    grid: dict[str, list[Any]] = {LR: [0.001, 0.01, 0.1], LAYERS: [1, 2]}
    states = {4: "failed", 10: "failed", 16: "failed"}
    write_sweep(directory, grid, seeds=range(6), states=states, files=False)
    return load_runs(directory).frame


def random_search(directory: Path, count: int) -> Sweep:
    draw_ = np.random.default_rng(0)
    settings = [
        {
            LR: float(10 ** draw_.uniform(-4, -1)),
            HIDDEN: int(2 ** draw_.uniform(4, 9)),
            LAYERS: int(draw_.integers(1, 4)),
        }
        for _ in range(count)
    ]
    write_sweep(directory, settings=settings, seeds=[0])
    return Sweep(load_runs(directory).frame)


def test_differences_stand_below_the_means(rates: pd.DataFrame) -> None:
    table = table_of(
        row(LR, 0.01, 0.001, Verdict.better, 0.002, 0.001),
        incomparable(LR, 0.1, 0.001, Reason.diverges, failed=3, runs=12),
        row(LAYERS, 2, 1, Verdict.undecided, 0.0, 0.003),
    )
    info = effect_info(rates, LR, factors=find_factors(rates), table=table)
    assert [difference.level for difference in info.differences] == [0.01, 0.1]
    above, below = effect.KIND.draw(info).axes
    assert below.get_ylabel().replace("\n", " ") == "Difference from 0.001 (points)"
    assert below.get_xscale() == above.get_xscale() == "log"
    assert {text.get_text() for text in below.texts} == {"reference", "n/c"}
    low, high = below.get_ylim()
    assert low < 0.1 < 0.3 < high
    assert "differences from 0.001, 1 better, 1 not comparable" in effect.KIND.describe(info)


def test_differences_at_each_level_of_the_hue_where_the_table_has_them(rates: pd.DataFrame) -> None:
    split = [row(LR, 0.01, 0.001, Verdict.better, 0.002, 0.001, at=((LAYERS, layers),)) for layers in (1, 2)]
    main = row(LR, 0.01, 0.001, Verdict.better, 0.002, 0.001, depends_on=LAYERS)
    factors = find_factors(rates)
    with_parts = effect_info(rates, LR, factors=factors, hue=LAYERS, table=table_of(main, *split))
    assert [difference.place for difference in with_parts.differences] == [((LAYERS, 1),), ((LAYERS, 2),)]
    alone = effect_info(rates, LR, factors=factors, hue=LAYERS, table=table_of(main))
    assert [difference.place for difference in alone.differences] == [()]
    assert effect.KIND.draw(alone).axes[1].get_title(loc="left") == "averaged over num_layers"
    assert not effect_info(rates, LR, factors=factors, facet=LAYERS, table=table_of(main)).differences


def test_how_many_diverge_is_counted_in_runs(rates: pd.DataFrame) -> None:
    info = effect_info(rates, LR, factors=find_factors(rates))
    assert [point.n for point in info.points] == [6, 6, 6]
    assert [point.outcomes.diverged_text for point in info.points] == ["", "", "3 of 12 diverge"]
    assert "3 of 12" in [text.get_text() for text in effect.KIND.draw(info).axes[0].texts]


@pytest.mark.parametrize(
    ("key", "levels", "scale"),
    [
        (LR, [10 ** -(i / 20) for i in range(1, 61)], "log"),
        (HIDDEN, range(10, 210), "log"),
        (LAYERS, range(1, 14), "linear"),
    ],
)
def test_many_levels_stand_where_they_are(key: str, levels: Any, scale: str) -> None:
    places = level_places(factor_axis(pd.DataFrame({key: list(levels)}), key))
    assert (places.scale, places.scattered) == (scale, True)
    assert places.positions == pytest.approx(sorted(levels))


def test_few_levels_and_names_keep_their_labels() -> None:
    for key, levels in ((LAYERS, list(range(1, 13))), ("model.cell", ["rnn", "lstm", "gru"])):
        axis = factor_axis(pd.DataFrame({key: levels}), key)
        assert not level_places(axis).scattered
    drawn = factor_axis(pd.DataFrame({LR: [0.001, 0.0012, 0.0044, 0.01]}), LR)
    assert level_places(drawn, sampled=True).scattered


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """The tick labels, and the words beside rows, that cover the next one; legends that cover axes or are cut off."""
    with style.publication():
        figure.draw_without_rendering()
    pairs = []
    for ax in figure.axes:
        across, along = ax.get_xticklabels(), ax.get_yticklabels()
        slanted = bool(across) and across[0].get_rotation() != 0
        beside = [
            text for text in ax.texts if isinstance(text, Annotation) and text.xycoords == ax.get_yaxis_transform()
        ]
        for labels in (along, beside, [] if slanted else across):
            shown = [label for label in labels if label.get_text() and label.get_visible()]
            boxes = [label.get_window_extent() for label in shown]
            pairs += [
                (shown[i].get_text(), shown[i + 1].get_text())
                for i in range(len(shown) - 1)
                if boxes[i].overlaps(boxes[i + 1])
            ]
        if slanted:  # as far apart as their baselines; the boxes about them overlap where they do not
            ends = [label.get_window_extent().x1 for label in across]
            apart = np.abs(np.diff(ends)) * np.sin(np.radians(40))
            pairs += [("slanted", "slanted")] * int((apart < 0.75 * 7 * figure.dpi / 72).sum())
        covered = [legend.get_window_extent().overlaps(ax.get_window_extent()) for legend in figure.legends]
        pairs += [("legend", "axes")] * sum(covered)
    page = figure.bbox
    inside = [page.count_contains(legend.get_window_extent().corners()) == 4 for legend in figure.legends]
    return pairs + [("legend", "edge")] * inside.count(False)


def test_long_names_beside_a_legend_do_not_overlap(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {"sequence": ["rows", "columns", "pixels", "permuted_pixels", "random_length"]})
    assert overlapping(draw(Sweep(load_runs(tmp_path / "s").frame), Request("effect")).figure) == []


def test_an_axis_of_accuracies_ends_about_where_they_do(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {LAYERS: [1, 2]}, seeds=range(3), accuracy=lambda _: 0.5, noise=0.3)
    drawn = draw(Sweep(load_runs(tmp_path / "s").frame), Request("effect"))
    low, high = drawn.figure.axes[0].get_ylim()
    assert -15 < low < high < 115


def test_overlapping_labels_are_found() -> None:
    """The two tests below could not fail otherwise."""
    with style.publication():
        figure = style.new_figure(3.0)
        ax = figure.subplots()
        ax.set_xticks([0, 0.02, 1], ["one label", "another", "a third"])
    assert overlapping(figure) == [("one label", "another")]


@pytest.mark.parametrize("count", [12, *(pytest.param(count, marks=pytest.mark.slow) for count in (60, 200))])
def test_no_labels_overlap_however_many_settings_there_are(count: int, tmp_path: Path) -> None:
    sweep = random_search(tmp_path, count)
    requests = [
        Request("effect", factor=LR),
        Request("effect", factor=LR, hue=HIDDEN),
        Request("effect", factor=HIDDEN, hue=LAYERS),
    ]
    requests += [Request("interaction", factor=LR, hue=HIDDEN), Request("interaction", factor=LR, hue=LAYERS)]
    requests += [Request(kind) for kind in ("forest", "seeds", "cost", "learning_curves", "time_steps")]
    for request in requests:
        if request.kind == "forest" and sweep.effects("test_accuracy").empty:
            continue
        assert overlapping(draw(sweep, request).figure) == [], request


@pytest.mark.parametrize("levels", [12, *(pytest.param(count, marks=pytest.mark.slow) for count in (60, 200))])
def test_no_labels_overlap_with_many_levels_of_one_factor(levels: int, tmp_path: Path) -> None:
    write_sweep(tmp_path, {HIDDEN: list(range(10, 10 + levels))}, seeds=range(3))
    sweep = Sweep(load_runs(tmp_path).frame)
    for kind in ("effect", "forest", "seeds", "cost", "learning_curves", "time_steps"):
        assert overlapping(draw(sweep, Request(kind)).figure) == [], kind


def test_long_legends_are_not_cut_off(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {LAYERS: [1, 2], "sequence": ["rows", "columns"], "training.batch_size": [64, 128]}
    write_sweep(tmp_path, grid, seeds=range(3))
    sweep = Sweep(load_runs(tmp_path).frame)
    for kind in ("cost", "learning_curves", "time_steps"):
        assert overlapping(draw(sweep, Request(kind)).figure) == [], kind


def test_many_names_on_an_axis_are_thinned() -> None:
    names = [f"a_rather_long_name_{i}" for i in range(60)]
    axis = factor_axis(pd.DataFrame({"model.cell": names}), "model.cell")
    with style.publication():
        figure = style.new_figure(3.0)
        ax = figure.subplots()
        ax.set_xlim(-0.5, 59.5)
        style.level_ticks(ax, axis, [""] * 60, room=5.5)
    assert 20 < len(ax.get_xticklabels()) < 60
    assert overlapping(figure) == []


def test_the_accuracy_axis_of_learning_curves_is_a_logit_and_says_so(tmp_path: Path) -> None:
    write_sweep(tmp_path, {LAYERS: [1, 2]}, seeds=[0])
    figure = KINDS["learning_curves"].build(Sweep(load_runs(tmp_path).frame), Request("learning_curves"))[0]
    ax = figure.axes[0]
    assert ax.get_ylabel() == "Accuracy (%), logit scale"
    to_display = ax.transScale.transform
    places = {share: to_display((0.0, share))[1] for share in (10, 50, 90)}
    assert places[90] - places[50] == pytest.approx(places[50] - places[10])
