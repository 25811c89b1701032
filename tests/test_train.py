"""The entry point as its user types it: one run, a sweep, the same command again, a kill, a mistake."""

import csv
import io
import json
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn

from rnn_mnist.analysis.report.sweep_end import present
from rnn_mnist.data.images import DataSet
from rnn_mnist.train import main
from tests.conftest import SMALL, SMALL_SWEEP, CommandLine, start

TRAIN = "rnn_mnist.train"
TIMINGS = ("epoch_seconds", "images_per_second")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def untimed(path: Path) -> list[dict[str, str]]:
    return [{key: value for key, value in row.items() if key not in TIMINGS} for row in rows(path)]


def only_run(folder: Path) -> Path:
    (found,) = (path for path in folder.iterdir() if path.is_dir())
    return found


def train_in(folder: Path, *arguments: str) -> tuple[Path, str]:
    """``folder``, once the command has trained there, and what it printed (``command`` does not live that long)."""
    process = start(TRAIN, *arguments, cwd=folder)
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr
    return folder, stdout


@pytest.fixture(scope="module")
def trained(mnist_root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which the command has trained one small run, and what it printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNN_MNIST_DATA", str(mnist_root))
        return train_in(tmp_path_factory.mktemp("trained"), *SMALL)


@pytest.fixture
def finished(trained: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of that run, under the folder of the next command, as if that one had trained it."""
    shutil.copytree(trained[0] / "outputs", tmp_path / "outputs")
    return only_run(tmp_path / "outputs" / "single")


def test_one_run_leaves_its_files_and_is_recognised_the_next_time(
    command: CommandLine, trained: tuple[Path, str], finished: Path, tmp_path: Path, mnist: DataSet
) -> None:
    run, (_, printed) = finished, trained
    assert "test accuracy" in printed
    assert str(run.relative_to(tmp_path)) in printed

    manifest = json.loads((run / "manifest.json").read_text())
    result = json.loads((run / "result.json").read_text())
    status = json.loads((run / "status.json").read_text())
    assert run.name.endswith(f"__{manifest['run_id']}")
    assert manifest["config"]["model"]["hidden_size"] == 8
    assert manifest["threads"] == 1
    assert manifest["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert manifest["data_sha256"] == mnist.checksum
    assert manifest["end"] >= manifest["start"]
    assert status["state"] == "completed"
    assert status["return_value"] == result["val_accuracy"]

    metrics = rows(run / "metrics.csv")
    assert [row["epoch"] for row in metrics] == ["1", "2"]
    assert list(metrics[0]) == [
        "epoch",
        "train_loss",
        "train_accuracy",
        "val_loss",
        "val_accuracy",
        "learning_rate",
        "gradient_norm",
        "epoch_seconds",
        "images_per_second",
    ]
    predictions = np.load(run / "predictions.npy")
    assert predictions.dtype == np.uint8
    assert predictions.shape == (10_000,)
    assert (torch.from_numpy(predictions) == mnist.test.labels).float().mean().item() == pytest.approx(
        result["test_accuracy"]
    )
    by_step = rows(run / "accuracy_by_step.csv")
    assert len(by_step) == 28
    assert float(by_step[-1]["test_accuracy"]) == pytest.approx(result["test_accuracy"], abs=2e-4)
    (row,) = rows(run.parent / "results.csv")
    assert row["run"] == run.name
    assert row["status"] == "completed"
    assert row["model.hidden_size"] == "8"
    assert float(row["test_accuracy"]) == result["test_accuracy"]
    assert "test accuracy" in (run / "train.log").read_text()

    written = (run / "metrics.csv").stat().st_mtime_ns
    again = command(TRAIN, *reversed(SMALL))
    assert again.returncode == 0
    assert "already completed" in again.stdout
    assert (run / "metrics.csv").stat().st_mtime_ns == written
    assert only_run(run.parent) == run


def test_model_pt_loads_into_plain_pytorch(finished: Path, mnist: DataSet) -> None:
    state = torch.load(finished / "model.pt", weights_only=True)
    lstm, linear = nn.LSTM(28, 8, 2, batch_first=True), nn.Linear(8, 10)
    lstm.load_state_dict(state["recurrent"])
    linear.load_state_dict(state["linear"])
    with torch.inference_mode():
        logits = linear(lstm(mnist.test.images / 255)[0][:, -1])
    assert (logits.argmax(1).numpy() == np.load(finished / "predictions.npy")).mean() > 0.999


LONGER = [*SMALL, "training.epochs=12", "model.dropout=0.2", "data.augmentation.max_shift=2"]


@pytest.fixture(scope="module")
def undisturbed(mnist_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the run that is not interrupted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNN_MNIST_DATA", str(mnist_root))
        return train_in(tmp_path_factory.mktemp("undisturbed"), *LONGER, "hydra.run.dir=.")[0]


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_an_interrupted_run_carries_on_to_the_same_end(
    command: CommandLine, tmp_path: Path, undisturbed: Path, signal_number: signal.Signals
) -> None:
    process = start(TRAIN, *LONGER, cwd=tmp_path)
    single = tmp_path / "outputs" / "single"
    deadline = time.monotonic() + 120
    while not list(single.glob("*/checkpoint.pt")):
        assert process.poll() is None, "it ended before it could be interrupted"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal_number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == (130 if signal_number == signal.SIGINT else -signal.SIGKILL)
    if signal_number == signal.SIGINT:
        assert "the same command carries on" in stderr
        assert "Traceback" not in stderr
    run = only_run(single)
    assert not (run / "result.json").exists()
    assert not (run / "metrics.csv").exists() or len(rows(run / "metrics.csv")) < 12

    resumed = command(TRAIN, *LONGER)
    assert resumed.returncode == 0, resumed.stderr
    assert "continuing after epoch" in resumed.stdout
    assert untimed(run / "metrics.csv") == untimed(undisturbed / "metrics.csv")
    assert (run / "predictions.npy").read_bytes() == (undisturbed / "predictions.npy").read_bytes()
    first, second = (torch.load(folder / "model.pt", weights_only=True) for folder in (run, undisturbed))
    for part in ("recurrent", "linear"):
        assert all(torch.equal(first[part][name], second[part][name]) for name in first[part])
    assert json.loads((run / "status.json").read_text())["attempts"] == 2
    assert len(json.loads((run / "manifest.json").read_text())["earlier_attempts"]) == 1


def test_the_results_of_another_run_are_never_written_over(command: CommandLine, finished: Path) -> None:
    run = finished.rename(finished.with_name("x"))
    here = f"hydra.run.dir={run}"
    before = {path.name: path.read_bytes() for path in run.glob("[a-z]*.[!l]*")}
    for again in ([], ["resume=false"]):
        result = command(TRAIN, *SMALL, "seed=1", here, *again)
        assert result.returncode == 1
        assert "outputs/single/x: holds the completed run" in result.stdout
        assert "Traceback" not in result.stdout + result.stderr
    assert {path.name: path.read_bytes() for path in run.glob("[a-z]*.[!l]*")} == before
    assert "predictions.npy" in before


def test_a_run_anew_needs_its_data_before_it_gives_up_what_is_there(
    command: CommandLine, finished: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    damaged.write_text("not a folder")
    result = command(TRAIN, *SMALL, "resume=false", f"data.root={damaged}")
    assert result.returncode == 1
    assert (finished / "predictions.npy").exists()
    assert (finished / "result.json").exists()


@pytest.mark.slow
def test_an_unreadable_neighbour_is_left_out_and_said(command: CommandLine, finished: Path) -> None:
    (finished / "status.json").write_text("{broken")
    result = command(TRAIN, *SMALL, "seed=1")
    assert result.returncode == 0, result.stderr
    assert "left out of results.csv" in result.stdout
    assert [row["seed"] for row in rows(finished.parent / "results.csv")] == ["1"]


@pytest.mark.slow
def test_a_study_without_its_grid_says_so(command: CommandLine) -> None:
    result = command(TRAIN, *SMALL, "experiment=batch_first", "training.epochs=1")
    assert result.returncode == 0, result.stderr
    assert "-m runs the whole grid" in result.stdout


@pytest.mark.slow
def test_a_study_with_its_grid_is_not_mistaken_for_one_of_several(command: CommandLine, tmp_path: Path) -> None:
    result = command(TRAIN, "-m", *SMALL_SWEEP, "experiment=batch_first", "training.epochs=1", "seed=0")
    assert result.returncode == 0, result.stderr
    table = rows(tmp_path / "outputs" / "batch_first" / "results.csv")
    assert sorted(row["model.batch_first"] for row in table) == ["False", "True"]


def test_help_lists_what_can_be_chosen_and_nothing_else(command: CommandLine) -> None:
    result = command(TRAIN, "--help")
    assert result.returncode == 0, result.stderr
    for line in ("model: rnn, lstm, gru, custom", "schedule: constant, cosine, one_cycle, step", "model.num_layers=2"):
        assert f"\n{line}\n" in result.stdout
    for internal in ("schema", "_recurrent", "_study", "_split"):
        assert internal not in result.stdout


def test_help_of_one_group(command: CommandLine) -> None:
    model = command(TRAIN, "--help", "model")
    assert model.returncode == 0, model.stderr
    assert "model.num_layers=2" in model.stdout
    assert "optimizer.lr" not in model.stdout
    launcher = command(TRAIN, "--help", "launcher")
    assert "hydra.launcher.timeout_minutes=null" in launcher.stdout
    assert max(map(len, (model.stdout + launcher.stdout).splitlines())) <= 80
    studies = command(TRAIN, "--help", "experiment").stdout
    assert "experiment=depth\n    How many recurrent layers" in studies
    unknown = command(TRAIN, "--help", "modle")
    assert unknown.returncode == 2
    assert "model" in unknown.stderr
    assert len(unknown.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("--help",), SMALL, ("-m", "seed=0,1", *SMALL)])
def test_a_reader_that_has_gone_is_no_error(arguments: tuple[str, ...], tmp_path: Path) -> None:
    process = start(TRAIN, *arguments, cwd=tmp_path)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait() == 0


def test_ctrl_c_while_the_program_loads_is_one_line(tmp_path: Path) -> None:
    # Where Hydra is imported from in this process, its first import hits Ctrl-C.
    (tmp_path / "hydra.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    process = start(TRAIN, cwd=tmp_path)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.startswith("interrupted")
    assert len(stderr.splitlines()) == 1


@pytest.mark.parametrize("grid", [(), ("-m", "seed=0,1")])
@pytest.mark.parametrize("seconds", [0.2, 0.6, 1.2, 2.0])
def test_ctrl_c_at_any_time_is_130_and_at_most_one_line(grid: tuple[str, ...], seconds: float, tmp_path: Path) -> None:
    process = start(TRAIN, *grid, *SMALL, "training.epochs=200", cwd=tmp_path)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    # A sweep says in its own lines what was interrupted, and what carries it on.
    assert stderr in ("", "interrupted; the same command carries on from the last whole epoch\n")
    assert stderr or grid


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="PyTorch comes with another OpenMP")
@pytest.mark.parametrize(
    ("name", "value", "count"), [("X", "", "10000"), ("GOMP_SPINCOUNT", "7", "7"), ("OMP_WAIT_POLICY", "PASSIVE", "0")]
)
def test_threads_that_wait_soon_sleep_unless_the_user_says_otherwise(
    command: CommandLine, monkeypatch: pytest.MonkeyPatch, name: str, value: str, count: str
) -> None:
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)  # other tests call the command in this process
    monkeypatch.setenv("OMP_DISPLAY_ENV", "VERBOSE")
    monkeypatch.setenv(name, value)
    assert f"GOMP_SPINCOUNT = '{count}'" in command("rnn_mnist.train", *SMALL).stderr


@pytest.mark.slow
def test_resume_false_trains_anew(command: CommandLine, finished: Path) -> None:
    written = (finished / "metrics.csv").stat().st_mtime_ns
    again = command(TRAIN, *SMALL, "resume=false")
    assert again.returncode == 0
    assert (finished / "metrics.csv").stat().st_mtime_ns > written
    assert only_run(finished.parent) == finished


def test_a_sweep_reaches_the_models_and_grows(command: CommandLine, tmp_path: Path) -> None:
    sweep = ["-m", "sweep=layers", *SMALL_SWEEP, "training.epochs=1"]
    first = command(TRAIN, *sweep, "model.num_layers=1,2", "model.dropout=0,0.5")
    assert first.returncode == 0, first.stderr
    folder = tmp_path / "outputs" / "layers"
    table = rows(folder / "results.csv")
    # One layer has no use for dropout: its two cells are one run.
    assert sorted((row["model.num_layers"], row["model.dropout"]) for row in table) == [
        ("1", "0.0"),
        ("2", "0.0"),
        ("2", "0.5"),
    ]
    assert {row["status"] for row in table} == {"completed"}
    assert len({row["parameters"] for row in table}) == 2
    assert first.stdout.count("has no effect") == 1

    more = command(TRAIN, *sweep, "model.num_layers=3,2,1")
    assert more.returncode == 0, more.stderr
    assert "3 jobs, 2 already done" in more.stdout
    assert {row["model.num_layers"] for row in rows(folder / "results.csv")} == {"1", "2", "3"}


QUICK = ["-m", *SMALL, "training.epochs=1", "model.num_layers=1"]


@pytest.fixture(scope="module")
def three_seeds(mnist_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a sweep has trained seeds 0 to 2, and a single run seed 3."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNN_MNIST_DATA", str(mnist_root))
        folder, _ = train_in(tmp_path_factory.mktemp("three_seeds"), *QUICK, "seed=range(3)")
        train_in(folder, *QUICK[1:], "seed=3")
    return folder


@pytest.fixture
def neighbours(three_seeds: Path, tmp_path: Path) -> Path:
    """A copy of it, under the folder of the next command: the sweep, and what it is called."""
    shutil.copytree(three_seeds / "outputs", tmp_path / "outputs")
    (sweep,) = (path for path in (tmp_path / "outputs").iterdir() if path.is_dir() and path.name != "single")
    return sweep


@pytest.mark.slow
def test_a_run_that_lies_next_door_is_not_trained_again(command: CommandLine, neighbours: Path, tmp_path: Path) -> None:
    name, outputs = neighbours.name, tmp_path / "outputs"
    more = command(TRAIN, *QUICK, "seed=range(5)")
    assert more.returncode == 0, more.stderr
    assert f"5 jobs, 4 taken from outputs/{name} and 1 other, 1 to run" in more.stdout
    assert more.stdout.count("started on") == 1
    (sweep,) = (path for path in outputs.glob("*range_5*"))
    table = rows(sweep / "results.csv")
    assert [row["seed"] for row in table] == ["0", "1", "2", "3", "4"]
    assert {row["status"] for row in table} == {"completed"}
    for run in sorted(sweep.glob("*seed=[0-3]*")):
        manifest = json.loads((run / "manifest.json").read_text())
        source = tmp_path / manifest["taken_from"]["directory"]
        assert source.parent in (neighbours, outputs / "single")
        before = json.loads((source / "manifest.json").read_text())
        assert [manifest[key] for key in ("run_id", "start", "end", "code")] == [
            before[key] for key in ("run_id", "start", "end", "code")
        ]
        assert (run / "predictions.npy").read_bytes() == (source / "predictions.npy").read_bytes()

    # Spelled differently, in another order, under a name of one's own: the same runs.
    for again in (["seed=2,1,0", *QUICK[1:]], [*QUICK[1:], "sweep=mine", "seed=0,1,2"]):
        done = command(TRAIN, "-m", *again)
        assert done.returncode == 0, done.stderr
        assert "3 jobs, 3 taken from" in done.stdout
        assert "0 to run" in done.stdout
    shutil.rmtree(neighbours)
    report = command("rnn_mnist.commands.status", "outputs/mine")
    assert report.returncode == 0, report.stderr
    # The old folder's name is one that can be typed.
    typed = command(TRAIN, *QUICK, f"sweep={name}", "seed=0")
    assert typed.returncode == 0, typed.stderr
    assert neighbours.exists()
    assert "1 taken from" in typed.stdout
    without = command(TRAIN, *QUICK, "sweep=afresh", "reuse=false", "seed=0")
    assert "taken" not in without.stdout
    assert without.stdout.count("started on") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "keep"), [("result.json", 20), ("predictions.npy", 5000), ("model.pt", 500), ("metrics.csv", 150)]
)
def test_damaged_results_are_neither_taken_nor_skipped(
    command: CommandLine, neighbours: Path, file: str, keep: int
) -> None:
    (run,) = neighbours.glob("*seed=0*")
    (run / file).write_bytes((run / file).read_bytes()[:keep])
    elsewhere = command(TRAIN, *QUICK, "sweep=elsewhere", "seed=0")
    assert elsewhere.returncode == 0, elsewhere.stderr
    assert "taken" not in elsewhere.stdout
    shutil.rmtree(neighbours.with_name("elsewhere"))
    here = command(TRAIN, *QUICK, f"sweep={neighbours.name}", "seed=0,1")
    assert here.returncode == 0, here.stdout + here.stderr
    assert "2 jobs, 1 already done, 1 to run" in here.stdout
    assert "#0 runs again, for its results are gone or damaged" in here.stdout
    assert "1 job, 1 taken from" in command(TRAIN, *QUICK, "sweep=elsewhere", "seed=0").stdout


@pytest.mark.slow
def test_runs_that_are_the_same_are_named_with_the_reason(command: CommandLine) -> None:
    done = command(TRAIN, *QUICK, "sweep=twins", "model.dropout=0,0.2,0.5")
    assert done.returncode == 0, done.stderr
    assert "3 jobs, 2 the same as another, 1 to run" in done.stdout
    assert (
        "#1 and #2 are #0 again: model.dropout makes no difference with model.num_layers=1, for dropout " in done.stdout
    )


def test_a_diverged_run_fails_and_says_where(command: CommandLine, tmp_path: Path) -> None:
    wild = ["model=rnn", "model.nonlinearity=relu", "optimizer=sgd", "optimizer.lr=1000", "seed=1"]
    result = command(TRAIN, *SMALL, *wild)
    assert result.returncode == 1
    assert "epoch 1, step" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr
    run = only_run(tmp_path / "outputs" / "single")
    status = json.loads((run / "status.json").read_text())
    assert status["state"] == "failed"
    assert "epoch 1, step" in status["error"]
    (row,) = rows(run.parent / "results.csv")
    assert row["status"] == "failed"
    assert row["error"] == status["error"]
    assert row["test_accuracy"] == ""


@pytest.mark.slow
def test_a_sweep_with_a_diverged_run_finishes_the_rest_and_exits_1(command: CommandLine, tmp_path: Path) -> None:
    wild = ["model=rnn", "model.nonlinearity=relu", "optimizer=sgd", "seed=1"]
    result = command(TRAIN, "-m", "sweep=rates", *SMALL_SWEEP, *wild, "optimizer.lr=1000,0.01")
    assert result.returncode == 1
    assert "failed #0: DivergedError: training loss is" in result.stdout
    assert "/output.log" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr
    table = {row["optimizer.lr"]: row["status"] for row in rows(tmp_path / "outputs" / "rates" / "results.csv")}
    assert table == {"1000.0": "failed", "0.01": "completed"}


DYING = """
import os, signal
import hydra
from rnn_mnist import task
from rnn_mnist.configuration.compose import CONFIG_DIR, register
from rnn_mnist.configuration.hydra_versions import MAIN

@hydra.main(config_path=str(CONFIG_DIR), config_name="config", **MAIN)
def app(config):
    if config.seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return task.task(config)

if __name__ == "__main__":
    register(task.job_identity)
    app()
"""


@pytest.mark.slow
def test_a_job_that_dies_before_it_writes_anything_is_counted_everywhere(command: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "dying.py").write_text(DYING)
    result = command(
        "dying", "-m", "sweep=dying", *SMALL_SWEEP, "training.epochs=1", "model.num_layers=1,2", "seed=0,1"
    )
    assert result.returncode == 1, result.stderr
    folder = tmp_path / "outputs" / "dying"
    table = rows(folder / "results.csv")
    assert sorted(row["status"] for row in table) == ["completed", "completed", "failed", "failed"]
    failed = [row for row in table if row["status"] == "failed"]
    assert all("SIGKILL" in row["error"] and row["seed"] == "1" and row["setting_id"] for row in failed)
    assert len(list(folder.glob("*/manifest.json"))) == 4
    console = Console(file=io.StringIO(), width=200)
    present(folder, console)
    # They did not diverge: they are missing, which is no outcome of their settings, and said.
    assert [row["n"] for row in rows(folder / "summary.csv")] == ["1", "1"]
    assert [row["failed"] for row in rows(folder / "summary.csv")] == ["0", "0"]
    assert console.file.getvalue().count("(1 missing)") == 2  # type: ignore[attr-defined]
    assert "2 of 4 runs have no outcome" in console.file.getvalue()  # type: ignore[attr-defined]


def assert_one_line(code: int, stderr: str, words: str, overrides: list[str], folder: Path) -> None:
    assert code == 1
    assert words in stderr
    assert len(stderr.splitlines()) == 1
    assert not list(folder.rglob("status.json"))
    if "-m" not in overrides:
        assert not (folder / "outputs").exists()


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["training.device=cuda:63"], "training.device=cuda:63: PyTorch sees"),
        (["model=transformer"], "model=transformer: no such option; allowed: custom, gru, lstm, rnn"),
        (["-m", "model.num_layers=1,x"], "model.num_layers=x"),
        (["-m", "sweep='\udcfc'"], "not text in this locale's encoding"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(
    command: CommandLine, tmp_path: Path, overrides: list[str], words: str
) -> None:
    result = command(TRAIN, *overrides)
    assert_one_line(result.returncode, result.stderr, words, overrides, tmp_path)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["model.num_layers=0"], "model.num_layers=0: must be at least 1"),
        (["model.proj_size=500"], "model.proj_size=500: must be less than"),
        (["model.hiden_size=3"], "did you mean hidden_size?"),
        (["model=_recurrent"], "model=_recurrent: no such option; allowed: custom, gru, lstm, rnn"),
        (["hydra.job.chdir=true"], "hydra.job.chdir=true: must be false"),
        (["-m", "hydra.job.chdir=true"], "hydra.job.chdir=true: must be false"),
        (["-m", "experiment=depth,width"], "experiment=depth,width: must be one study, for Hydra ignores the grids of"),
        (["-m", "+experiment=glob(d*)", "hydra.sweep.dir=x"], "+experiment=glob(d*): must be one study"),
        (["model=null"], "model=null: a choice must be a string or a list of strings; allowed: rnn, lstm, gru, custom"),
        (
            ["-m", "hydra.launcher.jobs_per_device=0"],
            "error: hydra.launcher.jobs_per_device=0: must be auto or a whole",
        ),
        (["-m", "hydra.launcher.n_jobs=2"], "hydra.launcher.n_jobs: no such key (did you mean jobs_per_device?)"),
        (["training.gradient_clip_norm=inf"], "training.gradient_clip_norm=inf: must be a finite number"),
    ],
)
def test_mistakes_are_one_line_in_this_process_too(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    overrides: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")  # which main sets, and which is so put back
    monkeypatch.setattr(sys, "argv", ["train.py", *overrides])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    assert_one_line(ended.value.code, capsys.readouterr().err, words, overrides, tmp_path)


@pytest.mark.slow
def test_broken_data_is_named_before_a_run_begins(command: CommandLine, tmp_path: Path) -> None:
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "t10k-labels-idx1-ubyte").write_bytes(b"broken")
    result = command(TRAIN, *SMALL, f"data.root={tmp_path / 'data'}")
    assert result.returncode == 1
    assert "t10k-labels-idx1-ubyte: corrupt" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert not (tmp_path / "outputs").exists()


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"broken", b"", "foreign", "folder"])
def test_a_broken_checkpoint_is_set_aside_and_the_run_begins_again(
    command: CommandLine, finished: Path, content: bytes | str
) -> None:
    result = json.loads((finished / "result.json").read_text())
    (finished / "result.json").unlink()
    path = finished / "checkpoint.pt"
    if content == "folder":
        path.unlink()
        path.mkdir()
    elif content == "foreign":
        torch.save({"run_id": result["run_id"], "model": {}}, path)
    else:
        assert isinstance(content, bytes)
        path.write_bytes(content)
    again = command(TRAIN, *SMALL)
    assert again.returncode == 0, again.stdout + again.stderr
    assert (
        again.stdout.count("checkpoint.pt is damaged; it is kept as checkpoint.pt.damaged; the run begins again") == 1
    )
    assert (finished / "checkpoint.pt.damaged").exists()
    assert json.loads((finished / "result.json").read_text())["test_loss"] == result["test_loss"]


@pytest.mark.slow
def test_two_processes_do_not_train_one_run(command: CommandLine, tmp_path: Path) -> None:
    first = start(TRAIN, *SMALL, "training.epochs=1000", cwd=tmp_path)
    try:
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob("outputs/single/*/status.json")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        second = command(TRAIN, *SMALL, "training.epochs=1000")
        assert second.returncode == 1
        assert "another process is training this run" in second.stdout
    finally:
        first.kill()
        first.communicate()
