"""Many runs' CSV files are read as pandas reads each of them."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnn_mnist.analysis.reading.run_tables import read_together

HEADERS = st.sampled_from(["epoch", "epoch,loss", "loss,epoch,accuracy", "epoch,epoch", "loss", "", '"a,b",epoch'])
VALUES = st.one_of(
    st.integers(0, 30).map(str),
    st.floats(allow_nan=False).map(repr),
    st.sampled_from(["", "nan", "inf", "-", "1e", "True", "words", '"', "1\r", "1_0", "٣"]),
)
ROWS = st.lists(st.lists(VALUES, min_size=0, max_size=4).map(",".join), max_size=4)
NUMBERS = st.lists(st.tuples(st.integers(1, 9).map(str), st.floats(0, 1).map(repr)).map(",".join), max_size=4)
FILES = st.one_of(
    st.tuples(st.just("epoch,loss"), NUMBERS, st.sampled_from(["\n", ""])),
    st.tuples(HEADERS, ROWS, st.sampled_from(["\n", "", "\n\n"])),
    st.none(),
)


@settings(max_examples=300, deadline=None)
@example(files=[('"a,b",epoch', ["0,0,1"], "\n")])
@given(files=st.lists(FILES, max_size=6))
def test_as_each_alone(files: list[tuple[str, list[str], str] | None]) -> None:
    expected: list[tuple[int, dict[Any, Any]]] = []
    unread: list[int] = []
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / str(place) for place in range(len(files))]
        for place, (path, file) in enumerate(zip(paths, files, strict=True)):
            if file is None:
                continue
            header, rows, end = file
            content = "\n".join([header, *rows]) + end
            path.write_text(content, encoding="utf-8", newline="")
            try:
                table = pd.read_csv(io.BytesIO(content.encode()))
            except ValueError:
                unread.append(place)
                continue
            if "epoch" not in table.columns:
                unread.append(place)
                continue
            expected += [(place, row) for row in table.to_dict("records")]
        table, places, problems = read_together(paths, "epoch")
    assert [place for place, _ in expected] == places.tolist()
    assert len(problems) == len(unread)
    assert all(problem.startswith(f"{paths[place]}: ") for problem, place in zip(problems, unread, strict=True))
    for (_, row), found in zip(expected, table.to_dict("records"), strict=True):
        for column, value in found.items():
            assert same(value, row.get(column)), (column, value, row)


def same(value: Any, other: Any) -> bool:
    """Whether two cells hold the same; an integer may have become a float beside floats, and nothing is nothing."""
    if pd.isna(value):
        return bool(pd.isna(other))
    return bool(value == other)


def test_numbers_stay_numbers_beside_a_file_without_rows(tmp_path: Path) -> None:
    for name, content in {"a": "epoch,loss\n1,0.5\n", "b": "epoch,loss\n", "c": "epoch,loss\n1,2\n2,\n"}.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    table, places, problems = read_together([tmp_path / name for name in "abcd"], "epoch")
    assert table["epoch"].tolist() == [1, 1, 2]
    assert [str(kind) for kind in table.dtypes] == ["int64", "float64"]
    assert (places.tolist(), problems) == ([0, 2, 2], [])


def test_no_file_at_all(tmp_path: Path) -> None:
    table, places, problems = read_together([tmp_path / "none"], "epoch")
    assert (len(table), places.tolist(), problems) == (0, [], [])
    assert list(table.columns) == ["epoch"]
