"""``from rnn_mnist import ...``: what the functions return, what they import, and that the submodules hide none."""

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from torch import nn

import rnn_mnist
from rnn_mnist.catalogues.cells import GRUConfig
from rnn_mnist.errors import ExpectedError
from tests.conftest import REPOSITORY, SMALL, SMALL_SWEEP
from tests.synthetic_sweep import write_sweep


def python(program: str) -> str:
    """What a program prints, in a process of its own."""
    command = [sys.executable, "-W", "error", "-c", program]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def depth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("outputs") / "depth"
    write_sweep(directory, {"model.num_layers": [1, 2]}, seeds=range(3))
    return directory


def test_importing_the_package_imports_nothing_heavy_and_reading_runs_no_torch(depth: Path) -> None:
    imported = python(
        f"""
import sys, rnn_mnist
print({{"torch", "pandas", "matplotlib", "hydra"}} & set(sys.modules))
runs = rnn_mnist.load_runs({str(depth)!r})
rnn_mnist.compare(runs), rnn_mnist.importance(runs), rnn_mnist.summarize(runs, ["model.num_layers"])
rnn_mnist.plot(runs, "seeds")
rnn_mnist.compose(["model=gru"])
print("torch" in sys.modules)
"""
    )
    assert imported.splitlines() == ["set()", "False"]


@pytest.mark.parametrize("name", ["train", "explain"])
@pytest.mark.parametrize("order", ["import rnn_mnist.{0}; from rnn_mnist import {0}", "from rnn_mnist import {0}"])
def test_a_submodule_of_the_same_name_hides_no_function(name: str, order: str) -> None:
    program = order.format(name) + f"; import rnn_mnist.{name}; import sys; from rnn_mnist.{name} import __doc__ as doc"
    program += f"; print({name}.__module__, rnn_mnist.{name} is {name}, type(sys.modules['rnn_mnist.{name}']).__name__)"
    assert python(program) == "rnn_mnist.api True module"


def test_there_is_nothing_else() -> None:
    assert set(rnn_mnist.__all__) <= set(dir(rnn_mnist))
    assert all(callable(getattr(rnn_mnist, name)) for name in rnn_mnist.__all__)
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        rnn_mnist.trian  # type: ignore[attr-defined]  # noqa: B018 - that it is not there is what is tested


def test_compose_returns_typed_values() -> None:
    config = rnn_mnist.compose(["model=gru", "model.num_layers=3"])
    assert isinstance(config.model, GRUConfig)
    assert config.model.num_layers == 3


def test_a_mistake_is_one_line() -> None:
    for overrides in (["modle=gru"], ["model=gur"], ["model.num_layers=0"], ["no override"]):
        with pytest.raises(ExpectedError) as caught:
            rnn_mnist.compose(overrides)
        assert len(str(caught.value).splitlines()) == 1
        assert overrides[0].partition("=")[0] in str(caught.value)


def test_train_returns_the_result_and_leaves_the_run(tmp_path: Path) -> None:
    overrides = [override for override in SMALL if not override.startswith("hydra")]
    result = rnn_mnist.train(overrides, tmp_path / "run")
    assert result == json.loads((tmp_path / "run" / "result.json").read_text())
    assert len(np.load(tmp_path / "run" / "predictions.npy")) == 10_000
    assert rnn_mnist.train(overrides, tmp_path / "run") == result
    (run,) = rnn_mnist.load_runs(tmp_path / "run").frame.to_dict("records")
    assert run["test_accuracy"] == result["test_accuracy"]


def test_train_warns_of_what_has_no_effect(tmp_path: Path) -> None:
    overrides = ["model.num_layers=1", "model.dropout=0.5", "training.device=cuda:99"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(ExpectedError):
            rnn_mnist.train(overrides, tmp_path / "run")
    assert any("dropout" in str(warning.message) for warning in caught)


def test_sweep_runs_and_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wild = ["model=rnn", "model.nonlinearity=relu", "optimizer=sgd", "optimizer.lr=1000", "seed=1"]
    monkeypatch.chdir(tmp_path)
    directory = rnn_mnist.sweep([*SMALL_SWEEP, "training.epochs=1", "seed=0,1"])
    assert [directory.resolve()] == list((tmp_path / "outputs").iterdir())
    assert directory.name.endswith("seed-0+1")  # named by its overrides
    assert len(pd.read_csv(directory / "results.csv")) == 2
    assert sorted(rnn_mnist.load_runs(directory).frame["seed"]) == [0, 1]
    assert "2 completed" in capsys.readouterr().out
    with pytest.raises(ExpectedError, match="outputs/diverging: the sweep ended with exit code 1"):
        rnn_mnist.sweep([*SMALL_SWEEP, *wild, "sweep=diverging"])
    assert list(rnn_mnist.load_runs("outputs/diverging").frame["status"]) == ["failed"]
    with pytest.raises(ExpectedError, match="modle"):
        rnn_mnist.sweep(["modle=gru,lstm"])


@pytest.mark.slow
def test_an_interrupted_sweep_leaves_no_process_behind(tmp_path: Path) -> None:
    program = f"import rnn_mnist; rnn_mnist.sweep({[*SMALL_SWEEP, 'training.epochs=1000', 'sweep=long']!r})"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob("outputs/long/*/checkpoint.pt")):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)  # to this one process, as a notebook interrupts its kernel
        stdout, stderr = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in stderr
    assert b"to carry on: " in stdout
    (status,) = tmp_path.glob("outputs/long/*/status.json")
    assert json.loads(status.read_text())["state"] == "interrupted"


def test_results_become_tables_figures_and_a_report(depth: Path, tmp_path: Path) -> None:
    runs = rnn_mnist.load_runs(depth)
    assert len(runs.frame) == 6
    assert isinstance(rnn_mnist.compare(runs), pd.DataFrame)
    assert list(rnn_mnist.summarize(runs, ["model.num_layers"])["n"]) == [3, 3]
    assert 0 <= rnn_mnist.importance(runs)["share"].iloc[0] <= 1
    assert isinstance(rnn_mnist.plot(runs, "effect", factor="num_layers"), Figure)
    path = rnn_mnist.report(runs, str(tmp_path / "new" / "report.html"))
    assert path.stat().st_size > 100_000


def test_explain_has_the_shapes_of_the_module() -> None:
    explanation = rnn_mnist.explain(["model=gru", "model.hidden_size=8", "model.num_layers=1"])
    weights = {row.name: row.shape for row in explanation.weights}
    for name, weight in nn.GRU(28, 8).named_parameters():
        assert weights[f"recurrent.{name}"] == tuple(weight.shape)
