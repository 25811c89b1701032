"""How long a run will take on this machine's CPU, from its configuration alone. Imports neither torch nor Hydra.

The time of a training step is that of its products, its elementwise work, its calls (one a layer, direction and time
step) and a constant. The coefficients were fitted to 45 networks of all three cells (hidden sizes of 8 to 512, 1 to 3
layers, both directions, batches of 32 to 512, rows and pixels) trained with one thread on an Intel Xeon with AVX-512;
there the fit lies within 0.54 to 1.25 times what was measured. Another machine is set beside that one by a probe in
numpy, of 20 ms. An estimate, for whoever decides whether to wait.
"""

import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rnn_mnist.catalogues.cells import CELLS, ModelConfig
from rnn_mnist.catalogues.data_sets import DATA_SETS
from rnn_mnist.catalogues.sequences import SEQUENCES
from rnn_mnist.configuration.schema import Config


@dataclass(frozen=True)
class _Speed:
    """Seconds a product of two numbers, a gate's value, a call of the cell; each with its backward pass."""

    product: float
    value: float
    call: float


_SPEEDS = {
    "rnn": _Speed(51e-12, 3.0e-9, 23e-6),
    "lstm": _Speed(29e-12, 1.6e-9, 22e-6),
    "gru": _Speed(49e-12, 2.9e-9, 81e-6),
}
_SECONDS_A_STEP = 0.4e-3
_SECONDS_A_RUN = 0.6
_FORWARD_ALONE = 0.4
"""What an image costs that nothing is learned from, of what it costs in training."""
_PROBE_SECONDS = 3.22e-3
"""Of the probe, on the machine of the coefficients."""
_USUAL_COUNTS = 60_000, 10_000


def expected_seconds(config: Config) -> float:
    """Seconds that a run takes with one CPU thread to itself: its start, training, validation and the test."""
    data = config.data
    training_images, test_images = DATA_SETS[data.name].counts or _USUAL_COUNTS
    trained = round((training_images - data.validation_size) * data.train_fraction)
    steps_an_epoch = -(-trained // config.training.batch_size)
    steps, features = SEQUENCES[config.sequence.kind].shape
    an_image, a_step = _seconds_of(config.model, steps, features)
    forward_alone = _FORWARD_ALONE * an_image
    an_epoch = steps_an_epoch * a_step + trained * an_image + data.validation_size * forward_alone
    return slowness() * (_SECONDS_A_RUN + config.training.epochs * an_epoch + test_images * forward_alone)


def _seconds_of(model: ModelConfig, steps: int, features: int) -> tuple[float, float]:
    """What an image takes in a training step, and what the step takes besides; on the machine of the coefficients."""
    # Whoever brings a cell brings a loop over the time steps, as PyTorch has one for the GRU.
    speed = _SPEEDS.get(model.cell, _SPEEDS["gru"])
    cell = CELLS[model.cell]
    an_image = 0.0
    for layer in range(model.num_layers):
        products = cell.parameter_count(model, features if layer == 0 else model.output_size)
        an_image += products * speed.product + cell.gates * model.hidden_size * speed.value
    calls = steps * model.num_layers * model.num_directions
    return steps * model.num_directions * an_image, _SECONDS_A_STEP + calls * speed.call


@lru_cache(maxsize=1)
def slowness() -> float:
    """How many times as long this machine takes as that of the coefficients; measured once a process, in 20 ms."""
    matrix = np.linspace(-1, 1, 64 * 64, dtype=np.float32).reshape(64, 64)  # small enough for one thread

    def once() -> float:
        begun = time.thread_time()
        for _ in range(500):
            np.tanh(matrix @ matrix)
        return time.thread_time() - begun

    once()
    return min(once() for _ in range(5)) / _PROBE_SECONDS
