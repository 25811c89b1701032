"""Searches of a program whose value is known: they stream, go on where they stood, prune, and measure again."""

import os
import signal
import subprocess
import time

import pytest

from tests.launcher.conftest import heed_ctrl_c
from tests.optuna.conftest import App

pytestmark = pytest.mark.slow

pytest.importorskip("optuna", minversion="4.5")

SPACE = "+x=interval(0,1)"


def states(app: App) -> list[str]:
    return [trial.state.name for trial in app.trials()]


def test_a_search_finds_what_is_good(app: App) -> None:
    done = app.run(SPACE, "hydra.sweeper.n_trials=12", "hydra.launcher.on_sweep_end=searched.end")
    assert done.returncode == 0, done.stderr
    assert states(app) == ["COMPLETE"] * 12
    assert [trial.number for trial in app.trials()] == list(range(12))
    values = [status["return_value"] for status in app.statuses()]
    best = app.answer()["best"][0]
    assert best["searched"] == [min(values)]
    assert best["setting"] in done.stdout
    assert min(values) < 0.1
    assert app.steps()["end sweep"] == 1


def test_a_finished_search_runs_nothing_and_more_trials_go_on_with_it(app: App) -> None:
    assert app.run(SPACE, "hydra.sweeper.n_trials=4").returncode == 0
    steps = app.steps()
    again = app.run(SPACE, "hydra.sweeper.n_trials=4")
    assert again.returncode == 0, again.stderr
    assert app.steps() == steps
    more = app.run(SPACE, "hydra.sweeper.n_trials=6")
    assert more.returncode == 0, more.stderr
    assert states(app) == ["COMPLETE"] * 6
    assert len({trial.params["x"] for trial in app.trials()}) == 6
    assert sum(app.steps().values()) == 3 * 6


def test_a_freed_slot_is_given_the_next_trial_at_once(app: App) -> None:
    # One long trial, and short ones beside it: in batches of two they would wait for it.
    lengths = "+epochs=40,1,1,1,1,1"
    done = app.run("+x=0.5", lengths, "hydra.sweeper.sampler=grid", SLEEP="0.05")
    assert done.returncode == 0, done.stderr
    ended = [line.split("#")[1].split()[0] for line in done.stdout.splitlines() if " completed in " in line]
    assert ended == ["1", "0"]


@pytest.mark.slow
def test_killed_again_and_again_each_trial_is_made_once(app: App) -> None:
    search = (SPACE, "hydra.sweeper.n_trials=20")
    # The moments are those at which so many epochs have begun, and a little: however busy the machine is.
    for begun, more in ((4, 0.1), (17, 0.03), (32, 0.2)):
        process = app.start(*search, SLEEP="0.15")
        deadline = time.monotonic() + 60
        while sum(app.steps().values()) < begun and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(more)
        process.kill()
        process.wait()
        time.sleep(0.3)
    before = {trial.number: trial.params for trial in app.trials()}
    assert 0 < len(before) < 20
    done = app.run(*search, SLEEP="0.15")
    assert done.returncode == 0, done.stderr
    trials = app.trials()
    assert states(app) == ["COMPLETE"] * 20
    assert {trial.number: trial.params for trial in trials}.items() >= before.items()
    assert len(app.statuses()) == 20
    # An epoch in flight is made again; all others once, and each of every trial.
    steps = app.steps()
    assert len(steps) == 60
    assert sum(steps.values()) <= 60 + 3 * 2


def test_another_launcher_gets_batches(app: App) -> None:
    done = app.run(SPACE, "hydra.sweeper.n_trials=5", "hydra.sweeper.n_jobs=2", launcher="basic")
    assert done.returncode == 0, done.stderr
    assert states(app) == ["COMPLETE"] * 5
    assert sorted(path.name for path in app.sweep.iterdir() if path.is_dir()) == ["0", "1", "2", "3", "4"]
    again = app.run(SPACE, "hydra.sweeper.n_trials=5", launcher="basic")
    assert again.returncode == 0, again.stderr
    assert sum(app.steps().values()) == 15


@pytest.mark.slow
@pytest.mark.parametrize("pruner", ["median", "hyperband", "patient"])
def test_what_is_hopeless_is_pruned(app: App, pruner: str) -> None:
    done = app.run(
        SPACE,
        "+epochs=12",
        "hydra.sweeper.n_trials=14",
        "hydra.sweeper.sampler=random",
        f"hydra.sweeper.pruner={pruner}",
        *(["hydra.sweeper.pruner_options={n_startup_trials: 2}"] if pruner != "hyperband" else []),
    )
    assert done.returncode == 0, done.stderr
    pruned = [trial for trial in app.trials() if trial.state.name == "PRUNED"]
    kept = [trial for trial in app.trials() if trial.state.name == "COMPLETE"]
    assert pruned
    assert kept
    assert len(pruned) + len(kept) == 14
    assert sum(status["state"] == "pruned" for status in app.statuses()) == len(pruned)
    # Nothing that was pruned is better than the best, and none was run to its end.
    assert min(trial.value for trial in pruned) >= min(trial.value for trial in kept)
    assert sum(app.steps().values()) < 14 * 12


@pytest.mark.slow
def test_values_of_another_kind_are_judged_by_their_own_direction(app: App) -> None:
    done = app.run(
        *(SPACE, "+epochs=12", "hydra.sweeper.n_trials=14", "hydra.sweeper.sampler=random"),
        *("hydra.sweeper.pruner=median", "hydra.sweeper.pruner_options={n_startup_trials: 2}"),
        "hydra.sweeper.reports=maximize",
    )
    assert done.returncode == 0, done.stderr
    pruned = [trial.value for trial in app.trials() if trial.state.name == "PRUNED"]
    kept = [trial.value for trial in app.trials() if trial.state.name == "COMPLETE"]
    assert pruned
    # Far from 0.3 passes for good here, so that what is nearest is what was pruned.
    far = [abs(trial.params["x"] - 0.3) for trial in app.trials() if trial.state.name == "PRUNED"]
    assert max(far) < max(kept)


@pytest.mark.slow
def test_a_pruned_run_is_carried_on_by_a_grid(app: App) -> None:
    search = ("hydra.sweeper.n_trials=8", "hydra.sweeper.pruner=median", "hydra.sweeper.sampler=random")
    options = "hydra.sweeper.pruner_options={n_startup_trials: 2}"
    assert app.run(SPACE, "+epochs=6", *search, options).returncode == 0
    pruned = next(trial for trial in app.trials() if trial.state.name == "PRUNED")
    made = app.steps()
    x = pruned.user_attrs["overrides"][0]
    done = app.run(x, "+epochs=6", sweeper="basic")
    assert done.returncode == 0, done.stderr
    new = app.steps() - made
    last = max(pruned.intermediate_values)
    assert sorted(line.rpartition("=")[2] for line in new.elements()) == [str(each) for each in range(last + 1, 7)]


def test_the_best_are_measured_again_with_seeds_that_the_search_has_not_seen(app: App) -> None:
    search = (
        *(SPACE, "+seed=0", "hydra.sweeper.n_trials=6", "hydra.sweeper.seed_key=seed"),
        *("hydra.sweeper.remeasure=2", "hydra.sweeper.remeasure_seeds=3"),
    )
    done = app.run(*search)
    assert done.returncode == 0, done.stderr
    best = app.answer()["best"]
    assert [len(row["values"]) for row in best] == [3, 3]
    for row in best:
        again = row["again"][0]
        assert again["low"] < again["mean"] < again["high"]
        assert again["mean"] == pytest.approx(sum(value for (value,) in row["values"]) / 3)
    seeds = {line.split("seed=")[1].split()[0] for line in app.steps()}
    assert seeds == {"0", "1", "2", "3"}
    steps = app.steps()
    again = app.run(*search)
    assert again.returncode == 0, again.stderr
    assert app.steps() == steps
    assert app.answer()["best"] == best


@pytest.mark.slow
def test_replicates_are_one_trial_each_with_their_mean(app: App) -> None:
    done = app.run(
        *(SPACE, "+seed=0", "hydra.sweeper.n_trials=4", "hydra.sweeper.seed_key=seed"),
        *("hydra.sweeper.replicates=3", "hydra.sweeper.remeasure=0"),
    )
    assert done.returncode == 0, done.stderr
    assert len(app.statuses()) == 12
    for trial in app.trials():
        values = [value for (value,) in trial.user_attrs["values"]]
        assert len(values) == 3
        assert trial.value == pytest.approx(sum(values) / 3)


@pytest.mark.slow
def test_a_replicate_that_is_hopeless_is_the_last(app: App) -> None:
    done = app.run(
        *(SPACE, "+seed=0", "hydra.sweeper.n_trials=12", "hydra.sweeper.seed_key=seed", "hydra.sweeper.replicates=3"),
        *("hydra.sweeper.remeasure=0", "hydra.sweeper.pruner=median", "hydra.sweeper.sampler=random"),
        "hydra.sweeper.pruner_options={n_startup_trials: 2}",
    )
    assert done.returncode == 0, done.stderr
    pruned = [trial for trial in app.trials() if trial.state.name == "PRUNED"]
    assert pruned
    made = [len(trial.user_attrs["values"]) for trial in pruned]
    assert 1 in made
    assert max(made) < 3
    assert len(app.statuses()) == 3 * (12 - len(pruned)) + sum(made)


@pytest.mark.slow
def test_several_objectives_end_in_those_that_nothing_beats(app: App) -> None:
    done = app.run(
        SPACE, "+objectives=2", "hydra.sweeper.n_trials=12", "hydra.sweeper.direction=[minimize,minimize]",
        "hydra.sweeper.sampler=nsgaii",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    values = [trial.values for trial in app.trials()]
    front = [each for each in values if not any(a < each[0] and b < each[1] for a, b in values)]
    assert sorted(row["searched"] for row in app.answer()["best"]) == sorted(front)


@pytest.mark.slow
def test_objectives_are_measured_in_the_directories_of_the_runs(app: App) -> None:
    done = app.run(
        SPACE, "hydra.sweeper.n_trials=3", "hydra.sweeper.objectives=[far]", "hydra.sweeper.measure=searched.size"
    )
    assert done.returncode == 0, done.stderr
    assert all(trial.value == abs(trial.params["x"] - 0.3) for trial in app.trials())


@pytest.mark.slow
def test_a_key_is_searched_where_its_condition_holds(app: App) -> None:
    done = app.run(
        "+x=interval(0,1)", "+kind=a,b", "+y=interval(0,1)", "hydra.sweeper.n_trials=10",
        """hydra.sweeper.conditions={y: "kind == 'b' and x < 2"}""",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    kinds = {trial.params["kind"] for trial in app.trials()}
    assert kinds == {"a", "b"}
    assert all(("y" in trial.params) == (trial.params["kind"] == "b") for trial in app.trials())


@pytest.mark.slow
def test_a_grid_with_a_condition_has_no_run_twice(app: App) -> None:
    done = app.run(
        "+x=0.1,0.2", "+kind=a,b", "+y=1,2,3", "hydra.sweeper.sampler=grid",
        """hydra.sweeper.conditions={y: "kind == 'b'"}""",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(app.trials()) == 2 * (1 + 3)
    assert len(app.statuses()) == 2 * (1 + 3)


def test_a_configuration_that_is_refused_fails_its_trial_alone(app: App) -> None:
    done = app.run(
        SPACE, "+refuse_above=0.5", "hydra.launcher.check_job=searched.check", "hydra.sweeper.n_trials=8",
        "hydra.sweeper.sampler=random",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    failed = [trial for trial in app.trials() if trial.state.name == "FAIL"]
    assert failed
    assert all((trial.params["x"] > 0.5) == (trial in failed) for trial in app.trials())
    assert f"warning: trial {failed[0].number} cannot be run: +x={failed[0].params['x']}" in done.stdout
    assert len(app.statuses()) == 8 - len(failed)


@pytest.mark.slow
def test_a_space_that_is_refused_everywhere_ends_the_command(app: App) -> None:
    done = app.run(SPACE, "+refuse_above=-1", "hydra.launcher.check_job=searched.check", "hydra.sweeper.n_trials=1000")
    assert done.returncode == 1
    assert "is too much" in done.stderr
    assert len(app.trials()) == 20


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["workstation", "basic"])
def test_failed_trials_count_and_the_command_says_so(app: App, launcher: str) -> None:
    search = (SPACE, "+fail_above=0.6", "hydra.sweeper.n_trials=6", "hydra.sweeper.sampler=random")
    done = app.run(*search, launcher=launcher)
    assert done.returncode == 1
    assert "boom" in done.stdout + done.stderr
    for trial in app.trials():
        assert trial.state.name == ("FAIL" if trial.params["x"] > 0.6 else "COMPLETE")
    assert len(app.trials()) == 6
    steps = app.steps()
    again = app.run(*search, launcher=launcher)
    assert again.returncode == 1
    assert "failed, under earlier commands" in again.stderr
    assert app.steps() == steps


@pytest.mark.slow
def test_a_rate_of_failures_can_be_allowed(app: App) -> None:
    search = (SPACE, "+fail_above=0.6", "hydra.sweeper.n_trials=6", "hydra.sweeper.sampler=random")
    done = app.run(*search, "hydra.sweeper.max_failure_rate=0.9")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_trial_that_repeats_another_is_not_run_again(app: App) -> None:
    done = app.run("+x=0.1,0.2,0.3", "hydra.sweeper.n_trials=9", "hydra.sweeper.sampler=random")
    assert done.returncode == 0, done.stderr
    assert states(app) == ["COMPLETE"] * 9
    assert all(count == 1 for count in app.steps().values())
    assert len({trial.value for trial in app.trials()}) == len(app.statuses()) <= 3


def test_another_search_in_the_same_folder_is_refused(app: App) -> None:
    assert app.run(SPACE, "hydra.sweeper.n_trials=2").returncode == 0
    done = app.run("+x=interval(0,2)", "hydra.sweeper.n_trials=2")
    assert done.returncode == 1
    assert "begun otherwise: search of x 0 to 1 there, 0 to 2 here" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", ["nonsense\n", '{"op_code": 99}\n', "[]\n"])
@pytest.mark.slow
def test_a_file_that_is_no_journal_is_named(app: App, content: str) -> None:
    app.sweep.mkdir()
    (app.sweep / "optuna.journal").write_text(content + "more\n")
    done = app.run(SPACE)
    assert done.returncode == 1
    assert "optuna.journal: not a journal of Optuna's" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_line_of_the_journal_that_a_kill_has_cut_is_no_end_of_the_search(app: App) -> None:
    assert app.run(SPACE, "hydra.sweeper.n_trials=2").returncode == 0
    with (app.sweep / "optuna.journal").open("a") as file:
        file.write('{"op_code": 4, "work')
    done = app.run(SPACE, "hydra.sweeper.n_trials=3")
    assert done.returncode == 0, done.stderr
    assert states(app) == ["COMPLETE"] * 3


# Python executes sitecustomize.py before anything else. At 1,200 bytes two trials are chosen and neither runs yet: a
# job that is killed between its note of an epoch and its checkpoint would note the epoch again.
KILLED_IN_THE_JOURNAL = """
import os, signal
fsync = os.fsync
def killed(descriptor):
    fsync(descriptor)
    if os.readlink(f"/proc/self/fd/{descriptor}").endswith("optuna.journal") and os.path.getsize(descriptor) > 1200:
        os.kill(os.getpid(), signal.SIGKILL)
os.fsync = killed
"""


@pytest.mark.slow
@pytest.mark.parametrize("directory", ["sweep", None], ids=["relative", "absolute"])
def test_a_kill_that_leaves_the_lock_of_the_journal_is_no_end_of_the_search(app: App, directory: str | None) -> None:
    where = [SPACE, "hydra.sweeper.n_trials=3"] + ([f"hydra.sweep.dir={directory}"] if directory else [])
    (app.folder / "sitecustomize.py").write_text(KILLED_IN_THE_JOURNAL)
    assert app.run(*where).returncode == -signal.SIGKILL
    (app.folder / "sitecustomize.py").unlink()
    assert os.path.lexists(app.sweep / "optuna.journal.lock")
    done = app.run(*where)
    assert done.returncode == 0, done.stderr
    assert states(app) == ["COMPLETE"] * 3
    assert all(count == 1 for count in app.steps().values())


@pytest.mark.slow
def test_a_lock_of_another_program_that_leads_nowhere_is_no_end_of_the_search(app: App) -> None:
    app.sweep.mkdir()
    # optuna-dashboard's, which was given a relative path; Optuna would wait for it for ever.
    (app.sweep / "optuna.journal.lock").symlink_to("sweep/optuna.journal")
    done = app.run(SPACE, "hydra.sweeper.n_trials=2")
    assert done.returncode == 0, done.stderr
    assert states(app) == ["COMPLETE"] * 2


@pytest.mark.slow
def test_a_study_may_lie_in_a_database(app: App) -> None:
    import optuna

    url = f"sqlite:///{app.folder / 'studies.db'}"
    search = (SPACE, f"hydra.sweeper.storage={url}", "hydra.sweeper.study_name=mine")
    assert app.run(*search, "hydra.sweeper.n_trials=2").returncode == 0
    assert app.run(*search, "hydra.sweeper.n_trials=3").returncode == 0
    assert len(optuna.load_study(study_name="mine", storage=url).trials) == 3


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "cmaes", "gp", "nsgaii"])
def test_no_sampler_draws_again_what_it_has_drawn(app: App, sampler: str) -> None:
    if sampler == "cmaes":
        pytest.importorskip("cmaes")
    space = ("+x=interval(0,1)", "+y=interval(0,1)", "+epochs=1", f"hydra.sweeper.sampler={sampler}")
    for trials in (3, 6):
        done = app.run(*space, f"hydra.sweeper.n_trials={trials}")
        assert done.returncode == 0, done.stderr
    assert len({trial.params["x"] for trial in app.trials()}) == 6


def test_a_dry_run_begins_nothing(app: App) -> None:
    done = app.run(SPACE, "hydra.launcher.dry_run=true")
    assert done.returncode == 0, done.stderr
    assert "search: x in 0 to 1" in done.stdout
    assert "20 jobs are left" in done.stdout
    assert not app.sweep.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["hydra.sweeper.sampler=best"], "hydra.sweeper.sampler=best: must be tpe, random"),
        (["hydra.sweeper.n_trails=3"], "hydra.sweeper.n_trails=3: no such option (did you mean n_trials?)"),
        (["hydra.sweeper.direction=up"], "must be minimize or maximize"),
        (["hydra.sweeper.pruner=median", "hydra.sweeper.direction=[minimize,maximize]"], "with one objective only"),
        (["hydra.sweeper.replicates=2"], "needs hydra.sweeper.seed_key"),
        (["hydra.sweeper.sampler_options={nothing: 1}"], "hydra.sweeper.sampler_options={'nothing': 1"),
        (["hydra.sweeper.conditions={x: 'import os'}"], "that of x is none"),
        (["hydra.sweeper.conditions={z: 'x > 1'}"], "z is not searched; x is"),
        (["hydra.sweeper.measure=os.path.nothing", "hydra.sweeper.objectives=[a]"], "must be a function"),
        (["hydra.sweeper.sampler=grid"], "x is an interval; give a range or a list"),
        (["hydra.launcher.resume=false"], "another hydra.sweep.dir begins one anew"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_begun(app: App, overrides: list[str], line: str) -> None:
    done = app.run(SPACE, *(each.replace("hydra.sweeper.n_trails", "+hydra.sweeper.n_trails") for each in overrides))
    assert done.returncode == 1
    assert line in done.stderr
    assert "Traceback" not in done.stderr
    assert not app.steps()
    assert not app.sweep.exists()


@pytest.mark.slow
def test_ctrl_c_leaves_trials_that_are_carried_on(app: App) -> None:
    search = (SPACE, "hydra.sweeper.n_trials=5")
    process = subprocess.Popen(
        app.command(*search),
        cwd=app.folder,
        env=app.environment | {"SLEEP": "0.4"},
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    deadline = time.monotonic() + 60
    while len(app.steps()) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 130
    assert "to carry on: " in said
    running = [trial.number for trial in app.trials() if trial.state.name == "RUNNING"]
    assert running
    done = app.run(*search)
    assert done.returncode == 0, done.stderr
    assert states(app) == ["COMPLETE"] * 5
    assert len(app.statuses()) == 5
