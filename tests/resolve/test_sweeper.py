"""The sweeper in real multiruns of an application that knows nothing of it."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.resolve.conftest import App

pytestmark = pytest.mark.slow

QUICK = ("hydra.sweeper.max_seeds=12", "hydra.sweeper.looks=[4,8,12]", "hydra.sweeper.margin=1.5")


def test_seeds_go_to_what_is_open(app: App) -> None:
    done = app.run(
        "+x=base,good,same", "hydra.sweeper.max_seeds=12", "hydra.sweeper.looks=[4,8,12]", "hydra.sweeper.margin=0.3"
    )
    assert done.returncode == 0, done.stderr
    looks = app.record()["looks"]
    settled = next(look["seeds"] for look in looks if look["contrasts"][0]["verdict"] == "better")
    assert settled < 12
    assert app.seeds("good") == list(range(settled))
    assert app.seeds("base") == app.seeds("same") == list(range(looks[-1]["seeds"]))
    assert app.verdicts()["x=good"] == "better"
    assert len(app.ran()) == sum(len(look["runs"]) for look in looks)
    # Job numbers go on from batch to batch, and no directory is used twice.
    assert sorted(int(path.parent.name) for path in app.sweep.glob("*/status.json")) == list(range(len(app.ran())))
    last = done.stdout.splitlines()[-1]
    assert f"{len(app.ran())} runs" in last
    assert str(app.sweep / "resolve.json") in last


def test_what_was_measured_is_in_the_record(app: App) -> None:
    assert app.run("+x=base,good", *QUICK).returncode == 0
    for look in app.record()["looks"]:
        for row in look["runs"]:
            returned = [
                json.loads(path.read_text())["return_value"]
                for path in app.sweep.glob("*/status.json")
                if json.loads(path.read_text())["overrides"] == [f"+seed={row['seed']}", f"+x={row['setting']['+x']}"]
            ]
            assert returned == [row["value"]]


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["workstation", pytest.param("basic", marks=pytest.mark.slow)])
def test_what_was_killed_carries_on_with_the_same_plan(app: App, launcher: str, tmp_path: Path) -> None:
    command = ("+x=base,good,same", "hydra.sweeper.margin=0.5", "hydra.sweeper.looks=[4,8,12,30]")
    app.environment["SLEEP"] = "0.2"
    process = subprocess.Popen(
        app.command(*command, launcher=launcher), cwd=app.folder, env=app.environment, stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 100
        # In the middle of the second look.
        while len(app.ran()) < 15:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    app.environment["SLEEP"] = "0"
    before = app.record()
    assert [look["seeds"] for look in before["looks"]] == [4]
    again = app.run(*command, launcher=launcher)
    assert again.returncode == 0, again.stderr
    after = app.record()
    assert after["plan"] == before["plan"]
    assert after["looks"][0] == before["looks"][0]
    whole = App(tmp_path / "whole")
    assert whole.run(*command, launcher=launcher).returncode == 0
    for look, undisturbed in zip(after["looks"], whole.record()["looks"], strict=True):
        assert look["contrasts"] == undisturbed["contrasts"]
        assert look["runs"] == undisturbed["runs"]
    # Those of the first look did not run again; those of the second only where the launcher cannot tell.
    assert app.ran().count("base None 0") == 1
    if launcher == "workstation":
        assert len(set(app.ran())) == sum(len(look["runs"]) for look in after["looks"])


@pytest.mark.slow
def test_another_plan_is_refused_by_what_differs(app: App) -> None:
    assert app.run("+x=base,good", *QUICK).returncode == 0
    before = (app.sweep / "resolve.json").read_bytes()
    ran = app.ran()
    for changed, named in [
        (("+x=base,good", *QUICK, "hydra.sweeper.margin=2"), "margin 1.5 there, 2.0 here"),
        (("+x=base,good,same", *QUICK), "factors of +x base,good there, base,good,same here"),
        (("+x=base,good", *QUICK, "+y=3"), "y none there, 3 here"),
        (("+x=base,good", *QUICK, "hydra.sweeper.first_seed=5"), "first_seed 0 there, 5 here"),
        (("+x=base,good", *QUICK, "hydra.sweeper.reference={x:good}"), "reference of +x base there, good here"),
    ]:
        refused = app.run(*changed)
        assert refused.returncode == 1
        assert named in refused.stderr.splitlines()[0]
    assert (app.sweep / "resolve.json").read_bytes() == before
    assert app.ran() == ran
    again = app.run("+x=base,good", *QUICK)
    assert again.returncode == 0
    assert app.ran() == ran
    assert "x=good is better than base" in again.stdout


@pytest.mark.slow
def test_a_level_that_fails_more_often_is_not_better(app: App) -> None:
    done = app.run("+x=base,fragile,bad", *QUICK)
    assert done.returncode == 1  # as with Hydra's own sweeper, when a job has failed
    assert app.verdicts() == {"x=fragile": "not comparable", "x=bad": "worse"}
    (row,) = [row for row in app.record()["looks"][-1]["contrasts"] if row["level"] == "fragile"]
    attempts = len(app.seeds("fragile"))
    failed = sum(seed % 4 == 1 for seed in app.seeds("fragile"))
    assert (row["failed"], row["runs"], row["failed_reference"], row["seeds"]) == (
        failed,
        attempts,
        0,
        attempts - failed,
    )
    assert f"fragile fails in {failed} of {attempts} runs" in done.stdout


def test_a_level_that_always_fails_gets_no_more_seeds(app: App) -> None:
    app.run("+x=base,broken", *QUICK)
    assert app.verdicts() == {"x=broken": "not comparable"}
    assert app.seeds("broken") == list(range(4))


@pytest.mark.slow
def test_a_look_without_any_result_is_none(app: App) -> None:
    done = app.run("+x=broken,absent", *QUICK)
    assert done.returncode == 1
    assert app.record()["looks"] == []


def test_a_seed_that_changes_nothing_is_said(app: App) -> None:
    assert app.run("+x=base,good,same", "+constant=true", *QUICK).returncode == 0
    assert app.verdicts() == {"x=good": "not comparable", "x=same": "equivalent"}
    assert len(app.ran()) == 12


@pytest.mark.slow
def test_main_effects_of_two_factors(app: App) -> None:
    done = app.run("+x=base,good", "+y=1,2", *QUICK, "hydra.sweeper.reference={x:good}")
    assert done.returncode == 0, done.stderr
    assert app.verdicts() == {"x=base": "worse", "y=2": "equivalent"}
    assert app.run("+x=base,good", "+y=1,2", *QUICK).returncode == 1


def test_less_can_be_better(app: App) -> None:
    assert app.run("+x=base,good", *QUICK, "hydra.sweeper.higher_is_better=false").returncode == 0
    assert app.verdicts() == {"x=good": "worse"}


def test_a_hook_at_the_end_of_a_sweep_runs_once(app: App) -> None:
    assert app.run("+x=base,good", *QUICK, "hydra.launcher.on_sweep_end=resolved_app.end").returncode == 0
    assert len(app.record()["looks"]) > 1
    assert [line for line in app.ran() if line.startswith("end")] == ["end sweep"]
    assert app.ran()[-1] == "end sweep"


MEASURED = "hydra.sweeper.measure=resolved_app.made"


def test_what_a_measure_cannot_tell_is_missing_and_what_it_calls_nan_has_failed(app: App) -> None:
    done = app.run("+x=base,good", "+write=true", *QUICK, MEASURED)
    assert done.returncode == 0, done.stderr
    (row,) = app.record()["looks"][-1]["contrasts"]
    assert (row["failed"], row["failed_reference"], row["missing"]) == (1, 0, 1)
    assert row["seeds"] == len(app.seeds("good")) - 2
    assert row["verdict"] == "not comparable"  # the better one fails more often
    assert done.stdout.count("warning: no result: +write=True +seed=2 +x=base") == 1


def test_a_measure_that_can_tell_nothing_ends_the_sweep(app: App) -> None:
    done = app.run("+x=base,good", *QUICK, MEASURED)  # the application writes no such file
    assert done.returncode == 1
    assert app.record()["looks"] == []
    assert "no run of this look has a result" in done.stderr


@pytest.mark.slow
def test_a_record_that_is_no_record_is_refused(app: App) -> None:
    app.sweep.mkdir()
    for content, named in [
        ("{", "delete it"),
        ('{"schema_version": 1}', "delete it"),
        ('{"schema_version": 99, "plan": {}, "looks": []}', "newer"),
    ]:
        (app.sweep / "resolve.json").write_text(content)
        refused = app.run("+x=base,good", *QUICK)
        assert refused.returncode == 1
        assert named in refused.stderr.splitlines()[0]
        assert (app.sweep / "resolve.json").read_text() == content
    assert app.ran() == []


@pytest.mark.slow
def test_looks_that_are_none_are_refused_in_a_line(app: App) -> None:
    assert app.run("+x=base,good", *QUICK).returncode == 0
    path, ran = app.sweep / "resolve.json", app.ran()
    content = app.record()
    look = content["looks"][0]
    broken: list[object] = [None, {}, look | {"runs": [{"setting": 7}]}, look | {"contrasts": [{}]}, look | {"runs": 7}]
    for each in broken:
        path.write_text(json.dumps(content | {"looks": [each]}))
        refused = app.run("+x=base,good", *QUICK)
        assert refused.returncode == 1
        assert "looks that this sweeper cannot read" in refused.stderr.splitlines()[0]
        assert "Traceback" not in refused.stderr
    assert app.ran() == ran


def test_ctrl_c_stops_and_the_same_command_carries_on(app: App) -> None:
    app.environment["SLEEP"] = "0.2"
    process = subprocess.Popen(
        app.command("+x=base,good", *QUICK),
        cwd=app.folder,
        env=app.environment,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 100
    while len(app.ran()) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "to carry on: " in printed
    assert app.record()["looks"] == []
    app.environment["SLEEP"] = "0"
    assert app.run("+x=base,good", *QUICK).returncode == 0
    assert app.verdicts() == {"x=good": "better"}


@pytest.mark.parametrize(
    "wrong",
    [
        "hydra.sweeper.margin=0",
        "hydra.sweeper.margin=wide",
        "hydra.sweeper.alpha=0.7",
        "hydra.sweeper.max_seeds=1",
        "hydra.sweeper.looks=[5,3]",
        "hydra.sweeper.looks=[5,10]",
        "hydra.sweeper.looks=0",
        "hydra.sweeper.higher_is_better=perhaps",
        "hydra.sweeper.measure=nowhere.at_all",
        "hydra.sweeper.measure=resolved_app.absent",
        "hydra.sweeper.reference={z:1}",
        "hydra.sweeper.params=[1]",
        "hydra.launcher.on_sweep_end=nowhere.at_all",
        "hydra.launcher.jobs_per_device=0",
        "+seed=3",
    ],
)
def test_wrong_options_are_one_line_and_leave_nothing(app: App, wrong: str) -> None:
    done = app.run("+x=base,good", wrong)
    assert done.returncode == 1
    message = done.stderr.partition("\n\nSet the environment")[0]
    assert wrong.partition("=")[0].removeprefix("hydra.sweeper.").removeprefix("+") in message
    assert len(message.splitlines()) == 1
    assert not app.sweep.exists()


def test_a_dry_run_leaves_nothing(app: App) -> None:
    done = app.run("+x=base,good", *QUICK, "hydra.launcher.dry_run=true")
    assert done.returncode == 0, done.stderr
    assert "8 of 8 jobs to do" in done.stdout
    assert not app.sweep.exists()


@pytest.mark.slow
def test_a_filter_leaves_settings_out(app: App) -> None:
    grid = ["+x=base,good,same", "+y=1,2,3"]
    chosen = [
        "hydra.sweeper.filter='x != \"same\" or y == 1'",
        "hydra.sweeper.max_seeds=4",
        "hydra.sweeper.looks=[2,4]",
    ]
    done = app.run(*grid, *chosen)
    assert done.returncode == 0, done.stderr
    assert '2 of 9 settings are dropped by hydra.sweeper.filter=x != "same" or y == 1' in done.stdout
    assert {line.rpartition(" ")[0] for line in app.ran()} == {
        "base 1", "base 2", "base 3", "good 1", "good 2", "good 3", "same 1",
    }  # fmt: skip
    assert app.record()["plan"]["filter"] == 'x != "same" or y == 1'
    again = app.run(*grid, *chosen[1:])
    assert again.returncode == 1
    assert "this sweep was planned otherwise" in again.stderr


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("x > 1", "'base' > 1: such values cannot be compared so"),
        ("seed == 1", "must not name +seed, which the sweeper chooses"),
        ("x ==", "must be an expression over keys"),
        ("x == 1", "drops all of 3 settings"),
    ],
)
def test_a_filter_that_cannot_be_used_is_refused(app: App, expression: str, words: str) -> None:
    done = app.run("+x=base,good,same", f"hydra.sweeper.filter='{expression}'")
    assert done.returncode == 1
    assert words in done.stderr
    assert not app.sweep.exists()
