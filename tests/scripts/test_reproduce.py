"""Runs that were made again are compared as reproduce.py says."""

from pathlib import Path

import pandas as pd
import pytest

from rnn_mnist.analysis.reading.results import load_runs
from tests.conftest import REPOSITORY
from tests.synthetic_sweep import write_sweep

GRID = {"model.num_layers": [1, 2]}


@pytest.fixture
def kept(tmp_path: Path) -> pd.DataFrame:
    write_sweep(tmp_path / "s", GRID, files=False)
    return load_runs(tmp_path / "s").frame


@pytest.fixture(autouse=True)
def _scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(REPOSITORY / "scripts")


def compare(kept: pd.DataFrame, again: pd.DataFrame) -> int:
    import reproduce

    return reproduce.compare(kept, again, "depth")


def test_the_same_runs_are_the_same(kept: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(kept, kept) == 0
    assert "10 of 10 runs came out the same" in capsys.readouterr().out


def test_another_order_of_rounding_is_within_chance(kept: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    again = kept.copy()
    again.loc[again["model.num_layers"] == 1, "test_accuracy"] += [0.001, -0.001, 0.0005, -0.0005, 0.0002]
    assert compare(kept, again) == 0
    printed = capsys.readouterr().out
    assert "5 of 10 runs came out the same" in printed
    assert "num_layers=1" in printed
    assert "num_layers=2" not in printed


def test_another_accuracy_is_different(kept: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    again = kept.copy()
    again.loc[again["model.num_layers"] == 2, "test_accuracy"] -= 0.05
    assert compare(kept, again) == 1
    assert "num_layers=2: -5.00 points" in capsys.readouterr().out


def test_other_runs_are_no_success(kept: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(kept, kept.assign(run_id=kept["run_id"].str[::-1])) == 1
    assert "0 of 0" in capsys.readouterr().out
