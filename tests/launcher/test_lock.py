"""Who may work on a sweep that a command on another machine works on, or did."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hydra_plugins.workstation_launcher import _lock
from hydra_plugins.workstation_launcher._lock import SweepInUseError, SweepLock

ELSEWHERE = {"host": "another.machine", "pid": 1, "updated": "2001-01-01T00:00:00+00:00"}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lock, "_BEAT_SECONDS", 0.05)
    monkeypatch.setattr(_lock, "_SILENT_SECONDS", 1.0)


def take(directory: Path, owner: dict[str, Any] = ELSEWHERE) -> SweepLock:
    lock = SweepLock(directory)
    lock.take(lambda: owner)
    return lock


def beating(directory: Path, ended: threading.Event) -> None:
    """What a command on a machine with another clock, and with locks of its own, does to the folder."""
    count = 0
    while not ended.wait(0.1):
        count += 1
        (directory / ".alive").write_text(f"name {count}")


def test_a_command_that_gives_signs_of_life_elsewhere_keeps_others_out(tmp_path: Path) -> None:
    ended = threading.Event()
    other = threading.Thread(target=beating, args=(tmp_path, ended))
    other.start()
    try:
        time.sleep(0.3)
        with pytest.raises(SweepInUseError, match=r"process 1 on another\.machine"):
            take(tmp_path)
    finally:
        ended.set()
        other.join()
    take(tmp_path).release()  # its last sign lies there still


def test_without_signs_of_life_nothing_is_waited_for(tmp_path: Path) -> None:
    begun = time.monotonic()
    lock = take(tmp_path)
    assert time.monotonic() - begun < 0.9
    lock.beat()
    first = (tmp_path / ".alive").read_text()
    time.sleep(0.1)
    lock.beat()
    assert (tmp_path / ".alive").read_text() != first
    lock.release()
    assert not (tmp_path / ".alive").exists()


def test_on_one_machine_the_lock_decides(tmp_path: Path) -> None:
    import socket

    (tmp_path / ".alive").write_text(json.dumps("left by one that was killed"))
    begun = time.monotonic()
    take(tmp_path, {**ELSEWHERE, "host": socket.gethostname()}).release()
    assert time.monotonic() - begun < 0.9
