"""A package outside the repository brings a cell, a data set, an optimizer, a sequence order, a metric and a study.

It is docs/extending.md's own, so that what the page shows is what is tried, from the package's own folder.
"""

import re
from pathlib import Path

import pandas as pd
import pytest

from rnn_mnist.analysis.reading.results import load_runs
from tests.conftest import REPOSITORY, CommandLine

PAGE = (REPOSITORY / "docs" / "extending.md").read_text(encoding="utf-8")
QUICK = ("model.hidden_size=4", "model.num_layers=2", "training.threads=1", "training.batch_size=20")

CELL = '''
import torch
from torch import nn


class MinimalGatedUnit(nn.Module):
    """f = sigmoid(W_f x + U_f h), c = tanh(W x + U (f h)), h = (1 - f) h + f c; Zhou et al. 2016, arXiv:1603.09420."""

    def __init__(self, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional):
        super().__init__()
        assert not bidirectional
        self.batch_first, self.hidden_size, self.bias = batch_first, hidden_size, bias
        self.num_layers, self.dropout = num_layers, nn.Dropout(dropout)
        for layer in range(num_layers):
            size = input_size if layer == 0 else hidden_size
            shapes = {"weight_ih": (2 * hidden_size, size), "weight_hh": (2 * hidden_size, hidden_size)}
            if bias:
                shapes |= {"bias_ih": (2 * hidden_size,), "bias_hh": (2 * hidden_size,)}
            for name, shape in shapes.items():
                bound = hidden_size**-0.5
                setattr(self, f"{name}_l{layer}", nn.Parameter(torch.empty(shape).uniform_(-bound, bound)))

    def forward(self, inputs):
        steps = inputs.transpose(0, 1) if self.batch_first else inputs
        last = []
        for layer in range(self.num_layers):
            ih, hh = (getattr(self, f"weight_{part}_l{layer}") for part in ("ih", "hh"))
            b = sum(getattr(self, f"bias_{part}_l{layer}") for part in ("ih", "hh")) if self.bias else 0
            h = steps.new_zeros(steps.shape[1], self.hidden_size)
            outputs = []
            for x in steps:
                x_f, x_c = (x @ ih.T + b).chunk(2, 1)
                u_f, u_c = hh.chunk(2)
                f = torch.sigmoid(x_f + h @ u_f.T)
                h = (1 - f) * h + f * torch.tanh(x_c + (f * h) @ u_c.T)
                outputs.append(h)
            steps = torch.stack(outputs)
            last.append(h)
            if layer < self.num_layers - 1:
                steps = self.dropout(steps)
        return steps.transpose(0, 1) if self.batch_first else steps, torch.stack(last)
'''

DATA = '''
import numpy as np


def load(root):
    """Images whose brightest rows tell their class."""
    draw = np.random.default_rng(0)

    def part(count):
        classes = np.arange(count) % 10
        images = draw.integers(0, 60, (count, 28, 28))
        for image, row in zip(images, 2 * classes + 2):
            image[row : row + 3] += 190
        return images.astype(np.uint8), classes.astype(np.uint8)

    return (*part(600), *part(100))
'''


STUDY = """# @package _global_
defaults:
  - override /model: mgu
  - override /data: stripes
  - override /optimizer: nadam
  - override /sequence: reversed_rows
  - override /schedule: one_cycle
question: "Does one gate do?"
sweep: mine
optimizer: {momentum_decay: 0.01}
data: {validation_size: 100}
training: {epochs: 3}
hydra:
  sweeper:
    params:
      seed: 0,1
      model: mgu,gru
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The package, and its metadata as ``pip install`` leaves it, in the folder that commands are typed in."""
    folder = tmp_path / "my_package"
    folder.mkdir()
    (specifications,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (folder / "__init__.py").write_text(specifications)
    (folder / "cell.py").write_text(CELL)
    (folder / "data.py").write_text(DATA)
    (pyproject,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    points = re.sub(r'\[project\.entry-points\."(.*?)"\]', r"[\1]", pyproject).replace('"', "")
    metadata = tmp_path / "my_package-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "gates.yaml").write_text(STUDY)
    (metadata / "entry_points.txt").write_text("\n".join(points.splitlines()[1:]))
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("package")
def test_a_sweep_of_it_runs_and_is_read_compared_and_explained(command: CommandLine, tmp_path: Path) -> None:
    swept = command("rnn_mnist.train", "-m", "experiment=gates", *QUICK)
    assert swept.returncode == 0, swept.stdout + swept.stderr
    assert "4 completed" in swept.stdout
    runs = load_runs(tmp_path / "outputs" / "mine").frame
    assert set(runs["model.cell"]) == {"mgu", "gru"}
    assert (runs["optimizer.beta1"] == 0.95).all()  # one cycle writes over it, as the specification says
    assert runs["test_top2_accuracy"].between(runs["test_accuracy"], 1).all()
    assert pd.read_csv(tmp_path / "outputs" / "mine" / "results.csv")["test_top2_accuracy"].notna().all()

    compared = command("rnn_mnist", "compare", "outputs/mine", "--metric", "test_top2_accuracy")
    assert (compared.returncode, compared.stderr) == (0, "")
    assert "mgu" in compared.stdout
    drawn = command("rnn_mnist", "plot", "outputs/mine", "--kind", "effect,confusion", "--format", "png")
    assert (drawn.returncode, drawn.stderr) == (0, "")
    explained = command("rnn_mnist", "explain", "model=mgu", *QUICK[:2])
    assert explained.returncode == 0
    (parameters,) = set(runs.loc[runs["model.cell"] == "mgu", "parameters"])
    assert f"{parameters:,.0f}" in explained.stdout
    usage = command("rnn_mnist", "train", "--help").stdout
    for own in ("mgu", "stripes", "gates", "optimizer.momentum_decay=0.004"):
        assert own in usage


@pytest.mark.slow
def test_a_module_of_ones_own_is_part_of_the_runs_identity(package: Path, command: CommandLine, tmp_path: Path) -> None:
    own = ("model=custom", "model.module=my_package.cell.MinimalGatedUnit", "data=custom",
           "data.loader=my_package.data.load", "data.validation_size=100", "training.epochs=1")  # fmt: skip
    first = command("rnn_mnist.train", *own, *QUICK)
    assert first.returncode == 0, first.stdout + first.stderr
    again = command("rnn_mnist.train", *own, *QUICK)
    assert "already completed" in again.stdout
    (package / "cell.py").write_text(CELL.replace("torch.tanh", "torch.sin"))
    assert "already completed" not in command("rnn_mnist.train", *own, *QUICK).stdout
    runs = load_runs(tmp_path / "outputs" / "single").frame
    assert len(runs) == 2
    assert runs["model.source"].nunique() == 2
    assert runs["data.source"].nunique() == 1
    (drawn,) = {command("rnn_mnist", "plot", "outputs/single", "--kind", "confusion").returncode}
    assert drawn == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (["model=custom"], "model.module"),
        (["model=custom", "model.module=nowhere.Cell"], "model.module=nowhere.Cell"),
        (["model=custom", "model.module=json.Missing", "training.epochs=1"], "model.module=json.Missing"),
        (["data=custom", "data.loader=nowhere.load"], "data.loader=nowhere.load"),
        (["data=custom", "data.loader=shutil.which"], "data.loader=shutil.which"),
    ],
)
def test_what_cannot_be_had_is_one_line(overrides: list[str], named: str, command: CommandLine) -> None:
    result = command("rnn_mnist.train", *overrides, *QUICK)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines() or result.stdout.splitlines()[-1:]
    assert named in line
    assert "Traceback" not in result.stdout + result.stderr
