"""``rnn-mnist report`` as a user meets it."""

from pathlib import Path

from tests.commands.conftest import RunPython


def test_one_file_is_written(process: RunPython, depth: Path) -> None:
    result = process("report", "outputs/depth")
    assert (result.returncode, result.stdout, result.stderr) == (0, "outputs/depth/report.html\n", "")
    assert (depth / "report.html").read_text(encoding="utf-8").endswith("</html>\n")
    assert (depth / "report.html").stat().st_size < 2_000_000  # small enough for a mail


def test_a_sweep_without_a_finished_run_is_one_line(rnn_mnist: RunPython, early: Path) -> None:
    result = rnn_mnist("report", early.name)
    assert (result.returncode, result.stderr) == (1, "error: early: no completed run yet (1 failed, 1 running)\n")


def test_a_file_that_cannot_be_written_is_one_line(rnn_mnist: RunPython, depth: Path) -> None:
    (depth / "taken").touch()
    result = rnn_mnist("report", "outputs/depth", "--out", "outputs/depth/taken/report.html")
    assert result.returncode == 1
    assert result.stderr.splitlines() == ["error: outputs/depth/taken: File exists"]
