"""The longest jobs start first: no long one is left for the end."""

from pathlib import Path
from statistics import mean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.workstation_launcher._devices import Plan, Slot
from hydra_plugins.workstation_launcher._forecast import Forecast
from hydra_plugins.workstation_launcher._records import State, Status
from hydra_plugins.workstation_launcher._sweep import Job
from tests.launcher.conftest import App

COSTS = st.lists(st.one_of(st.none(), st.floats(0.1, 1e3)), max_size=20)


def plan(slots: int) -> Plan:
    return Plan(tuple(Slot("cpu", {}) for _ in range(slots)), threads=1, start_interval_seconds=0)


def job(number: int, cost: float | None) -> Job:
    return Job(number, [], lambda: OmegaConf.create({"cost": cost}), str(number), (), str(number), Path(str(number)))


def cost(config: DictConfig, _device: str) -> float | None:
    return None if config.cost is None else float(config.cost)


@given(COSTS)
def test_the_order_is_by_length_and_ties_keep_theirs(costs: list[float | None]) -> None:
    jobs = [job(number, each) for number, each in enumerate(costs)]
    ordered = Forecast(jobs, plan(1), cost).longest_first(jobs)
    known = [each for each in costs if each is not None]
    assumed = mean(known) if known else 0.0
    lengths = [assumed if each is None else each for each in costs]
    assert [each.number for each in ordered] == sorted(range(len(jobs)), key=lambda number: (-lengths[number], number))


def test_jobs_that_are_run_afresh_are_ordered_by_what_they_took() -> None:
    jobs = [job(number, None) for number in range(4)]
    for each, seconds in zip(jobs, (1.0, 9.0, None, 4.0), strict=True):
        if seconds is not None:
            each.earlier = Status.from_content({"state": State.completed, "seconds": seconds})
    order = Forecast(jobs, plan(1), None).longest_first(jobs)
    assert [each.number for each in order] == [1, 2, 3, 0]  # nothing is known of #2, which counts as the mean


def test_without_any_expectation_jobs_start_as_they_come() -> None:
    jobs = [job(number, None) for number in (3, 1, 2)]
    assert Forecast(jobs, plan(2), None).longest_first(jobs) == jobs


def makespan(lengths: np.ndarray, slots: int) -> float:
    busy = np.zeros(slots)
    for length in lengths:
        busy[busy.argmin()] += length
    return float(busy.max())


@pytest.mark.slow
def test_a_sweep_is_shorter_for_it_and_never_longer_than_the_bound_allows() -> None:
    """Sweeps of 5 to 40 jobs whose lengths differ by factors, as of layers and of sizes, on 2 to 8 slots.

    The bound is Graham's: 4/3 - 1/(3 slots) of the shortest time possible, which no order beats.
    """
    draw = np.random.default_rng(12)
    ratios = []
    for _ in range(2_000):
        slots, number = int(draw.integers(2, 9)), int(draw.integers(5, 41))
        lengths = draw.lognormal(sigma=1.0, size=number)
        jobs = [job(place, float(length)) for place, length in enumerate(lengths)]
        forecast = Forecast(jobs, plan(slots), cost)
        as_they_come, ordered = forecast.until_done(jobs), forecast.until_done(forecast.longest_first(jobs))
        assert as_they_come is not None
        assert ordered is not None
        assert as_they_come == pytest.approx(makespan(lengths, slots))
        assert ordered <= (4 / 3 - 1 / (3 * slots)) * as_they_come * (1 + 1e-9)
        ratios.append(ordered / as_they_come)
    assert np.mean(ratios) < 0.9


def test_jobs_start_in_that_order_and_keep_numbers_and_directories(app: App) -> None:
    (app.folder / "expecting.py").write_text(
        "def seconds(config, device):\n    return None if config.x == 0 else float(config.x)\n"
    )
    done = app.run(
        "+x=1,0,6,2,6", "hydra.launcher.expected_seconds=expecting.seconds", "hydra.launcher.jobs_per_device=1"
    )
    assert done.returncode == 0, done.stdout
    assert app.ran() == ["ok 6", "ok 0", "ok 2", "ok 1"]  # nothing is known of 0: as long as the mean of the others
    assert [app.status(number)["return_value"] for number in range(4)] == [1, 0, 6, 2]


def test_a_retry_keeps_its_place(app: App) -> None:
    done = app.run("+do=die_once,ok,exit0", "hydra.launcher.retries=1", "hydra.launcher.jobs_per_device=1")
    assert done.returncode == 0, done.stdout
    assert app.ran() == ["die_once None", "die_once None", "ok None", "exit0 None"]
