"""What attempts were made with, compared."""

from dataclasses import asdict, replace

import pytest

from rnn_mnist.runs.provenance import Attempt, CodeVersion, OtherDataError, attempt_here, compare

HERE = replace(attempt_here(), device="cpu", threads=1, data_sha256="0" * 64)


def test_an_attempt_comes_back_from_a_manifest() -> None:
    assert compare([HERE], HERE) == []
    assert Attempt.from_manifest({"run_id": "x", **asdict(HERE)}) == HERE


def test_what_differs_is_named_once_and_what_is_unknown_is_not_different() -> None:
    other = replace(HERE, threads=2, host="there", versions={**HERE.versions, "torch": "1.0"})
    older = replace(HERE, threads=4, code=CodeVersion(None, None, "f" * 64))
    found = {difference.fact: (difference.before, difference.here) for difference in compare([other, older], HERE)}
    assert set(found) == {"threads", "host", "torch", "code"}
    assert found["threads"] == ("2", "1")
    assert found["torch"] == ("1.0", HERE.versions["torch"])
    assert compare([Attempt.from_manifest({"code": {"commit": None}, "device": "cpu", "versions": None})], HERE) == []


def test_other_data_are_refused() -> None:
    with pytest.raises(OtherDataError, match="resume=false") as caught:
        compare([replace(HERE, data_sha256=None), replace(HERE, data_sha256="1" * 64)], HERE)
    assert "1" * 12 in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
