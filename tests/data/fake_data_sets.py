"""Small stand-ins for the data sets that do not ship: random images in files of the real names, with their own sums."""

import gzip
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from rnn_mnist.catalogues.data_sets import DATA_SETS, DataFile, Download, FileDataSet, Part

IN_FILES = {name: spec for name, spec in DATA_SETS.items() if isinstance(spec, FileDataSet)}


def idx(array: np.ndarray) -> bytes:
    """An array as an IDX file."""
    kind = {"uint8": 8, "int32": 12}[array.dtype.name]
    shape = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, kind, array.ndim]) + shape + array.astype(array.dtype.newbyteorder(">")).tobytes()


def miniature(spec: FileDataSet, *, train: int = 24, test: int = 12) -> tuple[FileDataSet, dict[str, bytes]]:
    """The data set with fewer images, and its files' contents by name: unpacked ones and those they come in.

    The first part of a file is used where that is so in the real one.
    """
    draw = np.random.default_rng(len(spec.name))
    contents: dict[str, bytes] = {}
    for part, count in ((spec.train, train), (spec.test, test)):
        stored = count + 5 * (part.stored is not None)
        labels = np.arange(stored) % len(spec.classes)
        contents[part.images.name] = idx(draw.integers(0, 256, (stored, 28, 28), np.uint8))
        contents[part.labels.name] = idx(
            labels.astype(np.uint8) if spec.label_column is None else _table(labels, spec.label_column, draw)
        )
    packed = _pack(spec.files, contents)

    def smaller(file: DataFile) -> DataFile:
        download = Download(file.download.name, md5(packed[file.download.name]))
        return DataFile(file.name, download, None if file.md5 is None else md5(contents[file.name]))

    def part_of(part: Part, count: int) -> Part:
        stored = None if part.stored is None else count + 5
        return Part(smaller(part.images), smaller(part.labels), count, stored)

    return replace(spec, train=part_of(spec.train, train), test=part_of(spec.test, test)), contents | packed


def put(spec: FileDataSet, root: Path, contents: Mapping[str, bytes], names: Iterable[str]) -> Path:
    """Write the named files where they are looked for, and return the folder."""
    folder = root / spec.folder / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(contents[name])
    return folder


def unpacked(spec: FileDataSet) -> list[str]:
    return [file.name for file in spec.files]


def downloads(spec: FileDataSet) -> list[str]:
    return list(dict.fromkeys(file.download.name for file in spec.files))


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def _table(labels: np.ndarray, column: int, draw: np.random.Generator) -> np.ndarray:
    table = draw.integers(0, 5000, (len(labels), 8), np.int32)
    table[:, column] = labels
    return table


def _pack(files: Iterable[DataFile], contents: Mapping[str, bytes]) -> dict[str, bytes]:
    packed: dict[str, bytes] = {}
    archive = io.BytesIO()
    for file in files:
        compressed = gzip.compress(contents[file.name])
        if file.download.name.endswith(".gz"):
            packed[file.download.name] = compressed
        else:
            with ZipFile(archive, "a") as stream:
                stream.writestr(f"gzip/{file.name}.gz", compressed)
            packed[file.download.name] = archive.getvalue()
    return packed
