"""Files that others may have put there are read as data, from where they seem to be, up to a size."""

import json
import os
from pathlib import Path

import pytest

from hydra_plugins.workstation_launcher import NotPlainError, is_inside, read_object, read_plain, set_aside
from hydra_plugins.workstation_launcher._plain_files import MOST_BYTES


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": [1, 2.5, null, "é", {"b": true}]}', encoding="utf-8")
    assert read_object(path) == {"a": [1, 2.5, None, "é", {"b": True}]}


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(FileNotFoundError):
        read_plain(path)
    os.mkfifo(path)
    with pytest.raises(NotPlainError):
        read_plain(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(NotPlainError):
        read_plain(path)
    with pytest.raises(NotPlainError):
        read_plain(Path("/dev/zero"))


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "there.json").write_text("{}")
    (tmp_path / "a.json").symlink_to("there.json")
    with pytest.raises(NotPlainError, match="not followed"):
        read_object(tmp_path / "a.json")


def test_a_file_of_ten_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(10 << 30)
    with pytest.raises(NotPlainError, match="larger"):
        read_object(path)
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(NotPlainError, match="larger"):
        read_object(path)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "7", "null", "{", '{"a": NaN}', '{"a": -Infinity}', '{"a": 1e999}', '{"a": ' + "9" * 5000 + "}"),
        '{"a": "\\ud800"}',
        '{"a": ' + "[" * 70 + "]" * 70 + "}",
        '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
)
def test_what_is_no_json_of_ours_is_one_kind_of_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=r"."):
        read_object(tmp_path / "a.json")


def test_bytes_that_are_no_text_are_an_error_too(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(ValueError, match=r"."):
        read_object(tmp_path / "a.json")


def test_many_short_lists_are_not_deep(tmp_path: Path) -> None:
    content = {str(number): [[number]] for number in range(1000)}
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert read_object(tmp_path / "a.json") == content


def test_what_is_set_aside_is_never_written_over(tmp_path: Path) -> None:
    names = []
    for content in ("1", "2", "3"):
        (tmp_path / "a.json").write_text(content)
        names.append(set_aside(tmp_path / "a.json").name)
    assert names == ["a.json.damaged", "a.json.damaged-2", "a.json.damaged-3"]
    assert [(tmp_path / name).read_text() for name in names] == ["1", "2", "3"]
    assert not (tmp_path / "a.json").exists()


def test_a_place_is_inside_by_no_way_around(tmp_path: Path) -> None:
    sweep = tmp_path / "sweep"
    (sweep / "a" / "b").mkdir(parents=True)
    (sweep / "out").symlink_to(tmp_path)
    (sweep / "ring").symlink_to("ring")
    (tmp_path / "linked").symlink_to(sweep)
    for folder in (sweep, tmp_path / "linked"):
        assert [is_inside(folder, place) for place in ("a", "a/b", "not-there", "a/not-there", ".")] == [True] * 5
        for place in ("..", "a/../../x", "/etc", str(sweep / "a"), "out", "out/x", "ring", "a\0b", "x" * 5000):
            assert not is_inside(folder, place), place
