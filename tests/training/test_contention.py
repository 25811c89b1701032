"""When a run says that other processes slow it down."""

import pytest

from rnn_mnist.training.contention import describe


@pytest.mark.parametrize(("threads", "cores", "taken"), [(2, 2, 1.0), (8, 8, 8.0), (4, 8, 5.0)])
def test_fewer_cores_left_than_threads_is_said_with_the_cure(threads: int, cores: int, taken: float) -> None:
    line = describe(threads, cores, taken)
    assert line is not None
    assert "training.threads=1" in line


@pytest.mark.parametrize(("threads", "cores", "taken"), [(2, 2, 0.1), (1, 2, 2.0), (4, 8, 3.5)])
def test_an_idle_machine_and_one_thread_are_not(threads: int, cores: int, taken: float) -> None:
    assert describe(threads, cores, taken) is None
