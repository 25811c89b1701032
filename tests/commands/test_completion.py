"""Tab completion of ``rnn-mnist``, as the shell asks for it."""

import pytest

from rnn_mnist.__main__ import COMMANDS
from tests.commands.conftest import RunPython

COMPLETED = [
    ("rnn-mnist ", set(COMMANDS)),
    ("rnn-mnist re", {"report"}),
    ("rnn-mnist train model=", {"model=rnn", "model=lstm", "model=gru"}),
    ("rnn-mnist train -m experiment=de", {"experiment=depth"}),
    ("rnn-mnist train training.ep", {"training.epochs="}),
    ("rnn-mnist plot outp", set()),
]


@pytest.mark.parametrize(("line", "offered"), COMPLETED)
def test_completion_offers(without_torch: RunPython, line: str, offered: set[str]) -> None:
    result = without_torch("-m", "rnn_mnist", "-sc", "query=bash", COMP_LINE=line)
    assert (result.returncode, result.stderr) == (0, "")
    assert offered <= set(result.stdout.split())
    assert offered or not result.stdout.strip()


def test_completion_is_installed_for_the_program(process: RunPython) -> None:
    for arguments in (["train", "-sc", "install=bash"], ["-sc", "install=bash"]):
        script = process(*arguments).stdout
        assert script.splitlines()[-1].endswith("-F hydra_bash_completion rnn-mnist")
