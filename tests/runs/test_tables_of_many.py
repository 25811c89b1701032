"""``results.csv`` of sweeps so large that it is not written for each run that ends."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import rnn_mnist.runs.sweep
from rnn_mnist.runs.sweep import read_sweep, update_results
from tests.synthetic_sweep import write_sweep


def rows(sweep: Path) -> int:
    return len(pd.read_csv(sweep / "results.csv"))


def test_readers_see_what_has_not_been_written_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = tmp_path / "s"
    runs = write_sweep(sweep, {"model.num_layers": [1, 2, 3]}, seeds=[0])
    elsewhere = tmp_path / "elsewhere"
    runs[2].rename(elsewhere)
    monkeypatch.setattr(rnn_mnist.runs.sweep, "_LONG_SECONDS", 0.0)
    monkeypatch.setattr(rnn_mnist.runs.sweep, "_SHARE", 1e9)
    update_results(sweep, runs[1])
    elsewhere.rename(runs[2])
    update_results(sweep, runs[2])
    assert rows(sweep) == 2
    assert len(read_sweep(sweep)) == rows(sweep) == 3


def test_the_table_is_whole_when_the_process_ends(tmp_path: Path) -> None:
    sweep = tmp_path / "s"
    runs = write_sweep(sweep, {"model.num_layers": [1, 2, 3]}, seeds=[0])
    program = f"""
import rnn_mnist.runs.sweep as table
from pathlib import Path
table._LONG_SECONDS, table._SHARE = 0.0, 1e9
runs = [Path(run) for run in {list(map(str, runs))}]
for run in runs:
    (run / "result.json").rename(run / "later")
table.update_results(runs[0].parent)
for run in runs:
    (run / "later").rename(run / "result.json")
    table.update_results(run.parent, run)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    before = (sweep / "results.csv").read_bytes()
    update_results(sweep)
    assert (sweep / "results.csv").read_bytes() == before
