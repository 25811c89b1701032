"""What tells one job from another, and how a command goes on where it stood."""

import json
import signal
import subprocess
from pathlib import Path

from tests.launcher.conftest import App, heed_ctrl_c


def test_another_environment_is_another_job(app: App) -> None:
    for value in ("a", "a", "c"):
        done = app.run("+do=environment", f"+hydra.job.env_set.FOO={value}")
        assert done.returncode == 0, done.stdout + done.stderr
    assert len(app.ran()) == 2
    seen = [path.read_text() for path in sorted(app.sweep.glob("*/environment"))]
    assert ["'FOO': 'a'" in text for text in seen] == [True, False]


def test_the_number_of_a_job_in_its_configuration_tells_jobs_apart(app: App) -> None:
    program = app.folder / "app.py"
    program.write_text(program.read_text().replace("config_path=None)", 'config_path=".", config_name="config")'))
    (app.folder / "config.yaml").write_text("seed: ${hydra:job.num}\nx: 0\ny: 0\n")
    done = app.run("x=0", "y=1,1,1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(app.ran()) == 3
    assert "warning: seed: the job's number" in done.stdout


def test_factors_are_those_of_all_batches(app: App) -> None:
    assert app.run("+x=1,2,3", "hydra.sweeper.max_batch_size=1").returncode == 0
    assert json.loads((app.sweep / "sweep.json").read_text())["factors"] == {"+x": ["1", "2", "3"]}


def dated(app: App, *overrides: str) -> list[str]:
    command = [part for part in app.command(*overrides) if not part.startswith("hydra.sweep.dir")]
    return [*command, "hydra.sweep.dir=dated/${now:%H-%M-%S-%f}"]


def test_a_dated_folder_is_found_again(app: App, wait_for: object) -> None:
    process = subprocess.Popen(
        dated(app, "+do=wait"),
        cwd=app.folder,
        env=app.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    wait_for(lambda: list(app.folder.glob("dated/*/0/waiting")))  # type: ignore[operator]
    process.send_signal(signal.SIGINT)
    shown, _ = process.communicate(timeout=60)
    (first,) = (Path("dated") / path.name for path in (app.folder / "dated").iterdir())
    assert f"hydra.sweep.dir={first}" in shown.splitlines()[-1]
    again = subprocess.Popen(
        dated(app, "+do=wait"), cwd=app.folder, env=app.environment, stdout=subprocess.PIPE, text=True
    )
    wait_for(lambda: len(list(app.folder.glob("dated/*/0/waiting"))) == 2)  # type: ignore[operator]
    again.kill()
    assert again.stdout is not None
    assert f"{first} is not finished; to carry on there:" in again.stdout.read()
