"""The images that runs were tested on."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnn_mnist.analysis.reading.levels import plain
from rnn_mnist.data.files import load_test_images
from rnn_mnist.runs.foreign_code import refuse_code_beside


def tested_images(row: Mapping[str, Any], directories: Iterable[Path | str]) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 ``[image, 28, 28]`` and true classes uint8 ``[image]``, in the order of the runs' predictions.

    Args:
        row: of the table of runs, for one that has the same data as all.
        directories: of the runs.

    Raises:
        ForeignCodeError: if the function that brings them lies among the runs.
        DataError: if a file is missing or broken.
        UnknownDataSetError: if there is no such data set.
    """
    loader = plain(row.get("data.loader"))
    if loader is not None:
        for directory in directories:
            refuse_code_beside("data.loader", str(loader), Path(directory))
    return load_test_images(str(row["data.name"]), plain(row.get("data.root")), loader)
