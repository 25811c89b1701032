"""Jobs that ended by no fault of their own are done again, once, and nothing is counted."""

import pytest

from hydra_plugins.workstation_launcher._outcome import death
from tests.launcher.conftest import App

PROGRAM = """
import os, signal, time
from pathlib import Path

import hydra


def runs():
    return Path(os.environ["NOTES"]).read_text().split()


@hydra.main(version_base=None, config_path=None)
def app(config):
    with open(os.environ["NOTES"], "a") as file:
        file.write(f"{config.do}\\n")
    is_first = runs().count(config.do) == 1
    while is_first and config.do != "give_up" and len(runs()) < 2:
        time.sleep(0.01)
    if is_first and config.do == "kill":
        os.kill(os.getppid(), signal.SIGKILL)
    if is_first and config.do == "give_up":
        os._exit(75)
    if is_first and config.do in ("kill", "beside"):
        time.sleep(60)


if __name__ == "__main__":
    app()
"""


def test_jobs_that_died_with_the_process_that_starts_them_run_again(app: App) -> None:
    (app.folder / "app.py").write_text(PROGRAM)
    done = app.run("+do=kill,beside", "hydra.launcher.jobs_per_device=2")
    assert done.returncode == 0, done.stdout
    assert sorted(app.ran()) == ["beside", "beside", "kill", "kill"]
    for number in range(2):
        assert (app.status(number)["state"], app.status(number)["attempts"]) == ("completed", 1)
    assert "failed" not in done.stdout
    assert not app.processes()


def test_a_job_that_gives_up_for_the_disks_sake_runs_again(app: App) -> None:
    (app.folder / "app.py").write_text(PROGRAM)
    done = app.run("+do=give_up,ok", "hydra.launcher.jobs_per_device=1")
    assert done.returncode == 0, done.stdout
    assert app.ran() == ["give_up", "give_up", "ok"]
    assert app.status(0)["attempts"] == 1
    assert "paused: #0: its process could not write what it must" in done.stdout


@pytest.mark.parametrize(
    ("exit_status", "words"), [(-11, "killed by SIGSEGV"), (-35, "killed by signal 35"), (3, "exit status 3")]
)
def test_every_end_of_a_process_has_words(exit_status: int, words: str) -> None:
    assert words in death(None, exit_status)
