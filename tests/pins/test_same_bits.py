"""What a configuration trains to stays the same, bit for bit, as the code of commit 272c665 makes it.

Floating-point results differ between kinds of processor, so that none can be stored: both codes train here and now.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_mnist.data.images import DataSet
from tests.conftest import REPOSITORY
from tests.pins.bits import assert_same_bits

TRAIN_RUNS = Path(__file__).with_name("train_runs.py")

SMALL = [
    "data.train_fraction=0.01", "data.validation_size=500", "model.hidden_size=8", "training.threads=1",
    "training.device=cpu", "training.epochs=2", "training.batch_size=32", "seed=3",
]  # fmt: skip
RUNS = {
    "lstm_adam_dropout": ["model.dropout=0.2"],
    "rnn_identity_sgd_cosine": [
        "model=rnn", "model.nonlinearity=relu", "model.init=identity", "model.batch_first=false", "optimizer=sgd",
        "optimizer.lr=0.01", "optimizer.nesterov=true", "schedule=cosine", "training.gradient_clip_norm=1",
        "data.validation_size=0",
    ],
    "gru_orthogonal_adamw_one_cycle": [
        "model=gru", "model.num_layers=3", "model.dropout=0.3", "model.init=orthogonal", "optimizer=adamw",
        "schedule=one_cycle", "training.label_smoothing=0.1", "sequence=columns",
    ],
    "lstm_last_step_packed_rmsprop_step": [
        "model.bidirectional=true", "model.readout=last_step", "sequence=random_length", "optimizer=rmsprop",
        "optimizer.momentum=0.5", "optimizer.centered=true", "schedule=step", "training.epochs=3",
    ],
    "gru_final_hidden_packed_augmented": [
        "model=gru", "model.bidirectional=true", "model.readout=final_hidden", "sequence=random_length",
        "sequence.min_rows=7", "data.augmentation.max_shift=2", "data.augmentation.max_rotation=15",
        "data.augmentation.max_scale=0.1",
    ],
    "rnn_mean_packed_sgd_one_cycle": [
        "model=rnn", "model.bidirectional=true", "model.readout=mean", "model.bias=false", "sequence=random_length",
        "optimizer=sgd", "optimizer.lr=0.05", "optimizer.momentum=0", "schedule=one_cycle",
    ],
    "lstm_max_projected": [
        "model.bidirectional=true", "model.readout=max", "model.proj_size=4", "model.forget_bias=1",
        "model.init=orthogonal", "optimizer=sgd", "optimizer.weight_decay=0.001", "schedule=one_cycle",
        "data.split_seed=5",
    ],
    "gru_bf16_rmsprop": ["model=gru", "training.precision=bf16", "optimizer=rmsprop", "training.deterministic=false"],
    "rnn_permuted_pixels": [
        "model=rnn", "model.num_layers=1", "sequence=permuted_pixels", "sequence.permutation_seed=2",
        "training.epochs=1",
    ],
    "lstm_interrupted": [
        "model.dropout=0.2", "data.augmentation.max_shift=2", "schedule=one_cycle", "optimizer=adamw",
        "training.epochs=4", "training.early_stopping_patience=2",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(
    first_code: Path, mnist: DataSet, mnist_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The folders of all runs as ``first`` and as ``today`` makes them: one process each, side by side."""
    assert len(mnist.test.labels)  # and so unpacked, before two processes come for it
    codes = {
        "first": (first_code, "rnn_mnist.composition", "rnn_mnist.train_run"),
        "today": (REPOSITORY, "rnn_mnist.configuration.compose", "rnn_mnist.training.one_run"),
    }
    runs = {
        name: {"overrides": [*SMALL, *overrides], "interrupt": name == "lstm_interrupted"}
        for name, overrides in RUNS.items()
    }
    folders = {name: tmp_path_factory.mktemp(name) for name in codes}
    order = tmp_path_factory.mktemp("order") / "runs.json"
    order.write_text(json.dumps(runs))
    children = {
        name: subprocess.Popen(
            [sys.executable, str(TRAIN_RUNS), *map(str, code), str(order)],
            cwd=folders[name],
            env=os.environ | {"PYTHONPATH": str(code[0]), "RNN_MNIST_DATA": str(mnist_root)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, code in codes.items()
    }
    for child in children.values():
        _, stderr = child.communicate()
        assert child.returncode == 0, stderr
    return folders


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_bits_stay(name: str, trained: dict[str, Path]) -> None:
    assert_same_bits(trained["today"] / name, trained["first"] / name)
