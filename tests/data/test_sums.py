"""Sums are taken once, and again of what has changed."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rnn_mnist.data import sums
from rnn_mnist.data.files import DataError
from rnn_mnist.data.readiness import make_ready
from rnn_mnist.data.sums import checksum, once


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Know as little as a new process; also called by tests."""

    def forget() -> None:
        monkeypatch.setattr(sums, "_passed", set())
        monkeypatch.setattr(sums, "_checksums", {})
        make_ready.cache_clear()

    forget()
    return forget


def test_a_file_is_checked_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    path, checks = tmp_path / "file", []
    path.write_bytes(b"0123")
    for _ in range(3):
        once(path, "sum", lambda: checks.append("sum"))
    once(path, "other", lambda: checks.append("other"))
    assert checks == ["sum", "other"]
    path.write_bytes(b"012")
    once(path, "sum", lambda: checks.append("again"))
    assert checks == ["sum", "other", "again"]


def test_a_file_that_fails_is_checked_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")

    def fail() -> None:
        raise DataError("corrupt")

    for _ in range(2):
        with pytest.raises(DataError):
            once(path, "sum", fail)


def test_a_sum_over_images_is_of_what_was_read_from_files_that_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0")
    zeros = (np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.uint8))
    ones = (np.ones((2, 28, 28), np.uint8), np.zeros(2, np.uint8))
    first = checksum([zeros], "kind", [path])
    assert checksum([ones], "kind", [path]) == first, "it was taken again"
    assert checksum([ones], "another kind", [path]) != first
    os.utime(path, ns=(0, 0))
    assert checksum([ones], "kind", [path]) != first
    assert checksum([zeros], "kind", []) == first
    assert checksum([ones], "kind", []) != first


def test_a_flipped_byte_is_found_by_the_next_process(tmp_path: Path, forget: Callable[[], None]) -> None:
    make_ready("mnist", tmp_path)
    images = tmp_path / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    before = images.stat()
    with images.open("r+b") as file:
        byte = images.read_bytes()[5000]
        file.seek(5000)
        file.write(bytes([byte ^ 1]))
    os.utime(images, ns=(before.st_atime_ns, before.st_mtime_ns))
    forget()
    with pytest.raises(DataError, match="t10k-images-idx3-ubyte: corrupt"):
        make_ready("mnist", tmp_path)
