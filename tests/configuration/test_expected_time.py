"""How long a run is expected to take."""

import pytest

from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.configuration.expected_time import expected_seconds


def seconds(*overrides: str) -> float:
    return expected_seconds(compose_checked(list(overrides)).config)


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("training.epochs=1", "training.epochs=3"),
        ("model.num_layers=1", "model.num_layers=3"),
        ("model.hidden_size=32", "model.hidden_size=512"),
        ("model.bidirectional=false", "model.bidirectional=true"),
        ("data.train_fraction=0.1", "data.train_fraction=1"),
        ("training.batch_size=1024", "training.batch_size=8"),
        ("sequence=rows", "sequence=pixels"),
        ("model=rnn", "model=lstm"),
    ],
)
def test_more_work_takes_longer(less: str, more: str) -> None:
    assert seconds(less) < seconds(more)


def test_an_epoch_takes_what_an_epoch_takes() -> None:
    once, twice, thrice = (seconds(f"training.epochs={epochs}") for epochs in (1, 2, 3))
    assert thrice - twice == pytest.approx(twice - once)


def test_a_cell_and_a_data_set_of_ones_own_have_an_estimate_too() -> None:
    assert seconds("model=custom", "model.module=torch.nn.GRU") > 0
    assert seconds("data=custom", "data.loader=tests.data.fake_data_sets.load") > 0
