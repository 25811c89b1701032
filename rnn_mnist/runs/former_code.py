"""The code that a run was made with, beside the one that is here, and a run made again with it."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra_plugins.workstation_launcher import read_plain
from rnn_mnist.configuration.identity import flatten
from rnn_mnist.configuration.schema import SELECTED_BY, declared
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.provenance import Attempt, CodeVersion, source_sha256

_REPOSITORY = Path(__file__).parents[2]
_OF_THE_COMMAND = {
    "sweep",
    "resume",
    "reuse",
    "question",
    "tracker",
    "data.root",
    "training.device",
    "training.threads",
}
_WATCH_SECONDS = 0.2
# hydra_plugins is a package without an __init__.py, which takes its parts from every folder of the path.
_IN_ITS_PLACE = """
import runpy, sys
here, code, *sys.argv[1:] = sys.argv[1:]
sys.path[:] = [code, *(folder for folder in sys.path if folder not in ("", here))]
runpy.run_module("rnn_mnist.train", run_name="__main__", alter_sys=True)
"""


class FormerCodeError(ExpectedError):
    """The code of a run cannot be had, or does not make it."""


@contextmanager
def former_code(code: CodeVersion | None) -> Iterator[Path]:
    """A temporary git worktree with a run's commit, and what its checkout had besides.

    Raises:
        FormerCodeError: if there is no such commit, or what it had besides was not kept or does not fit.
    """
    if code is None or code.commit is None:
        raise FormerCodeError("--code: the run was made by an installed package, and names no commit")
    if code.dirty and code.difference is None:
        raise FormerCodeError(f"--code: the run was made with changes of {code.commit[:12]} that its manifest lacks")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "code"
        _git(f"commit {code.commit[:12]} is not in this repository", "worktree", "add", "--quiet", "--detach",
             str(place), code.commit)  # fmt: skip
        try:
            if code.difference:
                _git(f"the recorded difference does not fit commit {code.commit[:12]}", "-C", str(place), "apply",
                     "--whitespace=nowarn", "-", given=code.difference)  # fmt: skip
            found = source_sha256(place / "rnn_mnist")
            if code.source_sha256 not in (None, found):
                raise FormerCodeError(
                    f"--code: commit {code.commit[:12]} as recorded has source {found[:12]}, and the run was made "
                    f"with {str(code.source_sha256)[:12]}"
                )
            yield place
        finally:
            _git("", "worktree", "remove", "--force", str(place), must=False)


def make_again(code: Path, manifest: Mapping[str, Any], scratch: Path, epochs: int | None) -> None:
    """Make a run in a folder with the code that lies in another, as its entry point makes it; its lines are printed.

    Args:
        code: a checkout.
        manifest: of the run.
        scratch: the folder of the new run, which need not exist.
        epochs: it is ended when so many are done; None: it is left to end.

    Raises:
        FormerCodeError: if it fails.
    """
    was = Attempt.from_manifest(manifest)
    asked = flatten(dict(manifest["config"])) | dict(manifest.get("requested") or {})
    groups = [f"{group}={asked[key]}" for key, group in SELECTED_BY.items() if key in asked]
    keys = [
        f"{'' if declared(key) else '++'}{key}={_written(value)}"
        for key, value in asked.items()
        if key not in SELECTED_BY and key not in _OF_THE_COMMAND
    ]
    here = [f"hydra.run.dir={_written(str(scratch))}", *([f"training.threads={was.threads}"] if was.threads else [])]
    if was.device == "cpu":
        here.append("training.device=cpu")
    command = [sys.executable, "-c", _IN_ITS_PLACE, str(_REPOSITORY), str(code), *groups, *keys, *here]
    with subprocess.Popen(command, cwd=code) as process:
        try:
            while process.poll() is None:
                if epochs is not None and _epochs(scratch) >= epochs:
                    return
                time.sleep(_WATCH_SECONDS)
        finally:
            process.kill()
    if process.returncode != 0:
        raise FormerCodeError(f"--code: it ended with exit code {process.returncode}")


def _epochs(scratch: Path) -> int:
    try:
        return read_plain(scratch / "metrics.csv").count(b"\n") - 1
    except OSError:
        return 0


def _written(value: Any) -> str:
    """A value in the grammar of Hydra's overrides."""
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_written, value))}]"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _git(wrong: str, *arguments: str, given: str | None = None, must: bool = True) -> None:
    try:
        subprocess.run(
            ["git", "-C", str(_REPOSITORY), *arguments], input=given, capture_output=True, text=True, check=must
        )
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise FormerCodeError(
            f"--code: {wrong} ({said.strip().splitlines()[-1] if said.strip() else error})"
        ) from error
