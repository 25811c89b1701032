"""What is said of failed jobs: in one line each, in the user's words, and all of them on a screen."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_plugins.workstation_launcher._failures import Failed, failure_list
from tests.launcher.conftest import App

MISTAKES = """
import hydra
from hydra.core.config_store import ConfigStore
from hydra.utils import instantiate
from omegaconf import MISSING, OmegaConf

CONFIG = {
    "do": "ok",
    "model": {
        "missing": MISSING,
        "nowhere": "${model.absent}",
        "variable": "${oc.env:NO_SUCH_VARIABLE}",
        "target": {"_target_": "no_such_module.Net"},
        "call": {"_target_": "builtins.int", "size": 3},
    },
}
ConfigStore.instance().store("config", OmegaConf.create(CONFIG))


@hydra.main(version_base=None, config_name="config")
def app(config):
    if config.do in ("target", "call"):
        instantiate(config.model[config.do])
    elif config.do == "struct":
        config.model.layers
    elif config.do == "import":
        import no_such_module
    elif config.do != "ok":
        config.model[config.do]


if __name__ == "__main__":
    app()
"""

SAID = {
    "missing": "MissingMandatoryValue: Missing mandatory value: model.missing",
    "nowhere": "InterpolationKeyError: Interpolation key 'model.absent' not found (key model.nowhere)",
    "variable": "\"Environment variable 'NO_SUCH_VARIABLE' not found\" (key model.variable)",
    "target": "Error locating target 'no_such_module.Net'",
    "call": "'size' is an invalid keyword argument for int()",
    "struct": "ConfigAttributeError: Key 'layers' is not in struct (key model.layers)",
    "import": "ModuleNotFoundError: No module named 'no_such_module'",
}


def test_what_is_wrong_with_a_configuration_is_a_line_with_its_key(app: App) -> None:
    (app.folder / "app.py").write_text(MISTAKES)
    done = app.run(f"do={','.join(SAID)},ok", LINES="60", COLUMNS="400")
    lines = done.stdout.splitlines()
    for number, (do, said) in enumerate(SAID.items()):
        (place,) = [place for place, line in enumerate(lines) if f"failed #{number}: " in line]
        assert said in lines[place]
        assert "more lines" not in lines[place]
        assert lines[place + 1].strip() == f"do={do}"
        assert lines[place + 2].strip() == str(app.sweep / str(number) / "output.log")
    assert "Traceback" not in done.stdout  # of the first failure Hydra makes a report of its own


def test_an_override_that_breaks_a_job_before_its_task_is_said_with_its_key(app: App) -> None:
    done = app.run("+x=1,2", "+hydra.job.env_set.WHERE='${nowhere}'")
    assert done.returncode == 1
    assert "Interpolation key 'nowhere' not found (key hydra.job.env_set.WHERE)" in done.stdout + done.stderr


def failures_of(causes: list[int], words: str = "ValueError: a reason named ") -> list[Failed]:
    return [
        Failed(
            number, words + "abcdefghij"[cause // 10] + "abcdefghij"[cause % 10], f"x={number}", Path(f"s/{number}/log")
        )
        for number, cause in enumerate(causes)
    ]


def height(messages: list[str]) -> int:
    return sum(len(message.splitlines()) for message in messages)


def test_five_hundred_failures_of_forty_causes_fit_a_screen() -> None:
    causes = [7] * 300 + [3] * 120 + [number % 40 for number in range(80)]
    messages = failure_list(failures_of(causes), 80, 24)
    assert height(messages) <= 20
    assert messages[0].startswith("failed #0, #1, #2 and 299 more: ")
    assert messages[1].startswith("failed #300, #301, #302 and 119 more: ")
    assert messages[-1].startswith("and ")


@given(st.lists(st.integers(0, 60), min_size=1, max_size=300), st.integers(24, 60), st.integers(80, 200))
def test_no_failure_is_left_out_of_the_count(causes: list[int], lines: int, columns: int) -> None:
    failures = failures_of(causes)
    messages = failure_list(failures, columns, lines)
    assert height(messages) <= lines
    heads = [message.partition(": ")[0] for message in messages]
    told = sum(head.count("#") + sum(map(int, re.findall(r"and (\d+) more", head))) for head in heads)
    assert told == len(failures)


def test_causes_that_differ_in_numbers_or_the_jobs_own_directory_are_one() -> None:
    failures = [
        Failed(
            number,
            f"OSError: s/{'ab'[number % 2]}/model.pt is {number} bytes short",
            "x",
            Path(f"s/{'ab'[number % 2]}/log"),
        )
        for number in range(9)
    ]
    messages = failure_list(failures, 120, 40)
    assert len(messages) == 4
    assert "and 6 more failed" in messages[-1]


@pytest.mark.parametrize("number", [1, 4])
def test_a_few_failures_are_told_one_by_one(number: int) -> None:
    assert len(failure_list(failures_of([5] * number), 80, 24)) == number
