"""What commands have in common at their edge with the shell, met in this process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_mnist import shell
from rnn_mnist.errors import ExpectedError


def test_a_command_returns_its_exit_code() -> None:
    assert shell.run(lambda: None) == 0
    assert shell.run(lambda: 3) == 3


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ExpectedError("model.dropout=2:\nmust be at most 1"), 1, "error: model.dropout=2: must be at most 1"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_a_user_can_act_on_is_one_line(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        raise error

    assert shell.run(command) == code
    assert capsys.readouterr().err.splitlines() == [line]


def test_the_operating_systems_errors_name_their_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        (tmp_path / "none" / "file").write_text("")

    assert shell.run(command) == 1
    assert capsys.readouterr().err == f"error: {tmp_path / 'none' / 'file'}: {os.strerror(2)}\n"


def test_bugs_and_usage_errors_stay_what_they_are() -> None:
    with pytest.raises(ZeroDivisionError):
        shell.run(lambda: 1 // 0)
    with pytest.raises(SystemExit) as caught:
        shell.run(lambda: sys.exit(2))
    assert caught.value.code == 2


@pytest.mark.parametrize("module", ["rnn_mnist.__main__", "rnn_mnist.train", "rnn_mnist.explain.__main__"])
def test_ctrl_c_is_met_from_the_start(module: str) -> None:
    """Whatever takes time to import is imported by :func:`shell.run`'s command."""
    program = f"import sys, {module}; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = {name.partition(".")[0] for name in shown.stdout.split()}
    assert "rnn_mnist" in imported
    assert not imported & {"torch", "hydra", "omegaconf", "pandas", "matplotlib", "numpy", "rich"}
