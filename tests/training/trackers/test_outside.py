"""Trackers of one's own, several at once, and those that fail, hang or are not installed: the run is what counts."""

import json
from pathlib import Path
from typing import Any

import pytest

from hydra_plugins.workstation_launcher import Pruned
from rnn_mnist.catalogues.trackers import TRACKERS, TrackerError, TrackerSpec, chosen_trackers, preloaded
from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.runs.record import read_run
from rnn_mnist.training.one_run import train_run
from rnn_mnist.training.trainer import Trainer
from tests.conftest import SMALL, SMALL_SWEEP, CommandLine, small

OWN = '''
import json, os, time

from rnn_mnist.training.trackers.tracker import Tracker


class ToFile(Tracker):
    """Everything that it is told, as lines of JSON beside the run's own files."""

    name = "told.jsonl"

    def begin(self, run):
        self.path = run.directory / self.name
        self.say("begin", run.run_id, run.sweep, run.epochs_done, run.parameters, dict(run.tags))
        return ()

    def epoch(self, number, figures):
        self.say("epoch", number, dict(figures))

    def end(self, state, figures, error):
        self.say("end", state, dict(figures), error)

    def say(self, *words):
        with self.path.open("a") as file:
            file.write(json.dumps(words) + "\\n")


class Failing(ToFile):
    name, calls = "failing.jsonl", 0

    def epoch(self, number, figures):
        self.calls += 1
        if self.calls < 2:
            raise ConnectionError("the server\\nis away")
        super().epoch(number, figures)


class Leaving(ToFile):
    def begin(self, run):
        raise SystemExit(7)


class Hanging(ToFile):
    def end(self, state, figures, error):
        time.sleep(3600)
'''


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The folder of the command, with a module ``own`` in it and, as installed, a package with an entry point."""
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "spec.py").write_text(
        "from rnn_mnist.catalogues.trackers import TrackerSpec\n"
        "TO_FILE = TrackerSpec('to_file', 'own.ToFile', 'lines of JSON', 'own')\n"
        "ABSENT = TrackerSpec('absent', 'no_such_module.Tracker', 'nothing', 'no_such_module', 'pip install it')\n"
    )
    metadata = tmp_path / "own-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[rnn_mnist.trackers]\na = spec:TO_FILE\nb = spec:ABSENT\n")
    return tmp_path


def only_run(folder: Path) -> Path:
    (run,) = {path.parent for path in folder.rglob("result.json")}
    return run


def told(run: Path, name: str = "told.jsonl") -> list[Any]:
    return [json.loads(line) for line in (run / name).read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("chosen", ["own.ToFile", "to_file"])
def test_a_tracker_of_ones_own(chosen: str, own: Path, command: CommandLine) -> None:
    result = command("rnn_mnist.train", *SMALL, "training.epochs=2", f"tracker={chosen}")
    assert result.returncode == 0, result.stderr
    run = only_run(own)
    begun, *epochs, end = told(run)
    manifest = json.loads((run / "manifest.json").read_text())
    _, run_id, sweep, done, parameters, tags = begun
    assert (run_id, sweep, done) == (manifest["run_id"], "single", 0)
    assert parameters["optimizer.lr"] == manifest["config"]["optimizer"]["lr"]
    assert (tags["run_id"], tags["setting_id"]) == (run_id, manifest["setting_id"])
    assert [number for _, number, _ in epochs] == [1, 2]
    assert all({"train_loss", "val_accuracy"} <= figures.keys() and "epoch" not in figures for *_, figures in epochs)
    result_figures = json.loads((run / "result.json").read_text())
    numbers = {name: value for name, value in result_figures.items() if isinstance(value, int | float)}
    del numbers["schema_version"]
    assert end == ["end", "completed", {f"final/{name}": value for name, value in numbers.items()}, None]


@pytest.mark.slow
def test_several_at_once_one_of_which_fails(own: Path, command: CommandLine) -> None:
    trackers = "tracker=[own.Failing,own.ToFile,own.Leaving]"
    result = command("rnn_mnist.train", "-m", *SMALL_SWEEP, "training.epochs=4", trackers, "sweep=mixed")
    assert result.returncode == 0, result.stdout + result.stderr
    run = only_run(own)
    log = (run / "train.log").read_text()
    assert log.count("tracker=own.Failing: ConnectionError: the server is away") == 1
    assert log.count("tracker=own.Leaving: SystemExit: 7") == 1
    assert log.count("tracker=") == 2
    # One that failed is tried again, and those after it wait.
    for name in ("told.jsonl", "failing.jsonl"):
        begun, *epochs, end = told(run, name)
        assert (begun[0], end[0]) == ("begin", "end")
        assert [number for _, number, _ in epochs] == [1, 2, 3, 4]
    assert read_run(run).state == "completed"


@pytest.mark.slow
def test_one_that_hangs_holds_up_the_end_for_a_while_only(own: Path, command: CommandLine) -> None:
    (own / "impatient.py").write_text(
        "from rnn_mnist.training.trackers import tracking\n"
        "tracking.PATIENCE_SECONDS = 1.0\n"
        "from rnn_mnist import shell\n"
        "from rnn_mnist.train import main\n"
        "shell.leave(main)\n"
    )
    result = command("impatient", *SMALL, "training.epochs=1", "tracker=own.Hanging")
    assert result.returncode == 0, result.stderr
    assert "tracker=own.Hanging: no answer for 1 s" in result.stdout
    assert read_run(only_run(own)).state == "completed"


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["-m", "seed=0,1"]], ids=["run", "sweep"])
@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("absent", "tracker=absent: the module no_such_module is not installed; pip install it"),
        ("nowhere.Tracker", "tracker=nowhere.Tracker: "),
        ("tensorbord", "tracker=tensorbord: must be one of none, tensorboard, mlflow, wandb"),
    ],
)
def test_what_is_not_there_is_one_line_before_anything(
    chosen: str, said: str, more: list[str], own: Path, command: CommandLine
) -> None:
    result = command("rnn_mnist.train", *more, *SMALL, f"tracker=[none,{chosen}]")
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert said in line
    assert not list(own.rglob("manifest.json"))


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tensorboard", "mlflow", "wandb"):
        spec = TRACKERS[name]
        gone = TrackerSpec(spec.name, spec.tracker, spec.description, "no_such_module", spec.install, spec.preload)
        monkeypatch.setitem(TRACKERS, name, gone)
        with pytest.raises(TrackerError, match=rf"tracker={name}: .*pip install -e '\.\[{name}\]'"):
            chosen_trackers(name)[0].refuse_absent()
        assert preloaded(chosen_trackers(name)) == []


@pytest.mark.parametrize(
    ("override", "names"),
    [
        ("tracker=none", []),
        ("tracker=null", []),
        ("tracker=[]", []),
        ("tracker=mlflow", ["mlflow"]),
        ("tracker=[tensorboard,none,my.Own,tensorboard]", ["tensorboard", "my.Own"]),
    ],
)
def test_where_a_run_is_written_is_no_part_of_what_it_is(override: str, names: list[str]) -> None:
    checked = small(override)
    assert [spec.name for spec in chosen_trackers(checked.config.tracker)] == names
    assert json.dumps(checked.plain["tracker"])
    assert (checked.run_id, checked.setting_id) == (small().run_id, small().setting_id)
    assert checked.warnings == ()


@pytest.mark.parametrize("override", ["tracker=3", "tracker=[mlflow,2]", "tracker=[[mlflow]]"])
def test_what_is_no_tracker_is_refused(override: str) -> None:
    with pytest.raises(TrackerError, match=r"tracker=.*must be one of"):
        compose_checked([override])


def test_neither_the_api_nor_a_run_without_one_imports_a_tracker(command: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text(
        "import sys, rnn_mnist, rnn_mnist.task, rnn_mnist.training.one_run\n"
        "rnn_mnist.compose(['tracker=[tensorboard,mlflow,wandb]'])\n"
        "print(sorted({'tensorboard', 'mlflow', 'wandb'} & sys.modules.keys()))\n"
    )
    assert command("probe").stdout == "[]\n"


@pytest.mark.parametrize(
    ("end", "state"),
    [(Pruned("pruned after epoch 1"), "pruned"), (KeyboardInterrupt(), "interrupted"), (ValueError("oh"), "failed")],
)
def test_every_end_is_told(end: BaseException, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_ends.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    train_epoch = Trainer.train_epoch

    def one_epoch(trainer: Trainer, *arguments: Any) -> Any:
        if trainer.history:
            raise end
        return train_epoch(trainer, *arguments)

    monkeypatch.setattr(Trainer, "train_epoch", one_epoch)
    with pytest.raises(type(end)):
        train_run(small("tracker=own_ends.ToFile"), tmp_path / "run", [])
    assert [word for word, *_ in told(tmp_path / "run")] == ["begin", "epoch", "end"]
    assert told(tmp_path / "run")[-1][1:3] == [state, {}]
