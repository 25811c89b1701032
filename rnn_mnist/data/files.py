"""The standard test images and their true classes, read from the data sets' own files without torch.

MNIST comes with the package. The others are read where the harness unpacked them: ``data.root``, else
``$RNN_MNIST_DATA``, else the per-user cache folder.
"""

import gzip
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from rnn_mnist.configuration.schema import DataName
from rnn_mnist.errors import ExpectedError

_BUNDLED_MNIST = Path(__file__).parent / "bundled" / "mnist"

# Folder under the root, file of images, file of labels: as torchvision lays them out.
_FILES = {
    DataName.fashion_mnist: ("FashionMNIST", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
    DataName.kmnist: ("KMNIST", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
    DataName.qmnist: ("QMNIST", "qmnist-test-images-idx3-ubyte", "qmnist-test-labels-idx2-int"),
    DataName.emnist_digits: ("EMNIST", "emnist-digits-test-images-idx3-ubyte", "emnist-digits-test-labels-idx1-ubyte"),
}
# The third byte of an IDX file: the type of its numbers, which are big-endian.
_IDX_TYPES: dict[int, np.dtype[Any]] = {8: np.dtype("u1"), 12: np.dtype(">i4")}


class TestImagesError(ExpectedError):
    """The test images of a data set are not here; the message names the file."""

    __test__ = False  # not a test class, whatever pytest makes of its name


def load_test_images(name: str = "mnist", root: str | Path | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 ``[image, 28, 28]`` and true classes uint8 ``[image]``, in the order of a run's predictions.

    Args:
        name: the data set, as in ``data.name``.
        root: ``data.root`` of the runs; None for where the harness looks by itself. Bundled MNIST needs none.

    Raises:
        TestImagesError: if a file is missing or broken.
    """
    return _load(DataName(name), None if root is None else Path(root).expanduser())


@lru_cache(maxsize=4)
def _load(name: DataName, root: Path | None) -> tuple[np.ndarray, np.ndarray]:
    if name == DataName.mnist:
        images = _read_idx(_BUNDLED_MNIST / "t10k-images-idx3-ubyte.gz")
        labels = _read_idx(_BUNDLED_MNIST / "t10k-labels-idx1-ubyte.gz")
    else:
        folder, image_file, label_file = _FILES[name]
        raw = (root or _default_root()) / folder / "raw"
        images, labels = _read_idx(_existing(raw / image_file, name)), _read_idx(_existing(raw / label_file, name))
    if name == DataName.qmnist:
        # The first 10,000 are MNIST's test images; the other columns of the labels say who wrote the digit.
        images, labels = images[:10_000], labels[:10_000, 0]
    if name == DataName.emnist_digits:
        images = images.transpose(0, 2, 1)  # EMNIST stores its images column by column
    images, labels = np.ascontiguousarray(images), labels.astype(np.uint8)
    images.flags.writeable = labels.flags.writeable = False  # the cache hands out the same arrays
    return images, labels


def _default_root() -> Path:
    from_environment = os.environ.get("RNN_MNIST_DATA")
    return Path(from_environment).expanduser() if from_environment else user_cache_path("rnn_mnist", appauthor=False)


def _existing(path: Path, name: DataName) -> Path:
    for candidate in (path, path.with_name(f"{path.name}.gz")):
        if candidate.exists():
            return candidate
    raise TestImagesError(
        f"{path}: no such file; a run with data={name} puts it there (data.root or RNN_MNIST_DATA say where)"
    )


def _read_idx(path: Path) -> np.ndarray:
    """An array from a file in the IDX format (yann.lecun.com/exdb/mnist), gzipped or not."""
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        kind, dimensions = _IDX_TYPES[content[2]], content[3]
        shape = np.frombuffer(content, ">u4", dimensions, offset=4)
        array: np.ndarray = np.frombuffer(content, kind, offset=4 + 4 * dimensions).reshape(shape)
    except (OSError, EOFError, ValueError, KeyError, IndexError) as error:
        raise TestImagesError(f"{path}: not a readable IDX file: {error}") from error
    return array
