"""Figures rendered in memory, from sweeps of every shape: nothing warns, and nothing global changes."""

import io
import warnings
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.default_figures import default_figures
from rnn_mnist.analysis.plots.figure_kind import FigureKind, Request, Sweep
from rnn_mnist.analysis.plots.figures import KINDS, draw, kinds_help, save
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.reading.run_directories import ResultsError
from rnn_mnist.errors import ExpectedError
from tests.synthetic_sweep import write_sweep

LAYERS = "model.num_layers"

SWEEPS: dict[str, dict[str, Any]] = {
    "one_run": {"grid": {LAYERS: [1]}, "seeds": [0]},
    "one_seed": {"grid": {LAYERS: [1, 2, 3]}, "seeds": [0]},
    "one_factor": {"grid": {"model.hidden_size": [16, 32, 64, 128]}, "states": {0: "failed", 5: "interrupted"}},
    "two_factors": {"grid": {"model": ["rnn", "lstm", "gru"], "model.bidirectional": [False, True]}, "seeds": range(3)},
    "three_factors": {
        "grid": {"model": ["rnn", "gru"], LAYERS: [1, 2, 3], "optimizer.lr": [1e-3, 1e-2]},
        "seeds": range(3),
        "states": {4: "failed", 7: "running"},
    },
    "many_levels": {"grid": {"model.hidden_size": list(range(10, 190, 12))}, "seeds": range(2)},
    "random_search": {
        "settings": [
            {
                "optimizer.lr": 10 ** (-4 + 3 * ((0.618 * i) % 1)),
                "model.hidden_size": 8 + (37 * i) % 120,
                "model": ("rnn", "gru")[i % 2],
            }
            for i in range(30)
        ],
        "seeds": [0],
        "states": {4: "failed", 7: "running"},
    },
    "a_sweep_with_a_long_name_model.num_layers=1,2_optimizer.lr=0.001_data=mnist": {
        "grid": {
            "sequence": ["rows", "columns", "permuted_pixels", "random_length"],
            "schedule": ["constant", "cosine"],
        },
        "seeds": range(2),
    },
}


def sweep_of(tmp_path: Path, name: str) -> Sweep:
    directory = tmp_path / name
    directory.mkdir()
    write_sweep(directory, **SWEEPS[name])
    return Sweep(load_runs(directory).frame)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name in ("three_factors", "many_levels"))) for name in SWEEPS],
)
def test_default_figures_can_be_drawn(name: str, tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, name)
    before = dict(matplotlib.rcParams)
    with warnings.catch_warnings():
        # A layout that does not fit, a glyph that is missing, a limit that is reversed: all of them warn.
        warnings.simplefilter("error", UserWarning)
        for request in default_figures(sweep):
            drawn = draw(sweep, request)
            image = Image.open(io.BytesIO(drawn.rendered("png"))).convert("L")
            shades = np.asarray(image)
            assert (shades.min() < 120, shades.max()) == (True, 255), request
            assert (shades[:, [0, -1]] > 200).all(), f"{request}: cut at an edge"
            assert drawn.caption.endswith((".", ")")), drawn.caption
            assert sweep.runs["sweep"].iloc[0][:20] in footer(drawn.figure)
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_draws_with_all_that_it_takes(kind: FigureKind[Any], tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, "three_factors")
    given = {"factor": "cell", "hue": LAYERS, "facet": "optimizer.lr", "metric": "test_loss"}
    given["setting"] = "cell=gru, num_layers=2, lr=0.01"
    drawn = draw(sweep, Request(kind.name, **{option: given[option] for option in kind.takes}))
    assert drawn.name.startswith(kind.name)
    assert drawn.caption
    assert kind.summary
    assert "\n" not in kind.summary
    assert ("test_loss" in drawn.name) == ("metric" in kind.takes)
    assert f"  {kind.name} " in kinds_help()


def test_a_kind_more_is_drawn_and_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def counted(runs: int) -> Figure:
        figure = style.new_figure(2.0)
        figure.subplots().set_title(f"{runs} runs")
        return figure

    kind = FigureKind(
        "count", "how many runs", lambda sweep, _: len(sweep.runs), counted, lambda runs: f"{runs} runs.", ("factor",)
    )
    monkeypatch.setitem(KINDS, kind.name, kind)
    drawn = draw(sweep_of(tmp_path, "one_seed"), Request("count"))
    assert (drawn.name, drawn.caption) == ("count", "3 runs.")
    assert drawn.rendered("png").startswith(b"\x89PNG")
    assert "  count " in kinds_help()
    assert kinds_help().splitlines()[-1].endswith("how many runs")


def footer(figure: Any) -> str:
    return str(figure.get_supxlabel()).replace("\n", "")


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("one_run", {"learning_curves", "time_steps", "confusion"}),
        ("one_factor", {"effect", "forest", "learning_curves", "time_steps", "cost", "seeds", "confusion"}),
        ("two_factors", set(KINDS) - {"parallel", "partial"}),
        ("three_factors", set(KINDS) - {"interaction", "partial"}),
        ("random_search", {"partial", "importance", "learning_curves", "time_steps", "cost", "confusion", "parallel"}),
    ],
)
def test_what_suits_a_sweep(name: str, kinds: set[str], tmp_path: Path) -> None:
    assert {request.kind for request in default_figures(sweep_of(tmp_path, name))} == kinds


def test_facets_share_their_axis_and_name_their_level(tmp_path: Path) -> None:
    drawn = draw(
        sweep_of(tmp_path, "three_factors"),
        Request("effect", factor="lr", hue="num_layers", facet="model.cell", metric="val_accuracy"),
    )
    panels = drawn.figure.axes
    assert [panel.get_title(loc="left") for panel in panels] == ["cell=rnn", "cell=gru"]
    assert panels[0].get_ylim() == panels[1].get_ylim()
    assert {panel.get_xscale() for panel in panels} == {"log"}
    assert panels[0].get_ylabel() == "Validation accuracy (%)"
    (legend,) = drawn.figure.legends
    assert legend.get_title().get_text() == "num_layers"
    assert [text.get_text() for text in legend.get_texts()] == ["1", "2", "3", "diverged, of those\nthat ended"]
    assert drawn.name == "effect-optimizer.lr-model.num_layers-model.cell-val_accuracy"


def test_a_file_is_the_same_each_time(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, "one_seed")
    contents = []
    for folder in ("first", "second"):
        paths = save(draw(sweep, Request("effect")), tmp_path / folder)
        assert [path.suffix for path in paths] == [".png", ".svg"]
        contents.append([path.read_bytes() for path in paths])
    assert contents[0] == contents[1]


def test_series_differ_in_more_than_colour() -> None:
    for count in (2, 7, 12, 30):
        looks = style.series_styles(count)
        assert len({(look.colour, look.marker) for look in looks}) == count
    ordered = [
        Image.new("RGB", (1, 1), look.colour).convert("L").getpixel((0, 0))
        for look in style.series_styles(5, ordered=True)
    ]
    assert ordered == sorted(ordered)  # type: ignore[type-var]  # a pixel of an image in grey is a number


def test_long_words_are_broken_where_a_reader_would() -> None:
    assert style.wrap("model.bidirectional=true", 16).splitlines() == ["model.", "bidirectional=", "true"]
    assert all(len(line) <= 10 for line in style.wrap("x" * 35 + " y", 10).splitlines())


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request("pie"), "pie: no such kind of figure; there are effect, "),
        (Request("effect", factor="model.bias"), "model.bias: is (t|T)rue in all 3 runs"),
        (Request("effect", factor="depth"), "depth: no such factor; what varies: model.num_layers"),
        (Request("effect", metric="f1"), "f1: no such metric; there are"),
        (Request("interaction"), "interaction: needs 1 more to vary; what varies: model.num_layers"),
        (Request("seeds", hue=LAYERS), "seeds: takes no hue; it takes factor, metric"),
        (Request("effect", setting="1"), "effect: takes no setting; it takes factor, hue, facet, metric"),
        (Request("time_steps", metric="val_accuracy"), "time_steps: takes no metric; it takes factor"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_line(request_: Request, message: str, tmp_path: Path) -> None:
    with pytest.raises(ExpectedError, match=message):
        draw(sweep_of(tmp_path, "one_seed"), request_)


def test_no_completed_run_is_said_in_a_line(tmp_path: Path) -> None:
    write_sweep(tmp_path, {LAYERS: [1, 2]}, seeds=[0], states={0: "failed", 1: "running"})
    with pytest.raises(ResultsError, match=r"no completed run yet \(1 failed, 1 running\)"):
        default_figures(Sweep(load_runs(tmp_path).frame))


@pytest.mark.parametrize("kind", ["effect", "time_steps", "learning_curves"])
def test_a_title_and_a_width_are_as_asked_for_and_cover_nothing(tmp_path: Path, kind: str) -> None:
    write_sweep(tmp_path / "sweep", {LAYERS: [1, 2, 3]}, seeds=range(2))
    sweep = Sweep(load_runs(tmp_path / "sweep").frame)
    figure = draw(sweep, Request(kind), style.Look(width=3.3, title="What it does", footer=False)).figure
    assert figure.get_figwidth() == 3.3
    assert not figure.get_supxlabel()
    (title,) = (text for text in figure.texts if text.get_text() == "What it does")
    figure.draw_without_rendering()
    lowest = title.get_window_extent().y0
    for other in (*figure.axes, *figure.legends):
        assert other.get_window_extent().y1 <= lowest + 1
    usual = draw(sweep, Request(kind)).figure
    assert usual.get_figwidth() == style.WIDTH
    assert usual.get_supxlabel()


def test_axes_say_in_words_what_a_key_is(tmp_path: Path) -> None:
    write_sweep(tmp_path / "sweep", {"optimizer.lr": [0.001, 0.01]}, seeds=range(2))
    figure = draw(Sweep(load_runs(tmp_path / "sweep").frame), Request("effect")).figure
    assert "learning rate" in [ax.get_xlabel() for ax in figure.axes]
