"""Tensors on disk: a run's checkpoint and its weights. Read as tensors and plain data, which can run nothing."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_plugins.workstation_launcher import NotPlainError, open_plain, write_atomically
from rnn_mnist.runs.files import DamagedFileError, RunFormatError, refuse_newer

if TYPE_CHECKING:
    import torch


def read_checkpoint(path: Path, device: "torch.device") -> dict[str, Any]:
    """The content of a ``checkpoint.pt``, which names its run under ``run_id``.

    Raises:
        FileNotFoundError: if there is none.
        DamagedFileError: if it holds anything else.
        RunFormatError: if the disk does not give it, or a newer version wrote it.
        torch.OutOfMemoryError: if the device has no room for it.
    """
    import torch

    try:
        with open_plain(path) as file:
            state = torch.load(file, map_location=device, weights_only=True)
    except (FileNotFoundError, torch.OutOfMemoryError):
        raise
    # torch.load meets a damaged file as RuntimeError, UnpicklingError, EOFError, KeyError ...
    except Exception as error:
        if isinstance(error, OSError) and not isinstance(error, NotPlainError):
            raise RunFormatError(f"{path}: cannot be read: {error.strerror}") from error
        raise DamagedFileError(f"{path}: unreadable") from error
    if not isinstance(state, dict) or not isinstance(state.get("run_id"), str):
        raise DamagedFileError(f"{path}: not a checkpoint")
    refuse_newer(path, state)
    return state


def save_tensors(path: Path, content: Mapping[str, Any]) -> None:
    """Write tensors and plain data, whole or not at all."""
    import torch

    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    write_atomically(path, buffer.getvalue())
