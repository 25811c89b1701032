"""The functions of an application that are called as jobs end: beside the loop, in order, and contained."""

import signal
import threading
import time
from collections.abc import Callable

import pytest

from hydra_plugins.workstation_launcher._hook_thread import HookThread
from tests.launcher.conftest import App

WaitFor = Callable[..., None]

ON_JOB_END = "hydra.launcher.on_job_end=hooks.job"
ON_SWEEP_END = "hydra.launcher.on_sweep_end=hooks.sweep"


def write_hooks(app: App, code: str) -> None:
    (app.folder / "hooks.py").write_text(
        "import os, sys, time\n"
        "from pathlib import Path\n\n"
        "def note(text):\n"
        "    with open(os.environ['NOTES'], 'a') as file:\n"
        "        file.write(text + '\\n')\n\n" + code
    )


def test_a_hook_that_takes_long_holds_up_no_start(app: App) -> None:
    write_hooks(
        app,
        # The hook of the first job returns when the last job has run.
        "def job(sweep, directory):\n"
        "    note(f'begins {directory.name}')\n"
        "    while 'ok 4' not in Path(os.environ['NOTES']).read_text():\n"
        "        time.sleep(0.01)\n"
        "    note(f'ends {directory.name}')\n\n"
        "def sweep(sweep):\n"
        "    note('sweep')\n",
    )
    done = app.run("+x=range(5)", "hydra.launcher.jobs_per_device=1", ON_JOB_END, ON_SWEEP_END)
    assert done.returncode == 0, done.stdout
    hooks = [line for line in app.ran() if not line.startswith("ok")]
    assert hooks == [f"{what} {number}" for number in range(5) for what in ("begins", "ends")] + ["sweep"]


@pytest.mark.parametrize("raised", ["SystemExit(3)", "KeyboardInterrupt", "ValueError('no')", "GeneratorExit"])
def test_whatever_a_hook_raises_is_a_warning(app: App, raised: str) -> None:
    write_hooks(
        app,
        f"def job(sweep, directory):\n    raise {raised}\n\n"
        "def start(config, directory):\n    raise SystemExit('start')\n\n"
        "def sweep(sweep):\n    note('sweep')\n    raise SystemExit(4)\n",
    )
    done = app.run("+x=1,2", ON_JOB_END, ON_SWEEP_END, "hydra.launcher.on_job_start=hooks.start")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "2 completed" in done.stdout
    kind = raised.partition("(")[0]
    assert done.stdout.count(f"warning: {ON_JOB_END}: {kind}") == 2
    assert done.stdout.count("warning: hydra.launcher.on_job_start=hooks.start: SystemExit: start") == 2
    assert f"warning: {ON_SWEEP_END}: SystemExit: 4" in done.stdout
    assert sorted(app.ran()) == ["ok 1", "ok 2", "sweep"]


def test_ctrl_c_waits_for_a_hook_until_the_grace_ends(app: App, wait_for: WaitFor) -> None:
    write_hooks(app, "def job(sweep, directory):\n    note('hook')\n    time.sleep(300)\n")
    process = app.start("+x=1", ON_JOB_END, "hydra.launcher.grace_seconds=0.5")
    wait_for(lambda: "hook" in app.ran())
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "on_job_end is given up for 1 job" in output
    assert "to carry on: " in output
    assert "Traceback" not in output


def test_ctrl_c_lets_a_hook_return_within_the_grace(app: App, wait_for: WaitFor) -> None:
    write_hooks(
        app,
        "def job(sweep, directory):\n    note('hook')\n"
        "    while not (sweep.parent / 'go').exists():\n        time.sleep(0.01)\n    note('returned')\n",
    )
    process = app.start("+x=1", ON_JOB_END)
    wait_for(lambda: "hook" in app.ran())
    process.send_signal(signal.SIGINT)
    (app.folder / "go").touch()
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert app.ran()[-1] == "returned"
    assert "given up" not in output


def test_ctrl_c_in_the_hook_of_the_end_is_one_line(app: App, wait_for: WaitFor) -> None:
    write_hooks(app, "def sweep(sweep):\n    note('hook')\n    time.sleep(300)\n")
    process = app.start("+x=1", ON_SWEEP_END)
    wait_for(lambda: "hook" in app.ran())
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in output
    (line,) = [line for line in output.splitlines() if "interrupted" in line]
    assert ON_SWEEP_END in line
    assert app.status(0)["state"] == "completed"


def test_the_thread_ends_with_the_last_call_and_starts_again() -> None:
    said: list[str] = []
    hooks = HookThread("hook", said.append)
    called: list[int] = []
    before = threading.active_count()
    for round_ in range(3):
        for number in range(50):
            hooks.call(lambda number=number: called.append(number))  # type: ignore[misc]
        hooks.wait(10)
        assert hooks.pending == 0
        assert threading.active_count() == before
        assert called == [*range(50)] * (round_ + 1)
    assert not hooks.wants_to_be_waited_for()
    assert said == []


def test_calls_are_given_up_when_their_time_is_over() -> None:
    said: list[str] = []
    hooks = HookThread("hook", said.append)
    begun, gate = threading.Event(), threading.Event()
    called: list[str] = []

    def first() -> None:
        begun.set()
        gate.wait(10)
        called.append("first")

    hooks.call(first)
    hooks.call(lambda: called.append("second"))
    assert begun.wait(10)
    assert hooks.wants_to_be_waited_for()
    hooks.deadline = time.monotonic()
    assert not hooks.wants_to_be_waited_for()
    assert said == ["hook is given up for 2 jobs"]
    gate.set()
    hooks.wait(10)
    assert called == ["first"]
