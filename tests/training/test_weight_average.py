"""The moving average of the weights: what it is, and that runs with it go on exactly."""

from pathlib import Path

import pytest
import torch
from torch import nn

from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.configuration.identity import run_id
from rnn_mnist.data.images import DataSet
from rnn_mnist.training.trainer import Trainer
from rnn_mnist.training.weight_average import WeightAverage
from tests.conftest import SMALL

CPU = torch.device("cpu")
AVERAGED = (*SMALL, "training.epochs=3", "training.weight_average=0.9")


def test_it_is_the_exponential_average_with_a_beginning() -> None:
    parameter = nn.Parameter(torch.tensor([0.0, 10.0]))
    average = WeightAverage([parameter], 0.9)
    expected = parameter.detach().clone()
    for step in range(1, 200):
        with torch.no_grad():
            parameter.add_(1)
        average.update()
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * parameter.detach()
    before = parameter.detach().clone()
    with average.in_place():
        assert torch.allclose(parameter.detach(), expected)
    assert torch.equal(parameter.detach(), before)


def test_training_itself_is_the_same_with_and_without_it(mnist: DataSet) -> None:
    plain = Trainer(compose_checked([*SMALL, "training.epochs=3"]).config, mnist, CPU)
    averaged = Trainer(compose_checked(AVERAGED).config, mnist, CPU)
    for _ in range(2):
        one, other = plain.train_epoch(), averaged.train_epoch()
        assert (one.train_loss, one.gradient_norm) == (other.train_loss, other.gradient_norm)
        assert one.val_loss != other.val_loss
    for mine, its in zip(plain.model.parameters(), averaged.model.parameters(), strict=True):
        assert torch.equal(mine, its)


def test_an_interrupted_run_comes_out_the_same(mnist: DataSet, tmp_path: Path) -> None:
    config = compose_checked(AVERAGED).config
    whole, first = Trainer(config, mnist, CPU), Trainer(config, mnist, CPU)
    while not whole.finished:
        whole.train_epoch()
    first.train_epoch()
    torch.save(first.state_dict(), tmp_path / "checkpoint.pt")
    second = Trainer(config, mnist, CPU)
    second.load_state_dict(torch.load(tmp_path / "checkpoint.pt", weights_only=True))
    while not second.finished:
        second.train_epoch()
    assert [row.val_loss for row in second.history] == [row.val_loss for row in whole.history]
    assert torch.equal(second.test().evaluation.predictions, whole.test().evaluation.predictions)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("training.weight_average", "null"),
        ("data.augmentation.elastic", "0"),
        ("data.augmentation.row_dropout", "0.0"),
    ],
)
def test_a_key_that_came_later_changes_no_id_where_it_is_off(key: str, value: str) -> None:
    assert run_id(compose_checked([f"{key}={value}"]).config) == run_id(compose_checked([]).config)
    assert run_id(compose_checked([f"{key}=0.5"]).config) != run_id(compose_checked([]).config)
