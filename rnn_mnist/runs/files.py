"""The formats of a run's files: JSON objects, tables and predictions, read with one line for whatever is wrong."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hydra_plugins.workstation_launcher import write_atomically
from rnn_mnist.errors import ExpectedError

SCHEMA_VERSION = 1


class RunFormatError(ExpectedError):
    """A file of a run that this version cannot read; the message names it."""


class DamagedFileError(RunFormatError):
    """A file of a run that holds nothing that anybody could read."""


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of ours, or an empty mapping if there is no such file.

    Raises:
        RunFormatError: if it is broken, or was written by a newer version.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise RunFormatError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"{path}: not JSON; delete it to have the run done again") from error
    if not isinstance(content, dict):
        raise DamagedFileError(f"{path}: not a JSON object; delete it to have the run done again")
    refuse_newer(path, content)
    return content


def refuse_newer(path: Path, content: Mapping[str, Any]) -> None:
    """Refuse what a newer version of this program wrote.

    Raises:
        RunFormatError: if ``content`` says so, or its ``schema_version`` is no number.
    """
    version = content.get("schema_version", SCHEMA_VERSION)
    if not isinstance(version, int):
        raise RunFormatError(f"{path}: schema_version {version!r} is not a whole number")
    if version > SCHEMA_VERSION:
        raise RunFormatError(
            f"{path}: schema_version {version} is newer than this program's {SCHEMA_VERSION}; update it"
        )


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write :func:`csv_text` whole or not at all; a file that holds it already is left alone."""
    content = csv_text(rows)
    try:
        unchanged = path.read_bytes() == content
    except FileNotFoundError:
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
        predictions: np.ndarray = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise RunFormatError(f"{path}: no such file; has the run completed?") from None
    except (OSError, ValueError, EOFError) as error:
        raise RunFormatError(f"{path}: unreadable: {error}") from error
    if not isinstance(predictions, np.ndarray) or predictions.ndim != 1 or predictions.dtype != np.uint8:
        raise RunFormatError(f"{path}: not a vector of uint8")
    return predictions


def results_are_whole(directory: Path) -> bool:
    """Whether all files of a completed run's results are in its directory, none of them cut off."""
    try:
        load_predictions(directory)
        tables = [(directory / name).read_bytes() for name in ("metrics.csv", "accuracy_by_step.csv")]
        # An archive's list of its members stands at its end.
        return all(table.endswith(b"\n") for table in tables) and zipfile.is_zipfile(directory / "model.pt")
    except (OSError, RunFormatError):
        return False


def write_predictions(directory: Path, predictions: np.ndarray) -> None:
    """Write ``predictions.npy``: uint8 ``[image]``, the predicted class of each test image."""
    buffer = io.BytesIO()
    np.save(buffer, predictions.astype(np.uint8))
    write_atomically(directory / "predictions.npy", buffer.getvalue())


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, default=vars) if isinstance(value, tuple) else value
