"""The formats of a run's files: JSON objects, tables and predictions, read with one line for whatever is wrong."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hydra_plugins.workstation_launcher import (
    NotPlainError,
    open_plain,
    read_object,
    read_plain,
    schemas,
    write_atomically,
)
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.schemas import KINDS

SCHEMA_VERSION = 1


class RunFormatError(ExpectedError):
    """A file of a run that this version cannot read; the message names it."""


class DamagedFileError(RunFormatError):
    """A file of a run that holds nothing that anybody could read."""


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of ours, or an empty mapping if there is no such file.

    Raises:
        DamagedFileError: if it is broken, its entries are not what they may be, or it is no file at all.
        RunFormatError: if it cannot be read, or was written by a newer version.
    """
    try:
        content = read_object(path)
    except FileNotFoundError:
        return {}
    except NotPlainError as error:
        raise DamagedFileError(f"{path}: cannot be read: {error.strerror}") from error
    except OSError as error:
        raise RunFormatError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DamagedFileError(f"{path}: not JSON; delete it to have the run done again") from error
    refuse_newer(path, content)
    wrong = schemas.misfit(content, KINDS.get(path.name, {}))
    if wrong is not None:
        raise DamagedFileError(f"{path}: {wrong}; delete it to have the run done again")
    return content


def refuse_newer(path: Path, content: Mapping[str, Any]) -> None:
    """Refuse what a newer version of this program wrote.

    Raises:
        RunFormatError: if ``content`` says so.
        DamagedFileError: if its ``schema_version`` is no number.
    """
    version = content.get("schema_version", SCHEMA_VERSION)
    if not isinstance(version, int):
        raise DamagedFileError(f"{path}: schema_version {version!r} is not a whole number")
    if version > SCHEMA_VERSION:
        raise RunFormatError(
            f"{path}: schema_version {version} is newer than this program's {SCHEMA_VERSION}; update it"
        )


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write :func:`csv_text` whole or not at all; a file that holds it already is left alone."""
    content = csv_text(rows)
    try:
        unchanged = read_plain(path, len(content)) == content
    except (FileNotFoundError, NotPlainError):
        unchanged = False
    if not unchanged:
        write_atomically(path, content)


def csv_text(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows with the columns of :func:`merged_columns`; None is an empty field, a tuple JSON."""
    columns = merged_columns(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return text.getvalue().encode()


def merged_columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys of all rows; one that only some have stands where it stands in those."""
    merged: list[str] = []
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        keys = tuple(row)
        if keys in seen:
            continue
        seen.add(keys)
        place = 0
        for key in keys:
            if key in merged:
                place = merged.index(key) + 1
            else:
                merged.insert(place, key)
                place += 1
    return merged


def load_predictions(directory: Path | str) -> np.ndarray:
    """``predictions.npy`` of a run: uint8 ``[image]``, the predicted class of each test image.

    Raises:
        RunFormatError: if it is missing or broken.
    """
    path = Path(directory) / "predictions.npy"
    try:
        with open_plain(path) as file:
            predictions: np.ndarray = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        raise RunFormatError(f"{path}: no such file; has the run completed?") from None
    # A header can say whatever it likes of a size.
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise RunFormatError(f"{path}: unreadable: {_joined(error)}") from error
    if not isinstance(predictions, np.ndarray) or predictions.ndim != 1 or predictions.dtype != np.uint8:
        raise RunFormatError(f"{path}: not a vector of uint8")
    return predictions


def results_are_whole(directory: Path, *, weights: bool = True) -> bool:
    """Whether all files of a run's results are in its directory, none cut off; those of its weights if asked for."""
    try:
        load_predictions(directory)
        tables = [read_plain(directory / name) for name in ("metrics.csv", "accuracy_by_step.csv")]
        if not all(table.endswith(b"\n") for table in tables):
            return False
        if not weights:
            return True
        with open_plain(directory / "model.pt") as archive:
            return zipfile.is_zipfile(archive)  # whose list of members stands at its end
    except (OSError, RunFormatError):
        return False


def write_predictions(directory: Path, predictions: np.ndarray) -> None:
    """Write ``predictions.npy``: uint8 ``[image]``, the predicted class of each test image."""
    buffer = io.BytesIO()
    np.save(buffer, predictions.astype(np.uint8))
    write_atomically(directory / "predictions.npy", buffer.getvalue())


def _joined(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, default=vars) if isinstance(value, tuple) else value
