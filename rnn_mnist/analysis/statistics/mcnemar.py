"""Do two single runs differ in which test images they get right?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.reading.run_directories import ResultsError
from rnn_mnist.analysis.statistics.tested_images import tested_images
from rnn_mnist.runs.files import load_predictions


@dataclass(frozen=True)
class McNemar:
    """McNemar's exact test; counts are test images.

    Attributes:
        both_right, only_first, only_second, both_wrong: how many images which of the runs got right.
        p_value: two-sided, of the two runs being right equally often. It speaks of these two trained networks, not of
            their settings: another seed is another network.
    """

    both_right: int
    only_first: int
    only_second: int
    both_wrong: int
    p_value: float


def mcnemar(first: np.ndarray, second: np.ndarray, labels: np.ndarray) -> McNemar:
    """Compare two vectors of predicted classes ``[image]`` with the true ones ``[image]``.

    Raises:
        ResultsError: if they are not equally long.
    """
    if not len(first) == len(second) == len(labels):
        raise ResultsError(f"predictions of {len(first)} and {len(second)} images for {len(labels)} labels")
    right, also_right = first == labels, second == labels
    counts = [[int((right & also_right).sum()), int((right & ~also_right).sum())],
              [int((~right & also_right).sum()), int((~right & ~also_right).sum())]]  # fmt: skip
    p_value = float(statsmodels_mcnemar(counts, exact=True).pvalue)
    return McNemar(counts[0][0], counts[0][1], counts[1][0], counts[1][1], p_value)


def compare_two_runs(first: Path | str, second: Path | str) -> McNemar:
    """McNemar's test of the stored predictions of two run directories.

    Raises:
        ResultsError: if one is not a run, or they were tested on different data.
        RunFormatError: if the predictions of one cannot be read.
        DataError: if the true classes of their data set are not here.
    """
    one, other = _only_run(first), _only_run(second)
    if one["data.name"] != other["data.name"]:
        raise ResultsError(f"tested on {one['data.name']} and on {other['data.name']}: their images are not the same")
    labels = tested_images(one, (first, second))[1]
    return mcnemar(load_predictions(first), load_predictions(second), labels)


def _only_run(directory: Path | str) -> dict[str, Any]:
    runs = load_runs(directory).frame
    if not (Path(directory) / "manifest.json").exists():
        raise ResultsError(f"{directory}: holds {len(runs)} runs; give the directory of one")
    return rows_of(runs)[0]
