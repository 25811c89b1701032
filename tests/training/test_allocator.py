"""Memory that a training step frees is there for the next one."""

import platform
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

# Its steps ask for buffers above glibc's usual limit of 32 MiB at most.
MEASURE = """
import resource, sys
import torch
from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.training.execution import execution

config = compose_checked([f"training.keep_memory={sys.argv[1]}", "training.threads=1"]).config
lstm = torch.nn.LSTM(28, 128, num_layers=2, batch_first=True)
images = torch.rand(128, 28, 28)

def step():
    lstm.zero_grad()
    lstm(images)[0].sum().backward()

with execution(config, torch.device("cpu")):
    for _ in range(3):
        step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(keep_memory: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, keep_memory], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's malloc has the switch")
def test_the_steps_of_a_large_lstm_fault_in_no_memory_again() -> None:
    assert page_faults("true") * 10 < page_faults("false")
