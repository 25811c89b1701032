"""The data sets' files: where they lie, whether they are what they should be, and their arrays. Imports no torch.

The unpacked files lie in ``<root>/<folder>/raw``, where torchvision has them too; a compressed one beside them, or
among those that come with the package, stands in for an unpacked one that is not there.

What is read is checked. A file whose MD5 sum is in the catalogue must have it. Of the others (KMNIST, QMNIST, EMNIST)
only the compressed file's sum is published: that file, where it lies beside, must have it, and the unpacked one must
have the length and the CRC-32 that the compressed one ends with. An unpacked file alone is refused if it is known to be
another data set's, and is otherwise taken for what its name says; the sum over all images that a run's manifest keeps
(``data_sha256``) then tells what it was.
"""

import gzip
import hashlib
import os
import zlib
from functools import lru_cache, partial
from http.client import HTTPException
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from filelock import FileLock
from platformdirs import user_cache_path

from hydra_plugins.workstation_launcher import write_atomically
from rnn_mnist.catalogues.data_sets import DataFile, DataSetSpec, FileDataSet, Part, find_data_set, owner_of
from rnn_mnist.catalogues.sequences import IMAGE_SIZE
from rnn_mnist.data.sums import Arrays, checksum, once
from rnn_mnist.errors import ExpectedError

BUNDLED = Path(__file__).parent / "bundled"
"""What comes with the package: compressed files, in a folder of the data set's name."""

# The third byte of an IDX file: the type of its numbers, which are big-endian.
_IDX_TYPES: dict[int, np.dtype[Any]] = {8: np.dtype("u1"), 12: np.dtype(">i4")}

_md5 = partial(hashlib.md5, usedforsecurity=False)  # builds for FIPS refuse it otherwise


class DataError(ExpectedError):
    """A data set that is missing or broken; the message names the file."""


class DownloadError(DataError):
    """A file that is neither here nor to be had; ``reason`` is why, in a few words."""

    def __init__(self, message: str, reason: str) -> None:
        """``message`` is the whole line."""
        super().__init__(message)
        self.reason = reason


def unusable(root: Path, error: OSError) -> DataError:
    """What is said of a ``data.root`` that the system will not let be read or written."""
    return DataError(f"data.root={root}: cannot be used: {error}")


def data_root(configured: str | Path | None) -> Path:
    """Where data sets are unpacked: ``data.root``, else ``$RNN_MNIST_DATA``, else the per-user cache folder."""
    if configured is None:
        configured = os.environ.get("RNN_MNIST_DATA") or user_cache_path("rnn_mnist", appauthor=False)
    return Path(configured).expanduser()


def load_test_images(
    name: str = "mnist", root: str | Path | None = None, loader: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 ``[image, 28, 28]`` and true classes uint8 ``[image]``, in the order of a run's predictions.

    They cannot be written to, and nothing is unpacked to the disk.

    Args:
        name: the data set, as in ``data.name``.
        root: ``data.root`` of the runs; None for where the harness looks by itself.
        loader: ``data.loader`` of the runs, where they have one.

    Raises:
        DataError: if a file is missing or broken.
        UnknownDataSetError: if there is no such data set.
    """
    return _load_test_images(find_data_set(name), data_root(root), loader)


@lru_cache(maxsize=4)
def _load_test_images(spec: DataSetSpec, root: Path, loader: str | None) -> tuple[np.ndarray, np.ndarray]:
    loader = loader or spec.loader
    try:
        images, labels = _loaded(loader, root)[1] if loader else read_part(_in_files(spec), _in_files(spec).test, root)
    except OSError as error:
        raise unusable(root, error) from error
    images.flags.writeable = labels.flags.writeable = False  # the cache hands out the same arrays
    return images, labels


def read_data_set(spec: DataSetSpec, root: Path, loader: str | None = None) -> tuple[Arrays, Arrays]:
    """Training and test images, unpacked or downloaded on first use, or brought by the loader; checked.

    Raises:
        DataError: if a file is missing, corrupt or cannot be had, or the loader brings something else.
        OSError: if the folder cannot be used.
    """
    if loader or spec.loader:
        return _loaded(str(loader or spec.loader), root)
    in_files = _in_files(spec)
    fetch(in_files, root)
    return read_part(in_files, in_files.train, root), read_part(in_files, in_files.test, root)


def _in_files(spec: DataSetSpec) -> FileDataSet:
    if not isinstance(spec, FileDataSet):
        raise DataError(f"data={spec.name}: has neither files nor a loader; give data.loader")
    return spec


@lru_cache(maxsize=2)
def _loaded(loader: str, root: Path) -> tuple[Arrays, Arrays]:
    try:
        load = resolve_name(loader)
    except (ImportError, AttributeError, ValueError) as error:
        raise DataError(f"data.loader={loader}: cannot be imported: {error}") from error
    brought = load(root)
    if not (isinstance(brought, list | tuple) and len(brought) == 4):
        raise DataError(f"data.loader={loader}: must return training images and classes, test images and classes")
    arrays = [np.ascontiguousarray(part) for part in brought]
    for images, labels in (arrays[:2], arrays[2:]):
        fitting = images.dtype == np.uint8 and images.shape[1:] == (IMAGE_SIZE, IMAGE_SIZE) and len(images) > 0
        if not fitting or labels.shape != (len(images),) or not 0 <= labels.min() <= labels.max() < 10:
            raise DataError(
                f"data.loader={loader}: brought {_described(images)} and {_described(labels)}; must be uint8 images "
                "[image, 28, 28] and a class of 0 to 9 for each"
            )
    train_images, train_labels, test_images, test_labels = arrays
    return (train_images, train_labels.astype(np.uint8)), (test_images, test_labels.astype(np.uint8))


def data_checksum(spec: DataSetSpec, root: Path, parts: tuple[Arrays, Arrays]) -> str:
    """SHA-256 over the data set, as :func:`rnn_mnist.data.sums.checksum` takes it, of what has been read."""
    paths = [folder_of(spec, root) / file.name for file in spec.files] if isinstance(spec, FileDataSet) else []
    return checksum(parts, spec, paths)


def read_part(spec: FileDataSet, part: Part, root: Path) -> Arrays:
    """One part of a data set that comes in files, checked."""
    images, labels = (_read_idx(spec, file, root) for file in (part.images, part.labels))
    stored = part.stored or part.count
    label_dimensions = 1 if spec.label_column is None else 2
    folder = folder_of(spec, root)
    if images.dtype != np.uint8 or images.shape != (stored, IMAGE_SIZE, IMAGE_SIZE):
        raise DataError(
            f"{folder / part.images.name}: holds {_described(images)}, not {stored:,} images of 28x28 bytes"
        )
    if labels.ndim != label_dimensions or len(labels) != stored:
        raise DataError(f"{folder / part.labels.name}: holds {_described(labels)}, not the labels of {stored:,} images")
    if spec.label_column is not None:
        labels = labels[:, spec.label_column]
    if not 0 <= labels.min() <= labels.max() < len(spec.classes):
        raise DataError(f"{folder / part.labels.name}: has classes other than 0 to {len(spec.classes) - 1}")
    images, labels = images[: part.count], labels[: part.count]
    if spec.column_by_column:
        images = images.transpose(0, 2, 1)
    return np.ascontiguousarray(images), labels.astype(np.uint8)


def fetch(spec: FileDataSet, root: Path) -> None:
    """Unpack what is not unpacked yet, downloading what is not there at all.

    Any number of processes may do so at once. Files that are there are left alone.

    Raises:
        DataError: if a file is corrupt, another data set's, or cannot be had.
        OSError: if the folder cannot be used.
    """
    for file in spec.files:
        path = folder_of(spec, root) / file.name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            compressed = _find_compressed(spec, file, root) or _download(spec, file, root)
            write_atomically(path, _unpack(spec, file, compressed))


def folder_of(spec: FileDataSet, root: Path) -> Path:
    """Where a data set's files lie unpacked."""
    return root / spec.folder / "raw"


def _find_compressed(spec: FileDataSet, file: DataFile, root: Path) -> Path | None:
    beside, bundled = folder_of(spec, root) / file.download.name, BUNDLED / spec.name / file.download.name
    return next((path for path in (beside, bundled) if path.exists()), None)


def _download(spec: FileDataSet, file: DataFile, root: Path) -> Path:
    folder = folder_of(spec, root)
    with FileLock(root / f".{spec.name}.lock"):
        found = _find_compressed(spec, file, root)
        if found is not None:  # another process was faster
            return found
        # Imported here: it takes as long as torch itself, and is needed once.
        from torchvision.datasets.utils import download_url

        partial = folder / ".partial"  # of its own, so that what bears the final name is whole
        try:
            download_url(spec.url + file.download.name, partial, md5=file.download.md5)
        # torchvision reports a failed download as RuntimeError, URLError or an HTTP library's OSError.
        except (RuntimeError, OSError, ValueError, HTTPException) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            from_where = f"{spec.url} ({spec.megabytes} MB in all)"
            message = f"{_missing(spec, root)}, and downloading from {from_where} failed: {reason}"
            raise DownloadError(message, reason) from error
        whole = (partial / file.download.name).replace(folder / file.download.name)
        partial.rmdir()
        return whole


def _missing(spec: FileDataSet, root: Path) -> str:
    names = dict.fromkeys(file.download.name for file in absent_files(spec, root))
    return f"data={spec.name}: {folder_of(spec, root)} lacks {', '.join(names)}"


def absent_files(spec: FileDataSet, root: Path) -> list[DataFile]:
    """The files that are here neither unpacked nor compressed."""
    absent = [file for file in spec.files if not (folder_of(spec, root) / file.name).exists()]
    return [file for file in absent if _find_compressed(spec, file, root) is None]


def _read_idx(spec: FileDataSet, file: DataFile, root: Path) -> np.ndarray:
    path = folder_of(spec, root) / file.name
    if path.exists():
        content = np.fromfile(path, np.uint8)
        once(path, file, lambda: _check(spec, file, path, content, root))
    else:
        compressed = _find_compressed(spec, file, root)
        if compressed is None:
            raise DataError(f"{_missing(spec, root)}; a run with data={spec.name} downloads them from {spec.url}")
        # Copied, because an array over bytes cannot be written to and torch wants one that can.
        path, content = compressed, np.frombuffer(bytearray(_unpack(spec, file, compressed)), np.uint8)
    try:
        kind, dimensions = _IDX_TYPES[int(content[2])], int(content[3])
        start = 4 + 4 * dimensions
        return content[start:].view(kind).reshape(content[4:start].view(">u4"))
    except (ValueError, KeyError, IndexError) as error:
        raise DataError(f"{path}: not a whole IDX file: {error}") from error


def _check(spec: FileDataSet, file: DataFile, path: Path, content: np.ndarray, root: Path) -> None:
    """Refuse an unpacked file that is not what its name says; how, is told at the top."""
    compressed = _find_compressed(spec, file, root)
    if file.md5 is None and compressed is not None:
        _check_download(spec, file, compressed)
        packed = _gzip_file(file, compressed)
        ending = zlib.crc32(content.data).to_bytes(4, "little") + len(content).to_bytes(4, "little")
        # One that was written in pieces ends with those of its last piece: then only unpacking tells.
        if packed.endswith(ending) or gzip.decompress(packed) == content.tobytes():
            return
        _check_sum(_md5(content.data).hexdigest(), None, path, f"{spec.title}'s {file.name}")
        raise _corrupt(path, f"not what {compressed.name} holds")
    _check_sum(_md5(content.data).hexdigest(), file.md5, path, f"{spec.title}'s {file.name}")


def _check_download(spec: FileDataSet, file: DataFile, path: Path) -> None:
    def check() -> None:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, _md5).hexdigest()
        _check_sum(found, file.download.md5, path, f"{spec.title}'s {path.name}")

    once(path, file.download, check)


def _check_sum(found: str, expected: str | None, path: Path, wanted: str) -> None:
    """Refuse another data set's file, and any whose sum is not the expected one (``None``: not known)."""
    if found == expected:
        return
    owner = owner_of(found)
    if owner is not None:
        raise DataError(f"{path}: is {owner}, not {wanted}; delete it")
    if expected is not None:
        raise _corrupt(path, f"MD5 {found}, not {expected}")


def _corrupt(path: Path, reason: str) -> DataError:
    remedy = "install rnn_mnist again" if path.is_relative_to(BUNDLED) else "delete it to have it replaced"
    return DataError(f"{path}: corrupt or truncated ({reason}); {remedy}")


def _unpack(spec: FileDataSet, file: DataFile, compressed: Path) -> bytes:
    """The content of a file, from what it comes in; checked."""
    if file.md5 is None:
        _check_download(spec, file, compressed)
    try:
        content = gzip.decompress(_gzip_file(file, compressed))
    except (gzip.BadGzipFile, BadZipFile, EOFError, zlib.error, KeyError) as error:
        raise _corrupt(compressed, str(error)) from error
    if file.md5 is not None:
        _check_sum(_md5(content).hexdigest(), file.md5, compressed, f"{spec.title}'s {file.name}")
    return content


def _gzip_file(file: DataFile, compressed: Path) -> bytes:
    if compressed.suffix != ".zip":
        return compressed.read_bytes()
    with ZipFile(compressed) as archive:
        return archive.read(f"gzip/{file.name}.gz")


def _described(array: np.ndarray) -> str:
    return f"{'x'.join(str(length) for length in array.shape)} numbers of {array.dtype.name}"
