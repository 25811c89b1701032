"""The time that jobs will take, and the dry run that shows it."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import rich
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.workstation_launcher._devices import Plan, Slot
from hydra_plugins.workstation_launcher._dry_run import show_dry_run
from hydra_plugins.workstation_launcher._forecast import Forecast
from hydra_plugins.workstation_launcher._records import State, Status
from hydra_plugins.workstation_launcher._sweep import Job
from tests.launcher.conftest import App

SECONDS = st.floats(0.1, 1e4)


def plan(slots: int) -> Plan:
    return Plan(tuple(Slot("cpu", {}) for _ in range(slots)), threads=1, start_interval_seconds=0)


def job(number: int, cost: float, took: float | None = None, name: str = "job") -> Job:
    config = OmegaConf.create({"cost": cost})
    made = Job(number, [f"cost={cost}"], lambda: config, str(number), (), name, Path(name), label=f"cost={cost}")
    if took is not None:
        made.status, made.skipped = Status.from_content({"state": State.completed, "seconds": took}), True
    return made


def cost(config: DictConfig, device: str) -> float | None:
    assert device == "cpu"
    return float(config.cost)


@given(st.lists(SECONDS, max_size=30), st.integers(1, 5))
def test_jobs_take_the_next_free_slot_in_order(costs: list[float], slots: int) -> None:
    jobs = [job(number, each) for number, each in enumerate(costs)]
    busy_until = [0.0] * slots
    for each in costs:
        first = busy_until.index(min(busy_until))
        busy_until[first] += each
    assert Forecast(jobs, plan(slots), cost).until_done(jobs) == pytest.approx(max(busy_until))


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=9), SECONDS)
def test_jobs_that_have_ended_set_the_expectation_right(ended: list[tuple[float, float]], waiting: float) -> None:
    jobs = [job(number, each, took) for number, (each, took) in enumerate(ended)]
    last = job(len(jobs), waiting)
    ratios = [took / each for each, took in ended]
    found = Forecast([*jobs, last], plan(1), cost).seconds(last)
    assert found is not None
    assert waiting * min(ratios) <= found * (1 + 1e-9)
    assert found <= waiting * max(ratios) * (1 + 1e-9)


def test_without_an_expectation_jobs_are_as_long_as_those_before() -> None:
    jobs = [job(0, 1, took=4), job(1, 1, took=8), job(2, 1)]
    assert Forecast(jobs, plan(1), None).seconds(jobs[2]) == 6
    assert Forecast(jobs[2:], plan(1), None).seconds(jobs[2]) is None
    assert Forecast(jobs[2:], plan(1), None).until_done(jobs[2:]) is None


def test_running_jobs_hold_their_slots() -> None:
    waiting = [job(0, 5), job(1, 5)]
    assert Forecast(waiting, plan(2), cost).until_done(waiting, [100.0]) == 100
    assert Forecast(waiting, plan(2), cost).until_done(waiting, [1.0, 2.0]) == 7


def test_an_expectation_that_raises_is_said_and_harms_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def broken(config: DictConfig, device: str) -> float | None:
        return float(config.layers[device])

    waiting = [job(0, 5), job(1, 5)]
    assert Forecast(waiting, plan(2), broken).until_done(waiting) is None
    assert len(caplog.messages) == 1
    assert "layers" in caplog.text


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[Job], int | None], list[str]]:
    def show(jobs: Sequence[Job], width: int | None) -> list[str]:
        file = io.StringIO()
        console = rich.console.Console(file=file, width=width, force_terminal=width is not None, color_system=None)
        monkeypatch.setattr(rich, "_console", console)
        show_dry_run(jobs, plan(2), Forecast(jobs, plan(2), cost), Path("sweeps/one"))
        return file.getvalue().splitlines()

    return show


def test_a_terminal_of_80_columns_shows_every_job_and_directory(
    shown: Callable[[Sequence[Job], int | None], list[str]],
) -> None:
    jobs = [job(number, 60 + number, name=f"{'long_' * 8}{number}") for number in range(3)]
    lines = shown(jobs, 80)
    assert max(map(len, lines)) <= 80
    for each in jobs:
        assert any(each.label in line for line in lines)
        assert any(each.place in line for line in lines)
    assert "about 2 min 01 s" in lines[-1]


def test_what_is_piped_is_never_folded(shown: Callable[[Sequence[Job], int | None], list[str]]) -> None:
    jobs = [job(number, 1, name=f"{'long_' * 40}{number}") for number in range(3)]
    lines = shown(jobs, None)
    for each in jobs:
        assert any(each.label in line and each.place in line for line in lines)


def test_the_header_of_a_sweep_says_what_the_application_expects(app: App) -> None:
    (app.folder / "expecting.py").write_text("def seconds(config, device):\n    return 100.0 * config.x\n")
    done = app.run("+x=1,2", "hydra.launcher.expected_seconds=expecting.seconds", "hydra.launcher.jobs_per_device=1")
    assert done.returncode == 0, done.stderr
    assert "about 5 min 00 s" in done.stdout.splitlines()[0]
