"""The data sets: bundled MNIST, torchvision's others, and the split into training and validation images.

A data set is held whole, as uint8, on the device that trains on it (MNIST: 47 MB); batches are cut there.
"""

import gzip
import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from platformdirs import user_cache_path
from torch import Tensor

from hydra_plugins.workstation_launcher import write_atomically
from rnn_mnist.catalogues.sequences import IMAGE_SIZE
from rnn_mnist.configuration.schema import DataName
from rnn_mnist.data.seeding import generator
from rnn_mnist.errors import ExpectedError

BUNDLED_MNIST = Path(__file__).parent / "bundled" / "mnist"

# File name: MD5 of the compressed file (as on torchvision's mirrors), MD5 of the file itself.
MNIST_MD5 = {
    "train-images-idx3-ubyte": ("c7dfcf1bfd3481a40f7b3aedbdbd083c", "6bbc9ace898e44ae57da46a324031adb"),
    "train-labels-idx1-ubyte": ("d289298a347a2cc65765a3c81043ba88", "a25bea736e30d166cdddb491f175f624"),
    "t10k-images-idx3-ubyte": ("ecff87aa27c74fbc2c1f97e89c19221d", "2646ac647ad5339dbf082846283269ea"),
    "t10k-labels-idx1-ubyte": ("a38049bc042dc6e683842a84160daae1", "27ae3e4e09519cfbb04c329615203637"),
}


class DataError(ExpectedError):
    """A data set that is missing or broken; the message names the file."""


@dataclass(frozen=True)
class LabelledImages:
    """Images ``[image, row, column]`` of uint8 and their classes ``[image]`` of int64, in the data set's own order."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        """The number of images."""
        return len(self.images)

    def to(self, device: torch.device) -> "LabelledImages":
        """The same images on another device."""
        return LabelledImages(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class DataSet:
    """The training and the standard test images of a data set, and the SHA-256 of all of them."""

    train: LabelledImages
    test: LabelledImages
    checksum: str


def data_root(configured: str | None) -> Path:
    """Where data sets are unpacked: ``data.root``, else ``$RNN_MNIST_DATA``, else the per-user cache folder."""
    if configured is not None:
        return Path(configured).expanduser()
    from_environment = os.environ.get("RNN_MNIST_DATA")
    return Path(from_environment).expanduser() if from_environment else user_cache_path("rnn_mnist", appauthor=False)


@lru_cache(maxsize=2)
def load_data_set(name: DataName, root: Path) -> DataSet:
    """Read a data set, unpacking (MNIST) or downloading (the others) it on first use.

    Any number of processes may do so at once.

    Raises:
        DataError: if a file is missing, corrupt or cannot be had.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        if name == DataName.mnist:
            unpack_mnist(root)
        train, test = (_read(name, root, train=train) for train in (True, False))
    except OSError as error:
        raise DataError(f"data.root={root}: cannot be used: {error}") from error
    digest = hashlib.sha256()
    for part in (train.images, train.labels, test.images, test.labels):
        digest.update(part.contiguous().numpy().data)
    return DataSet(train, test, digest.hexdigest())


def unpack_mnist(root: Path, bundled: Path = BUNDLED_MNIST) -> None:
    """Unpack the bundled files to ``<root>/MNIST/raw``, where ``torchvision.datasets.MNIST`` reads them.

    Files that are already there are checked, not replaced.

    Raises:
        DataError: if a bundled or an unpacked file does not have its known MD5 sum.
    """
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    for name, (md5_compressed, md5) in MNIST_MD5.items():
        target = folder / name
        if not target.exists():
            source = bundled / f"{name}.gz"
            if not source.exists():
                raise DataError(f"{source}: missing; install rnn_mnist again")
            compressed = source.read_bytes()
            if _md5(compressed) != md5_compressed:
                raise DataError(f"{source}: corrupt (MD5 is not {md5_compressed}); install rnn_mnist again")
            write_atomically(target, gzip.decompress(compressed))
        if _md5(target.read_bytes()) != md5:
            raise DataError(f"{target}: corrupt or truncated (MD5 is not {md5}); delete it to have it unpacked again")


def split_indices(count: int, validation_size: int, train_fraction: float, split_seed: int) -> tuple[Tensor, Tensor]:
    """Which of ``count`` training images train and which validate: two sorted index vectors without overlap.

    The validation images depend on ``split_seed`` and ``validation_size`` alone, so that a swept ``train_fraction``
    is measured on the same ones.
    """
    order = torch.randperm(count, generator=generator(split_seed, "split"))
    validation, rest = order[:validation_size], order[validation_size:]
    train = rest[: max(1, round(len(rest) * train_fraction))]
    return train.sort().values, validation.sort().values


def _read(name: DataName, root: Path, *, train: bool) -> LabelledImages:
    """Read one half of a data set with torchvision's own class."""
    # Imported here: it takes as long as torch itself, and what only needs the classes above should not wait.
    from torchvision import datasets

    def read(*, download: bool) -> Any:
        match name:
            case DataName.mnist:
                return datasets.MNIST(root, train=train)
            case DataName.fashion_mnist:
                return datasets.FashionMNIST(root, train=train, download=download)
            case DataName.kmnist:
                return datasets.KMNIST(root, train=train, download=download)
            case DataName.qmnist:
                return datasets.QMNIST(root, what="train" if train else "test10k", download=download)
            case DataName.emnist_digits:
                return datasets.EMNIST(root, split="digits", train=train, download=download)

    try:
        try:
            data = read(download=False)
        except RuntimeError:  # not there yet
            with FileLock(root / f".{name}.lock"):
                data = read(download=True)
    # torchvision reports a failed download as RuntimeError, URLError or an HTTP library's OSError, and a broken
    # file as whatever its reader stumbles over.
    except (RuntimeError, OSError, ValueError, TypeError, AssertionError, EOFError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"{_how_to_get(name, root)} ({reason})") from error
    images, labels = data.data, data.targets
    if name == DataName.qmnist:
        labels = labels[:, 0]  # the other columns say who wrote the digit
    if name == DataName.emnist_digits:
        images = images.transpose(1, 2)  # EMNIST stores its images column by column
    if images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE) or len(images) != len(labels):
        raise DataError(_how_to_get(name, root))
    return LabelledImages(images.contiguous(), labels.long().contiguous())


def _how_to_get(name: DataName, root: Path) -> str:
    from torchvision import datasets

    if name == DataName.emnist_digits:
        folder, files = "EMNIST", [(datasets.EMNIST.url, datasets.EMNIST.md5)]
    elif name == DataName.qmnist:
        folder = "QMNIST"
        files = [entry for subset in ("train", "test") for entry in datasets.QMNIST.resources[subset]]
    else:
        kind = datasets.KMNIST if name == DataName.kmnist else datasets.FashionMNIST
        folder, files = kind.__name__, [(kind.mirrors[0] + file, md5) for file, md5 in kind.resources]
    wanted = ", ".join(f"{url} (MD5 {md5})" for url, md5 in files)
    place = root / folder / "raw"
    return f"data={name}: cannot be downloaded or read; fetch {wanted} and put it in {place}, compressed or unpacked"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
