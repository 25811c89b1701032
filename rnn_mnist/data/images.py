"""The images that a run trains on and is tested on, as tensors, and their split into training and validation.

A data set is held whole, as uint8, on the device that trains on it (MNIST: 47 MB); batches are cut there.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rnn_mnist.catalogues.data_sets import find_data_set
from rnn_mnist.data.files import data_checksum, read_data_set, unusable
from rnn_mnist.data.seeding import generator


@dataclass(frozen=True)
class LabelledImages:
    """Images ``[image, row, column]`` of uint8 and their classes ``[image]`` of int64, in the data set's own order."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        """The number of images."""
        return len(self.images)

    def first(self, count: int) -> "LabelledImages":
        """The first so many of them."""
        return LabelledImages(self.images[:count], self.labels[:count])

    def take(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Images ``[batch, row, column]`` and classes ``[batch]`` at ``indices`` (``[batch]``, on their device).

        On a CPU a batch takes a seventh of the time that indexing by ``[indices]`` takes.
        """
        return self.images.index_select(0, indices), self.labels.index_select(0, indices)

    def to(self, device: torch.device) -> "LabelledImages":
        """The same images on another device."""
        return LabelledImages(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class DataSet:
    """The training and the standard test images of a data set, and the SHA-256 of all of them."""

    train: LabelledImages
    test: LabelledImages
    checksum: str


@lru_cache(maxsize=2)
def load_data_set(name: str, root: Path, loader: str | None = None) -> DataSet:
    """Read a data set, unpacking or downloading it on first use (see :func:`rnn_mnist.data.files.read_data_set`).

    Raises:
        DataError: if a file is missing, corrupt or cannot be had.
        UnknownDataSetError: if there is no such data set.
    """
    spec = find_data_set(name)
    try:
        parts = read_data_set(spec, root, loader)
        known = data_checksum(spec, root, parts)
    except OSError as error:
        raise unusable(root, error) from error
    # Converted by numpy: PyTorch would start its pool of threads for it.
    train, test = (
        LabelledImages(torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64))) for images, labels in parts
    )
    return DataSet(train, test, known)


def split_indices(count: int, validation_size: int, train_fraction: float, split_seed: int) -> tuple[Tensor, Tensor]:
    """Which of ``count`` training images train and which validate: two sorted index vectors without overlap.

    The validation images depend on ``split_seed`` and ``validation_size`` alone, so that a swept ``train_fraction``
    is measured on the same ones.
    """
    order = torch.randperm(count, generator=generator(split_seed, "split"))
    validation, rest = order[:validation_size], order[validation_size:]
    train = rest[: max(1, round(len(rest) * train_fraction))]
    return train.sort().values, validation.sort().values
