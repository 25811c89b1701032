"""What the steps of an epoch measured is all there, in their order, and the next epoch begins anew."""

import torch

from rnn_mnist.training.tally import Tally


def test_each_step_has_its_place_in_each_epoch() -> None:
    tally = Tally(3, torch.device("cpu"))
    losses, norms = tally.losses, tally.norms
    for epoch in (10, 20):
        tally.begin()
        for step in range(3):
            tally.add(torch.tensor(epoch + step + 0.5), torch.tensor(epoch * 2.0 + step), torch.tensor(step))
        assert tally.losses.tolist() == [epoch + 0.5, epoch + 1.5, epoch + 2.5]
        assert tally.norms.tolist() == [epoch * 2, epoch * 2 + 1, epoch * 2 + 2]
        assert int(tally.correct) == 3
    assert tally.losses is losses, "a CUDA graph writes to where it was"
    assert tally.norms is norms
