"""A wheel carries the command, the configuration and the data: an installed package works from an empty folder."""

import json
import os
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import rnn_mnist
from tests.conftest import REPOSITORY, SMALL, SMALL_SWEEP


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(REPOSITORY)]
    subprocess.run(build, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def test_the_version_is_one() -> None:
    citation = (REPOSITORY / "CITATION.cff").read_text()
    assert f"\nversion: {rnn_mnist.__version__}\n" in citation
    assert metadata.version("rnn-mnist") == rnn_mnist.__version__
    assert f"\n## {rnn_mnist.__version__}" in (REPOSITORY / "CHANGELOG.md").read_text()


@pytest.mark.slow
def test_a_wheel_holds_what_is_needed(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "rnn_mnist/conf/config.yaml" in names
    assert "rnn_mnist/data/bundled/mnist/train-images-idx3-ubyte.gz" in names
    assert "rnn_mnist/data/bundled/mnist/NOTICE.md" in names
    assert "rnn_mnist/analysis/report/report.html.j2" in names
    assert "rnn_mnist/py.typed" in names
    assert "rnn_mnist/conf/hydra/sweeper/resolve.yaml" in names
    assert "hydra_plugins/resolve_sweeper/conf/hydra/sweeper/resolve.yaml" in names
    assert "rnn_mnist/conf/hydra/sweeper/grid.yaml" in names
    assert "hydra_plugins/grid_sweeper/conf/hydra/sweeper/grid.yaml" in names
    assert "rnn_mnist/conf/hydra/sweeper/optuna.yaml" in names
    assert "hydra_plugins/optuna_sweeper/conf/hydra/sweeper/optuna.yaml" in names
    assert any(name.endswith("LICENSE") for name in names)


@pytest.mark.slow
def test_an_installed_wheel_trains_sweeps_and_plots_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    # Without the dependencies, which are here already; the wheel's own code comes first on the path.
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    search = os.pathsep.join([str(site / "bin"), os.environ["PATH"]])
    environment = {**os.environ, "PYTHONPATH": str(site), "PATH": search, "RNN_MNIST_DATA": str(tmp_path / "data")}

    def run(*command: str) -> str:
        result = subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    location = run(sys.executable, "-c", "import rnn_mnist.configuration.compose as c; print(c.__file__, c.CONFIG_DIR)")
    assert location.count(str(site)) == 2
    assert run("rnn-mnist", "--version").startswith(f"rnn-mnist {rnn_mnist.__version__}\n")
    assert "test accuracy" in run("rnn-mnist", "train", *SMALL)
    assert "weight_hh_l0" in run("rnn-mnist", "explain", "model=gru")
    assert "test accuracy" in run(sys.executable, "-m", "rnn_mnist.train", *SMALL, "seed=1")

    sweep = ("rnn-mnist", "train", "-m", *SMALL_SWEEP, "model.num_layers=1,2", "sweep=depth")
    assert "2 completed" in run(*sweep)
    record = json.loads((empty / "outputs" / "depth" / "sweep.json").read_text())
    assert tuple(record["command"]) == sweep
    assert "2 of them earlier" in run(*sweep)
    assert run("rnn-mnist", "status", "outputs/depth") == "outputs/depth: 2 planned: 2 completed\n"
    assert run("rnn-mnist", "runs", "outputs/depth", "--best", "1").count("outputs/depth/") == 1
    for path in run("rnn-mnist", "plot", "outputs/depth", "--kind", "effect,seeds").splitlines():
        assert (empty / path).stat().st_size > 0
    assert "num_layers" in run("rnn-mnist", "compare", "outputs/depth")
    assert run("rnn-mnist", "report", "outputs/depth") == "outputs/depth/report.html\n"
