"""``rnn-mnist plot`` as a user meets it."""

import re
from pathlib import Path

import pytest

from rnn_mnist.analysis.plots.figures import KINDS
from tests.commands.conftest import RunPython


def test_what_suits_is_drawn_and_its_paths_printed(process: RunPython, depth: Path, tmp_path: Path) -> None:
    result = process("plot", "outputs/depth")
    assert (result.returncode, result.stderr) == (0, "")
    printed = [tmp_path / line for line in result.stdout.splitlines()]
    assert sorted(printed) == sorted((depth / "figures").iterdir())
    assert {path.suffix for path in printed} == {".png", ".svg"}
    assert {"effect-model.num_layers", "learning_curves", "confusion"} <= {path.stem for path in printed}


def test_what_is_asked_for_is_drawn(rnn_mnist: RunPython, depth: Path) -> None:
    options = ["--kind", "effect,seeds", "--factor", "num_layers", "--metric", "val_accuracy"]
    options += ["--out", "drawn", "--format", "svg"]
    result = rnn_mnist("plot", str(depth), *options)
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
def test_a_mistake_is_one_line(rnn_mnist: RunPython, depth: Path, arguments: list[str], line: str) -> None:
    result = rnn_mnist("plot", *arguments)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [line.format(outputs=depth.parent)]


def test_a_sweep_without_a_finished_run_is_one_line(rnn_mnist: RunPython, early: Path) -> None:
    result = rnn_mnist("plot", early.name)
    assert (result.returncode, result.stderr) == (1, "error: early: no completed run yet (1 failed, 1 running)\n")


def test_help_names_every_kind(rnn_mnist: RunPython) -> None:
    shown = rnn_mnist("plot", "--help").stdout
    assert all(f"\n  {kind} " in shown for kind in KINDS)
    assert "rnn-mnist plot outputs/depth" in shown


def test_a_figure_for_a_paper(rnn_mnist: RunPython, depth: Path) -> None:
    options = ("--format", "pdf", "--width", "3.3", "--title", "Depth of an LSTM", "--no-footer")
    assert rnn_mnist("plot", "outputs/depth", "--kind", "effect", *options).returncode == 0
    (path,) = (depth / "figures").glob("*.pdf")
    content = path.read_bytes()
    assert re.search(rb"/MediaBox \[ 0 0 237\.6 ", content)  # 3.3 inches of 72 points
    assert b"/FontType0" not in content
    assert b"/Type3" not in content
    assert b"/CIDFontType2" in content  # TrueType: 42


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (("--width", "0.5"), "--width 0.5: must be 2.5 to 20"),
        (("--width", "nan"), "--width"),
        (("--kind", "forest", "--width", "3"), "forest"),
        (("--title", "One"), "--title One"),
        (("--kind", "effect", "--title", " "), "--title"),
    ],
)
def test_what_does_not_fit_a_figure_is_refused(
    rnn_mnist: RunPython, depth: Path, wrong: tuple[str, ...], named: str
) -> None:
    result = rnn_mnist("plot", "outputs/depth", *wrong)
    assert result.returncode == 1
    assert named in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (depth / "figures").exists()
