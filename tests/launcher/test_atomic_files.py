"""Files that are written whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from hydra_plugins.workstation_launcher._atomic_files import write_atomically


def test_a_file_is_as_public_as_the_umask_says_which_is_never_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the whole process's: what another thread creates meanwhile would get the wrong one, or keep it for good."""
    changed: list[int] = []
    set_umask = os.umask
    before = set_umask(0o027)
    monkeypatch.setattr(os, "umask", changed.append)
    try:
        write_atomically(tmp_path / "file", b"content")
    finally:
        set_umask(before)
    assert changed == []
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_what_cannot_be_written_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "file").touch()
    with pytest.raises(OSError, match="directory"):
        write_atomically(tmp_path / "place", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
