"""The network of a completed run, with its input prepared as the run prepared it: images in, probabilities out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hydra_plugins.workstation_launcher import open_plain
from rnn_mnist.catalogues.data_sets import find_data_set
from rnn_mnist.catalogues.sequences import IMAGE_SIZE
from rnn_mnist.configuration.schema import Config, config_from_dict
from rnn_mnist.data.sequences import SequenceReader
from rnn_mnist.errors import ExpectedError
from rnn_mnist.network.classifier import RecurrentClassifier
from rnn_mnist.runs.files import RunFormatError
from rnn_mnist.runs.foreign_code import named_code, refuse_code_beside
from rnn_mnist.runs.run import Run
from rnn_mnist.training.execution import autocast, out_of_memory_as_error, resolve_device


@dataclass(frozen=True)
class TrainedModel:
    """A run's network with the weights of its best epoch.

    Attributes:
        network: the classifier, in evaluation mode; ``network.recurrent`` is PyTorch's module, ``network.linear`` the
            layer on top.
        config: the run's configuration.
        classes: what each class is called: digits, or ``T-shirt/top``.
        device: where it computes.
    """

    network: RecurrentClassifier
    config: Config
    classes: tuple[str, ...]
    device: torch.device

    def predict(self, images: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """The probability of each class: float32 ``[class]`` of one image, ``[image, class]`` of several.

        Scaling, the order of the sequence and the layout are those of the run.

        Args:
            images: uint8 ``[28, 28]`` or ``[image, 28, 28]``, upright, bright on black (0) as MNIST's are.
            rows: for ``sequence=random_length``, how many rows of each image are read, ``[image]`` (one image: a
                number), 1 to 28; None reads all. :meth:`test_rows` has those of the run's test images.

        Raises:
            ExpectedError: if the images are of another type or shape, or the rows do not fit.
        """
        given = np.asarray(images)
        if given.dtype != np.uint8 or given.ndim not in (2, 3) or given.shape[-2:] != (IMAGE_SIZE, IMAGE_SIZE):
            raise ExpectedError(
                f"images: {given.dtype.name} {list(given.shape)}; must be uint8 [28, 28] or [image, 28, 28]"
            )
        batch = torch.from_numpy(np.array(given.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)))
        lengths = self._lengths(rows, len(batch))
        size = self.config.training.evaluation_batch_size
        parts = [
            self._probabilities(batch[start : start + size], None if lengths is None else lengths[start : start + size])
            for start in range(0, len(batch), size)
        ]
        found: np.ndarray = torch.cat(parts).numpy() if parts else np.empty((0, len(self.classes)), np.float32)
        return found[0] if given.ndim == 2 else found

    def test_rows(self, count: int) -> np.ndarray | None:
        """Rows that the run read of each of its ``count`` test images, ``[image]``; None where it read all of all."""
        lengths = self._reader(count).lengths
        return None if lengths is None else lengths.numpy()

    @torch.inference_mode()
    def _probabilities(self, images: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
        sequences, _ = self._reader(len(images)).read(images.to(self.device), torch.arange(len(images)))
        with out_of_memory_as_error(), autocast(self.config.training.precision, self.device):
            logits: torch.Tensor = self.network(sequences, lengths)
        return logits.float().softmax(1).cpu()

    def _reader(self, count: int) -> SequenceReader:
        return SequenceReader.create(self.config.sequence, count, "test", self.device)

    def _lengths(self, rows: np.ndarray | None, count: int) -> torch.Tensor | None:
        if self._reader(1).lengths is None:
            if rows is not None:
                raise ExpectedError(f"rows: the run's sequence={self.config.sequence.kind} reads all of every image")
            return None
        lengths = np.full(count, IMAGE_SIZE) if rows is None else np.atleast_1d(np.asarray(rows))
        if lengths.shape != (count,) or lengths.dtype.kind not in "iu":
            raise ExpectedError(f"rows: {lengths.dtype.name} {list(lengths.shape)}; must be a whole number an image")
        if count and not 1 <= lengths.min() <= lengths.max() <= IMAGE_SIZE:
            raise ExpectedError(f"rows: {lengths.min()} to {lengths.max()}; must be 1 to {IMAGE_SIZE}")
        return torch.from_numpy(lengths.astype(np.int64))


def load_trained_model(directory: Path, device: str = "cpu") -> TrainedModel:
    """The model of the completed run in ``directory``, from its ``manifest.json`` and ``model.pt`` alone.

    Weights are read as tensors only, so that the file of a stranger can run nothing. What a run of ``model=custom``
    was made of is imported, as when it was trained, unless it lies among the runs themselves.

    Args:
        directory: of the run.
        device: as ``training.device``.

    Raises:
        ExpectedError: if this is not the directory of a completed run, its files cannot be read or do not fit each
            other, an option is not known here, or the device is not there.
    """
    manifest = Run(directory).manifest()
    if not manifest:
        raise RunFormatError(f"{directory}: no manifest.json; give the directory of one run")
    try:
        config = config_from_dict(manifest["config"])
        for key, path in named_code(config):
            refuse_code_beside(key, path, directory)
        classes = find_data_set(config.data.name).classes
        if manifest.get("weights_removed") is True and not (directory / "model.pt").exists():
            raise RunFormatError(f"{directory}: its weights were removed; resume=false trains it anew")
        state = read_weights(directory / "model.pt")
        with torch.random.fork_rng(devices=[]):  # its first weights are drawn, and replaced
            network = RecurrentClassifier(config.model, config.features)
        network.recurrent.load_state_dict(state["recurrent"])
        network.linear.load_state_dict(state["linear"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunFormatError(f"{directory}: not known here: {type(error).__name__}: {error}") from error
    except RuntimeError as error:
        raise RunFormatError(f"{directory}: model.pt does not fit manifest.json: {_joined(error)}") from error
    there = resolve_device(device)
    return TrainedModel(network.eval().to(there), config, tuple(classes), there)


def read_weights(path: Path) -> dict[str, Any]:
    """What a ``model.pt`` holds: the state dicts of the plain modules, by name.

    Raises:
        RunFormatError: if it is missing or broken.
    """
    try:
        with open_plain(path) as file:
            state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise RunFormatError(f"{path}: no such file; has the run completed?") from None
    # torch.load meets a damaged file as RuntimeError, UnpicklingError, EOFError, KeyError ...
    except Exception as error:
        raise RunFormatError(f"{path}: unreadable: {_joined(error)}") from error
    return state


def _joined(error: Exception) -> str:
    return " ".join(str(error).split())
