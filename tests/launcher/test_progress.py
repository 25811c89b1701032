"""What a job says of itself reaches the display, and nothing that it says can harm either."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hydra_plugins.workstation_launcher import _progress, report, report_value
from hydra_plugins.workstation_launcher._progress import ANSWERS, DESCRIPTOR, LONGEST_LINE, Reports, answer


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    monkeypatch.setenv(DESCRIPTOR, f"{writer}:3")
    yield reader, writer
    os.close(reader)
    os.close(writer)


def read(pipe: tuple[int, int]) -> tuple[str, float | None]:
    reports = Reports()
    reports.read(pipe[0])
    return reports.message(3), reports.done(3)


@pytest.mark.parametrize(
    ("done", "taken"),
    [
        (0.5, 0.5), (np.float32(0.5), 0.5), (1, 1.0), (0, None), (-1, None), (float("nan"), None), (float("inf"), None),
        (1.5, None), ("half", None), ([], None), (10**400, None), (None, None),
    ],
)  # fmt: skip
def test_how_much_is_done_is_a_fraction_or_unknown(pipe: tuple[int, int], done: Any, taken: float | None) -> None:
    report("epoch", done=done)
    assert read(pipe) == ("epoch", taken)


@pytest.mark.parametrize(
    "message", ["x" * 10_000, "\u4e2d" * 300, "\U0001f600" * 300, "\x00" * 300, '"' * 300, "\udcff"]
)
def test_any_message_fits_into_one_line(pipe: tuple[int, int], message: str) -> None:
    report(message)
    line = os.read(pipe[0], 1 << 16)
    assert len(line) <= LONGEST_LINE
    shown = json.loads(line)["message"]
    assert shown == "?" if message == "\udcff" else shown and message.startswith(shown)


def test_a_message_need_not_be_text(pipe: tuple[int, int]) -> None:
    report(7)  # type: ignore[arg-type]
    assert read(pipe)[0] == "7"


def test_what_is_no_report_is_passed_over(pipe: tuple[int, int]) -> None:
    for line in (b"{", b"[]", b"3", b"null", b'{"job": "x"}', b'{"job": 1e999, "message": ""}', b"\xff", b"[" * 9000):
        os.write(pipe[1], line + b"\n")
    report("after", done=0.1)
    assert read(pipe) == ("after", 0.1)


def test_a_line_without_end_does_not_pile_up(pipe: tuple[int, int]) -> None:
    reports = Reports()
    for _ in range(20):
        os.write(pipe[1], b"x" * 60_000)
        reports.read(pipe[0])
    report("lost: it belongs to the line without end")
    report("found")
    reports.read(pipe[0])
    assert reports.message(3) == "found"
    assert len(reports._unread) <= LONGEST_LINE  # noqa: SLF001


def test_a_full_or_closed_pipe_is_no_error(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(1000):
        report("x" * 400)
    assert read(pipe)[0]
    monkeypatch.setenv(DESCRIPTOR, "9999:3")
    report("closed")
    monkeypatch.setenv(DESCRIPTOR, "nonsense")
    report("nonsense")


def test_a_file_that_took_the_pipes_place_is_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that a job starts inherits the variable, and not the pipe."""
    with (tmp_path / "results").open("wb") as file:
        monkeypatch.setenv(DESCRIPTOR, f"{file.fileno()}:3")
        report("epoch 1")
    assert (tmp_path / "results").read_bytes() == b""


def test_a_value_outside_a_search_is_told_to_nobody(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ANSWERS, raising=False)
    assert report_value(1, 0.5) is False  # a sweep's job, with nobody who searches
    monkeypatch.delenv(DESCRIPTOR)
    assert report_value(1, 0.5) is False
    with pytest.raises(BlockingIOError):
        os.read(pipe[0], 1)


def test_a_value_is_told_and_answered(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(ANSWERS, str(tmp_path))
    answer(tmp_path, 1, prune=False)
    assert report_value(1, 0.5) is False
    answer(tmp_path, 2, prune=True)
    assert report_value(2, 0.25) is True
    reports = Reports()
    reports.read(pipe[0])
    assert reports.take_values() == [(3, 1, 0.5), (3, 2, 0.25)]
    assert reports.take_values() == []
    assert reports.message(3) == ""


@pytest.mark.parametrize("content", [None, "[]", "{", '{"step": 9, "prune": 1}'])
def test_a_job_that_gets_no_answer_goes_on(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    monkeypatch.setattr(_progress, "_PATIENCE_SECONDS", 0.05)
    monkeypatch.setenv(ANSWERS, str(tmp_path))
    if content is not None:
        (tmp_path / ".answer.json").write_text(content)
    assert report_value(1, 0.5) is False
    assert report_value("x", 0.5) is False  # type: ignore[arg-type]
    assert report_value(1, "x") is False  # type: ignore[arg-type]
    assert os.read(pipe[0], 1000).count(b"\n") == 1
