"""A data set's files before any run needs them: in their place, or a few lines on how to put them there."""

from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from rnn_mnist.catalogues.data_sets import FileDataSet, find_data_set
from rnn_mnist.data.files import (
    DataError,
    DownloadError,
    absent_files,
    data_checksum,
    folder_of,
    read_data_set,
    unusable,
)


@lru_cache(maxsize=16)
def make_ready(name: str, root: Path) -> None:
    """Have a data set's files where runs will read them, checked, and leave nothing behind if they cannot be had.

    What a loader brings is the runs' own business.

    Raises:
        DataError: if the folder cannot be used, or a file is corrupt; or, in at most five lines, if one is missing and
            cannot be downloaded.
        UnknownDataSetError: if there is no such data set.
    """
    spec = find_data_set(name)
    if not isinstance(spec, FileDataSet):
        return
    folder = folder_of(spec, root)
    made = [path for path in (folder / ".partial", folder, *folder.parents) if not path.exists()]
    try:
        data_checksum(spec, root, read_data_set(spec, root))
    except DownloadError as error:
        _remove_empty(made, root / f".{spec.name}.lock")
        raise DataError(_how_to_get(spec, root, error.reason)) from error
    except OSError as error:
        _remove_empty(made, root / f".{spec.name}.lock")
        raise unusable(root, error) from error


def _remove_empty(made: list[Path], lock: Path) -> None:
    if lock.parent in made:
        lock.unlink(missing_ok=True)
    for path in made:
        with suppress(OSError):  # not there, or something has been put there
            path.rmdir()


def _how_to_get(spec: FileDataSet, root: Path, reason: str) -> str:
    names = list(dict.fromkeys(file.download.name for file in absent_files(spec, root)))
    return "\n".join(
        [
            f"data={spec.name}: not here, and downloading failed: {reason[:100]}",
            f"  missing: {', '.join(names)}",
            f"  they are at {spec.url} ({spec.megabytes} MB in all)",
            f"  put them into {folder_of(spec, root)}",
            f"  or set data.root or $RNN_MNIST_DATA to a folder in which {spec.folder}/raw has them",
        ]
    )
