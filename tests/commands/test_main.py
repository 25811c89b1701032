"""The command ``rnn-mnist`` itself: help, version, what it imports, and its edge with the shell."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from rnn_mnist.__main__ import COMMANDS
from tests.commands.conftest import RunPython
from tests.conftest import REPOSITORY

HEAVY = ("torch", "pandas", "matplotlib")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_names_every_command(rnn_mnist: RunPython, arguments: list[str]) -> None:
    result = rnn_mnist(*arguments)
    assert (result.returncode, result.stderr) == (0, "")
    assert all(f"\n  {command} " in result.stdout for command in COMMANDS)


def test_every_command_has_its_file() -> None:
    folder = REPOSITORY / "rnn_mnist" / "commands"
    assert set(COMMANDS) == {path.stem for path in folder.glob("*.py")} - {"__init__", "completion"}


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("train", "explain")])
def test_commands_of_analysis_need_no_torch(process: RunPython, command: str) -> None:
    result = process(command, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert f"usage: rnn-mnist {command} " in result.stdout


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(argument: str) -> None:
    program = (
        "import sys; from rnn_mnist.__main__ import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program, argument], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert "rnn_mnist" in shown.stderr.split()
    assert not {name.partition(".")[0] for name in shown.stderr.split()} & set(HEAVY)


def test_version_names_what_it_runs_on(rnn_mnist: RunPython) -> None:
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True)
    first, *others = rnn_mnist("--version").stdout.splitlines()
    assert first.startswith("rnn-mnist 0")
    assert head.stdout.strip() in first
    assert others == [f"{name} {metadata.version(name)}" for name in ("torch", "hydra-core")]


@pytest.mark.parametrize("arguments", [["draw"], ["plot"], ["plot", "--colour"], ["compare"], ["runs"], ["status"]])
def test_a_usage_error_exits_with_2(rnn_mnist: RunPython, arguments: list[str]) -> None:
    result = rnn_mnist(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("script", ["plot", "compare", "report"])
def test_scripts_are_the_same_commands(without_torch: RunPython, script: str) -> None:
    result = without_torch(str(REPOSITORY / "scripts" / f"{script}.py"), "outputs/none")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("error: outputs/none: no such directory")


@pytest.mark.parametrize("arguments", [["compare", "outputs/depth", "--importance"], ["runs", "outputs/depth"]])
def test_an_encoding_without_dashes_and_lines_is_enough(
    rnn_mnist: RunPython, process: RunPython, depth: Path, arguments: list[str]
) -> None:
    assert depth.exists()
    utf_8, ascii_ = rnn_mnist(*arguments), process(*arguments, PYTHONIOENCODING="ascii")
    assert not utf_8.stdout.isascii()
    assert (ascii_.returncode, ascii_.stderr) == (0, "")
    assert ascii_.stdout.isascii()
    assert len(ascii_.stdout.splitlines()) >= len(utf_8.stdout.splitlines())


def test_piped_tables_are_not_folded(rnn_mnist: RunPython, depth: Path) -> None:
    run = next(path for path in depth.iterdir() if path.is_dir())
    longer = run.rename(run.with_name("a_name_that_is_" + "very_" * 40 + "long"))
    narrow = rnn_mnist("runs", "outputs/depth", COLUMNS="40")
    assert any(longer.name in line for line in narrow.stdout.splitlines())


@pytest.mark.parametrize("arguments", ["explain", "runs outputs/depth", "plot --help", "train --help"])
def test_a_reader_that_has_gone_is_no_failure(depth: Path, arguments: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "rnn_mnist", *arguments.split()],
        cwd=depth.parent.parent,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 0
