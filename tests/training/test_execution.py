"""PyTorch's switches around a run are put back, and memory that does not suffice is one line."""

import re
import weakref
from typing import Any

import pytest
import torch

from rnn_mnist.configuration.mistakes import explain_error
from rnn_mnist.training.execution import MemoryExhaustedError, execution, out_of_memory_as_error
from tests.training.test_trainer import CPU, configure


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
@pytest.mark.parametrize("model", ["model.dropout=0", "model.dropout=0.5", "model.proj_size=4"])
def test_the_switches_of_a_gpu_are_set_and_put_back(
    precision: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They can be turned without a GPU; what they do on one is tested in tests/gpu."""
    calls: list[str] = []
    monkeypatch.setattr(torch.cuda, "init", lambda: calls.append("init"))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda _: calls.append("reset"))
    cudnn: Any = torch.backends.cudnn
    matmul: Any = torch.backends.cuda.matmul
    before = (cudnn.enabled, cudnn.rnn.fp32_precision, matmul.fp32_precision)
    config = configure(f"training.precision={precision}", model)
    with execution(config, torch.device("cuda:0")):
        assert calls == ["init", "reset"]
        # A projection is what our own call of cuDNN does not do.
        assert cudnn.enabled == (precision != "bf16" or "proj_size" not in model)
        expected = "tf32" if precision == "tf32" else "ieee"
        assert (cudnn.rnn.fp32_precision, matmul.fp32_precision) == (expected, expected)
    assert (cudnn.enabled, cudnn.rnn.fp32_precision, matmul.fp32_precision) == before


def test_threads_are_put_back() -> None:
    before = torch.get_num_threads()
    with execution(configure(f"training.threads={before + 1}"), CPU):
        assert torch.get_num_threads() == before + 1
        assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == before
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_cpu_without_room_is_one_line() -> None:
    with pytest.raises(MemoryExhaustedError) as caught, out_of_memory_as_error():
        torch.empty(10**14)
    line = explain_error(caught.value)
    assert line is not None
    assert line.startswith("out of memory (372,529.0 GiB asked for at once); a smaller training.batch_size")
    assert "model.hidden_size" in line


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has"),
            "(20.0 GiB asked for at once)",
        ),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "out of memory; a smaller"),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), "out of memory; a smaller"),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 2147483648 bytes."), "(2.0 GiB"),
        (MemoryError("Unable to allocate"), "out of memory; a smaller"),
    ],
)
def test_what_each_allocator_says_is_understood(error: Exception, words: str) -> None:
    with pytest.raises(MemoryExhaustedError, match=re.escape(words)), out_of_memory_as_error():
        raise error


def test_other_errors_than_memory_are_left_alone() -> None:
    with pytest.raises(RuntimeError, match=r"^mat1 and mat2$"), out_of_memory_as_error():
        raise RuntimeError("mat1 and mat2")


def test_an_error_that_is_kept_keeps_no_tensors() -> None:
    references = []

    def step() -> None:
        activations = torch.zeros(3)
        references.append(weakref.ref(activations))
        torch.empty(10**14)

    with pytest.raises(MemoryExhaustedError) as caught, out_of_memory_as_error():
        step()
    assert caught.value.__cause__ is not None
    assert references[0]() is None
