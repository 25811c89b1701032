"""The CSV files of many runs as one table."""

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hydra_plugins.workstation_launcher import read_plain

_NUMBERS = re.compile(rb"([0-9.eE+-]*)(,[0-9.eE+-]*)*")
"""A line that holds numbers, or nothing, in each place."""


def read_together(paths: Sequence[Path], counter: str) -> tuple[pd.DataFrame, np.ndarray, list[str]]:
    """Read a file of each run, as ``pandas.read_csv`` reads it, into one table below one another.

    Files of nothing but numbers are parsed at once by their columns, for pandas takes a millisecond to begin with one.
    Files that are not there are passed over.

    Args:
        paths: one a run.
        counter: a column that each of them has to have.

    Returns:
        the rows, in the order of the files; for each row the place of its file among ``paths``, from 0; and a line for
        each file that cannot be read.
    """
    contents, problems = _contents(paths)
    # An empty table would make texts of the others' numbers, and stands only where there is no other.
    tables = [pd.DataFrame({counter: pd.Series(dtype=int)})]
    places = [np.empty(0, dtype=int)]
    for header, files in _alike(contents).items():
        table = _parsed_at_once(header, files)
        if table is not None and counter in table.columns:
            tables.append(table)
            places.append(np.repeat(list(files), [len(rows) for rows in files.values()]))
            for place in files:
                del contents[place]
    for place, content in contents.items():
        try:
            table = pd.read_csv(io.BytesIO(content))
        except ValueError as error:
            problems[place] = f"{paths[place]}: unreadable: {str(error).splitlines()[0]}"
            continue
        if counter not in table.columns:
            problems[place] = f"{paths[place]}: no column {counter}"
        elif len(table):
            tables.append(table)
            places.append(np.full(len(table), place))
    rows, place_of_row = pd.concat(tables[1:] or tables, ignore_index=True), np.concatenate(places)
    order = np.argsort(place_of_row, kind="stable")
    return rows.iloc[order].reset_index(drop=True), place_of_row[order], [problems[place] for place in sorted(problems)]


def _contents(paths: Sequence[Path]) -> tuple[dict[int, bytes], dict[int, str]]:
    contents: dict[int, bytes] = {}
    problems: dict[int, str] = {}
    for place, path in enumerate(paths):
        try:
            contents[place] = read_plain(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            problems[place] = f"{path}: unreadable: {str(error).splitlines()[0]}"
    return contents, problems


def _alike(contents: Mapping[int, bytes]) -> dict[bytes, dict[int, list[bytes]]]:
    """The rows of the files that hold numbers in as many columns as they name, by the line that names these."""
    alike: dict[bytes, dict[int, list[bytes]]] = {}
    for place, content in contents.items():
        header, *lines = content.split(b"\n")
        rows = [line for line in lines if line]
        if rows and _are_numbers(rows, header):
            alike.setdefault(header, {})[place] = rows
    return alike


def _are_numbers(rows: list[bytes], header: bytes) -> bool:
    if b'"' in header:  # a comma within quotes parts nothing
        return False
    commas = header.count(b",")
    return all(_NUMBERS.fullmatch(row) and row.count(b",") == commas for row in rows)


def _parsed_at_once(header: bytes, files: Mapping[int, list[bytes]]) -> pd.DataFrame | None:
    """None if not all of it is numbers."""
    text = [header, *(row for rows in files.values() for row in rows)]
    try:
        table = pd.read_csv(io.BytesIO(b"\n".join(text)))
    except ValueError:
        return None
    is_numbers = len(table) == len(text) - 1 and table.dtypes.map(pd.api.types.is_numeric_dtype).all()
    return table if is_numbers else None
