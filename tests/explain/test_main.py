"""``python -m rnn_mnist.explain``, and the page of the documentation that it writes."""

import pytest

from rnn_mnist.explain.__main__ import main
from rnn_mnist.explain.presentation import as_markdown
from tests.conftest import REPOSITORY, CommandLine
from tests.explain.test_tensors import explained


def test_the_command(command: CommandLine, capsys: pytest.CaptureFixture[str]) -> None:
    result = command("rnn_mnist.explain", "model=gru", "model.bidirectional=true")
    assert result.returncode == 0
    for text in ("[128, 28, 256]", "weight_hh_l1_reverse", "420,362", "bidirectional"):
        assert text in result.stdout
    with pytest.raises(SystemExit) as wrong:
        main(["model.num_layers=0"])
    assert wrong.value.code == 1
    assert capsys.readouterr().err == "error: model.num_layers=0: must be at least 1 and at most 1,000\n"


@pytest.mark.parametrize(("form", "starts"), [("html", "<!DOCTYPE html>"), ("markdown", "The module: `nn.GRU(")])
def test_a_page_is_written_to_standard_output(form: str, starts: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--format", form, "model=gru"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(starts)


def test_the_page_in_the_docs_is_what_the_command_writes() -> None:
    page = (REPOSITORY / "docs" / "shapes.md").read_text()
    for overrides in ([], ["model.num_layers=1", "model.bidirectional=true", "model.batch_first=false"]):
        text = as_markdown(explained(*overrides))
        # The page's headings lie one level deeper.
        assert text.replace("\n## ", "\n### ") in page
