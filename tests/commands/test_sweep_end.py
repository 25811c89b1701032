"""What is shown and written when a sweep ends, in a real process where torch cannot be imported."""

from pathlib import Path

import pytest

from rnn_mnist.analysis.report import sweep_end
from rnn_mnist.analysis.report.sweep_end import present
from tests.commands.conftest import RunPython
from tests.synthetic_sweep import write_sweep

PRESENT = (
    "import sys, pathlib; from rnn_mnist.analysis.report.sweep_end import present; present(pathlib.Path(sys.argv[1]))"
)


def test_the_end_of_a_sweep(without_torch: RunPython, depth: Path) -> None:
    result = without_torch("-c", PRESENT, str(depth), COLUMNS="100")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    (heading,) = [line for line in lines if line.startswith("num_layers ")]
    assert any(line.split()[:2] == ["1", "3"] and " %" in line for line in lines)
    assert any("2 (1 diverged)" in line for line in lines)
    assert all((depth / "figures" / name).exists() for name in ("effect-model.num_layers.png", "seeds.svg"))
    assert (depth / "figures" / "confusion.svg").exists()
    # Table, answer, the best run's directory, one line of where the figures are, what to type next.
    assert lines.index(heading) < next(i for i, line in enumerate(lines) if line.startswith("- num_layers="))
    assert lines[-4].strip().startswith(str(depth))
    assert [line for line in lines if str(depth / "figures") in line] == [lines[-3]]
    assert lines[-2:] == [f"rnn-mnist compare {depth}", f"rnn-mnist report {depth}"]
    assert any(line.startswith("- num_layers=") for line in lines)
    assert (depth / "summary.csv").read_text().startswith("model.num_layers,n,failed,mean")


def test_the_end_of_a_sweep_that_has_nothing_yet(
    early: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(early.parent)
    present(Path(early.name))
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.splitlines()[-1] == "early: no completed run yet (1 failed, 1 running)"


def test_a_sweep_of_many_settings_ends_with_the_best_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sweep_end, "default_figures", lambda _: [])
    write_sweep(
        tmp_path / "s", {"model.hidden_size": list(range(1, 101))}, seeds=[0], noise=0.0, files=False,
        accuracy=lambda o: 0.9 + 0.0005 * (o["model.hidden_size"] * 37 % 101), validation_noise=0.0,
    )  # fmt: skip
    present(tmp_path / "s")
    lines = capsys.readouterr().out.splitlines()
    shown = [int(words[0]) for words in map(str.split, lines) if len(words) > 3 and words[0].isdigit()]
    best_first = sorted(range(1, 101), key=lambda size: -(size * 37 % 101))
    assert shown == best_first[:20]
    (note,) = [line for line in lines if "summary.csv" in line]
    assert "20 " in note
    assert "100 settings" in note
