"""The schema of a run's configuration: every key with its type, range and unit. Imports neither torch nor Hydra.

The values that a command starts from stand in ``conf/``; a default here only says what a key means when a YAML file
leaves it out. Ranges are declared beside their fields with :func:`bounded` and enforced by
:mod:`rnn_mnist.configuration.resolution`.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from omegaconf import MISSING

IMAGE_SIZE = 28
NUM_CLASSES = 10


class Cell(StrEnum):
    """Which of PyTorch's recurrent modules a model is."""

    rnn = "rnn"
    lstm = "lstm"
    gru = "gru"


class Readout(StrEnum):
    """How the module's outputs become the one vector that the linear layer classifies."""

    last_step = "last_step"
    final_hidden = "final_hidden"
    mean = "mean"
    max = "max"


class Initialisation(StrEnum):
    """How the recurrent weights start."""

    pytorch = "pytorch"
    orthogonal = "orthogonal"
    identity = "identity"


class Nonlinearity(StrEnum):
    """The activation of ``nn.RNN``."""

    tanh = "tanh"
    relu = "relu"


class SequenceKind(StrEnum):
    """How a 28x28 image becomes a sequence of time steps."""

    rows = "rows"
    columns = "columns"
    pixels = "pixels"
    permuted_pixels = "permuted_pixels"
    random_length = "random_length"

    @property
    def reads_pixels(self) -> bool:
        """Whether a time step is a single pixel."""
        return self in (SequenceKind.pixels, SequenceKind.permuted_pixels)


class OptimizerName(StrEnum):
    """The class in ``torch.optim``."""

    adam = "adam"
    adamw = "adamw"
    sgd = "sgd"
    rmsprop = "rmsprop"


class ScheduleName(StrEnum):
    """How the learning rate moves over the run."""

    constant = "constant"
    cosine = "cosine"
    one_cycle = "one_cycle"
    step = "step"


class Precision(StrEnum):
    """The number format of the matrix multiplications."""

    fp32 = "fp32"
    tf32 = "tf32"
    bf16 = "bf16"


def bounded(
    default: Any, *, ge: float | None = None, gt: float | None = None, le: float | None = None, lt: float | None = None
) -> Any:
    """A dataclass field whose number lies within the given bounds and is finite (``None`` values pass)."""
    bounds = {"ge": ge, "gt": gt, "le": le, "lt": lt}
    return field(default=default, metadata={name: bound for name, bound in bounds.items() if bound is not None})


@dataclass
class ModelConfig:
    """What ``nn.RNN``, ``nn.LSTM`` and ``nn.GRU`` have in common, and the read-out on top of them.

    Attributes:
        cell: set by the choice of ``model=rnn|lstm|gru``.
        num_layers: recurrent layers stacked on one another; not the number of time steps.
        hidden_size: features H of the hidden state of each layer and direction.
        parameter_budget: if set, replaces ``hidden_size`` (within its range) by the one whose model (linear layer
            included) has the number of parameters nearest to this (cells at equal parameter count: Collins et al. 2017,
            arXiv:1611.09913).
        bias: whether the two bias vectors of each layer exist.
        batch_first: whether the module works on ``[batch, time, feature]`` or ``[time, batch, feature]``.
        dropout: probability of zeroing an output of every layer but the last, in training.
        bidirectional: whether a second set of weights reads the sequence backwards.
        readout: ``last_step`` is ``output[:, -1]``; ``final_hidden`` is ``h_n`` of the last layer, all directions;
            ``mean`` and ``max`` pool the outputs over time.
        init: ``pytorch`` draws all from U(-1/sqrt(H), 1/sqrt(H)); ``orthogonal`` makes each gate's recurrent matrix
            orthogonal (Saxe et al. 2014, arXiv:1312.6120); ``identity`` is for relu RNNs (Le et al. 2015,
            arXiv:1504.00941).
    """

    cell: Cell = MISSING
    num_layers: int = bounded(1, ge=1, le=1000)
    hidden_size: int = bounded(128, ge=1, le=100_000)
    parameter_budget: int | None = bounded(None, ge=1)
    bias: bool = True
    batch_first: bool = True
    dropout: float = bounded(0.0, ge=0, le=1)
    bidirectional: bool = False
    readout: Readout = Readout.last_step
    init: Initialisation = Initialisation.pytorch

    @property
    def num_directions(self) -> int:
        """D in PyTorch's documentation: 2 if bidirectional, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        """Features of one time step of ``output``: D*H, or D*proj_size where a projection is set."""
        return self.num_directions * (getattr(self, "proj_size", 0) or self.hidden_size)


@dataclass
class RNNConfig(ModelConfig):
    """``nn.RNN``: ``nonlinearity`` is its activation."""

    cell: Cell = Cell.rnn
    nonlinearity: Nonlinearity = Nonlinearity.tanh


@dataclass
class LSTMConfig(ModelConfig):
    """``nn.LSTM``.

    Attributes:
        proj_size: if positive, ``h`` is projected to this many features before it is output and fed back
            (Sak et al. 2014, arXiv:1402.1128); 0 leaves ``h`` at ``hidden_size``.
        forget_bias: if set, the forget gate's two bias vectors start with this sum (1 is usual; Jozefowicz et al.
            2015, "An empirical exploration of recurrent network architectures").
    """

    cell: Cell = Cell.lstm
    proj_size: int = bounded(0, ge=0)
    forget_bias: float | None = bounded(None, ge=-100, le=100)


@dataclass
class GRUConfig(ModelConfig):
    """``nn.GRU``: nothing beyond the common keys."""

    cell: Cell = Cell.gru


@dataclass
class SequenceConfig:
    """How an image becomes ``[time, feature]``; set by the choice of ``sequence=...``."""

    kind: SequenceKind = MISSING

    @property
    def shape(self) -> tuple[int, int]:
        """The (longest) number of time steps and the features of each."""
        if self.kind.reads_pixels:
            return IMAGE_SIZE * IMAGE_SIZE, 1
        return IMAGE_SIZE, IMAGE_SIZE


@dataclass
class PermutedPixelsConfig(SequenceConfig):
    """Pixels in one fixed random order (Le et al. 2015, arXiv:1504.00941), drawn from ``permutation_seed``."""

    kind: SequenceKind = SequenceKind.permuted_pixels
    permutation_seed: int = bounded(0, ge=0)


@dataclass
class RandomLengthConfig(SequenceConfig):
    """The first rows of each image: their number is drawn once per image, evenly from ``min_rows`` to 28."""

    kind: SequenceKind = SequenceKind.random_length
    min_rows: int = bounded(14, ge=1, le=IMAGE_SIZE)
    length_seed: int = bounded(0, ge=0)


@dataclass
class AugmentationConfig:
    """Random changes of each training image; 0 turns one off.

    Attributes:
        max_shift: largest shift along each axis, pixels.
        max_rotation: largest rotation either way, degrees.
        max_scale: largest relative change of size either way (0.1: from 90 % to 110 %).
    """

    max_shift: float = bounded(0.0, ge=0, le=IMAGE_SIZE)
    max_rotation: float = bounded(0.0, ge=0, le=180)
    max_scale: float = bounded(0.0, ge=0, lt=1)

    @property
    def active(self) -> bool:
        """Whether any change is on."""
        return bool(self.max_shift or self.max_rotation or self.max_scale)


@dataclass
class DataConfig:
    """The data set and its split.

    Attributes:
        name: set by the choice of ``data=...``; one of :data:`rnn_mnist.catalogues.data_sets.DATA_SETS`.
        root: the folder that data sets are unpacked in; ``null`` means ``$RNN_MNIST_DATA``, else a per-user cache.
        validation_size: images taken from the training set for validation; 0 trains on all of them.
        split_seed: draws the split and the training fraction, so that it is the same for every ``seed``.
        train_fraction: share of what remains that is trained on.
    """

    name: str = MISSING
    root: str | None = None
    validation_size: int = bounded(5000, ge=0)
    split_seed: int = bounded(0, ge=0)
    train_fraction: float = bounded(1.0, gt=0, le=1)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)


@dataclass
class OptimizerConfig:
    """What the optimizers have in common; names and meanings as in ``torch.optim``."""

    name: OptimizerName = MISSING
    lr: float = bounded(0.01, gt=0, le=1000)
    weight_decay: float = bounded(0.0, ge=0, le=1000)


@dataclass
class AdamConfig(OptimizerConfig):
    """``torch.optim.Adam``."""

    name: OptimizerName = OptimizerName.adam
    beta1: float = bounded(0.9, ge=0, lt=1)
    beta2: float = bounded(0.999, ge=0, lt=1)
    eps: float = bounded(1e-8, gt=0)


@dataclass
class AdamWConfig(AdamConfig):
    """``torch.optim.AdamW``: weight decay apart from the gradient."""

    name: OptimizerName = OptimizerName.adamw
    weight_decay: float = bounded(0.01, ge=0, le=1000)


@dataclass
class SGDConfig(OptimizerConfig):
    """``torch.optim.SGD``."""

    name: OptimizerName = OptimizerName.sgd
    momentum: float = bounded(0.0, ge=0, lt=1)
    nesterov: bool = False


@dataclass
class RMSpropConfig(OptimizerConfig):
    """``torch.optim.RMSprop``."""

    name: OptimizerName = OptimizerName.rmsprop
    alpha: float = bounded(0.99, ge=0, lt=1)
    eps: float = bounded(1e-8, gt=0)
    momentum: float = bounded(0.0, ge=0, lt=1)
    centered: bool = False


@dataclass
class ScheduleConfig:
    """How the learning rate moves; ``optimizer.lr`` is its highest value. Set by the choice of ``schedule=...``."""

    name: ScheduleName = MISSING


@dataclass
class CosineConfig(ScheduleConfig):
    """Half a cosine from ``optimizer.lr`` to ``final_fraction`` of it (Loshchilov, Hutter 2017, arXiv:1608.03983)."""

    name: ScheduleName = ScheduleName.cosine
    final_fraction: float = bounded(0.0, ge=0, le=1)


@dataclass
class OneCycleConfig(ScheduleConfig):
    """``torch.optim.lr_scheduler.OneCycleLR`` (Smith and Topin 2018, arXiv:1708.07120), names as there.

    Attributes:
        pct_start: share of the steps in which the rate rises to ``optimizer.lr``.
        div_factor: the first rate is ``optimizer.lr / div_factor``.
        final_div_factor: the last rate is the first one divided by this.
        cycle_momentum: whether momentum (Adam: beta1) falls from 0.95 to 0.85 while the rate rises, and back; the
            optimizer's own value then has no effect and counts as 0.95. Off where the optimizer has no momentum
            (RMSprop and SGD with ``momentum=0``), which one cycle would switch on.
    """

    name: ScheduleName = ScheduleName.one_cycle
    pct_start: float = bounded(0.3, gt=0, lt=1)
    div_factor: float = bounded(25.0, ge=1)
    final_div_factor: float = bounded(1e4, ge=1)
    cycle_momentum: bool = True


@dataclass
class StepConfig(ScheduleConfig):
    """The rate is multiplied by ``gamma`` every ``step_size`` epochs."""

    name: ScheduleName = ScheduleName.step
    step_size: int = bounded(1, ge=1)
    gamma: float = bounded(0.1, gt=0, le=1)


@dataclass
class TrainingConfig:
    """How long, in what portions, on what.

    Attributes:
        epochs: passes over the training images.
        batch_size: training images a step; the last, smaller batch of an epoch is used too.
        evaluation_batch_size: images a batch where nothing is learned; it changes speed and memory alone.
        gradient_clip_norm: if set, the gradient is scaled down to at most this norm.
        label_smoothing: share of the target spread evenly over the classes (in the training loss only).
        early_stopping_patience: if set, training ends after this many epochs without a better one (a higher
            validation accuracy, or the same at a lower validation loss).
        precision: ``fp32``; ``tf32`` lets an NVIDIA GPU round the factors of products to 10 bits of mantissa;
            ``bf16`` is autocast.
        device: ``auto`` (the GPU where there is one), ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        deterministic: only algorithms that give the same bits each time.
        threads: CPU threads of PyTorch; ``null`` leaves its own choice (``OMP_NUM_THREADS``, else one a core).
    """

    epochs: int = bounded(2, ge=1, le=100_000)
    batch_size: int = bounded(128, ge=1)
    evaluation_batch_size: int = bounded(1000, ge=1, le=1_000_000)
    gradient_clip_norm: float | None = bounded(None, gt=0)
    label_smoothing: float = bounded(0.0, ge=0, lt=1)
    early_stopping_patience: int | None = bounded(None, ge=1)
    precision: Precision = Precision.fp32
    device: str = "auto"
    deterministic: bool = True
    threads: int | None = bounded(None, ge=1, le=1024)


@dataclass
class Config:
    """One run, whole.

    Attributes:
        seed: governs initialisation, shuffling, dropout and augmentation.
        sweep: the folder of a sweep under ``outputs/``; ``null`` names it by the command's overrides.
        resume: whether a completed run is skipped and an interrupted one continued; ``false`` trains anew.
        question: what a named study asks; printed with its sweep.
    """

    model: ModelConfig = MISSING
    sequence: SequenceConfig = MISSING
    data: DataConfig = MISSING
    optimizer: OptimizerConfig = MISSING
    schedule: ScheduleConfig = MISSING
    training: TrainingConfig = field(default_factory=TrainingConfig)
    seed: int = bounded(0, ge=0, lt=2**32)
    sweep: str | None = None
    resume: bool = True
    question: str | None = None
