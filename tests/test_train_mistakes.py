"""What is said when the command of ``train`` is wrong: one line, before anything is written."""

import socket
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hydra._internal.utils import get_args_parser

from rnn_mnist.configuration.command_line import FLAGS
from rnn_mnist.train import main
from tests.conftest import SMALL, CommandLine

TRAIN = ["python", "-m", "rnn_mnist.train"]

NO_SUCH_KEY = {
    "hidden_size=64": "hidden_size: no such key; did you mean model.hidden_size=64?",
    "lr=0.1": "lr: no such key; did you mean optimizer.lr=0.1?",
    "epochs=3": "epochs: no such key; did you mean training.epochs=3?",
    "+epochs=3": "epochs: no such key; did you mean training.epochs=3?",
    "training.lr=3": "training.lr: no such key; did you mean optimizer.lr=3?",
    "learning_rate=0.1": "did you mean optimizer.lr=0.1?",
    "hiden_size=3": "did you mean model.hidden_size=3?",
    "cell=gru": "did you mean model=gru?",
    "Model=gru": "did you mean model=gru?",
    "name=adam": "did you mean optimizer=adam?",
    "name=x": "name: no such key; the configuration has: model, sequence",
    "n_jobs=3": "did you mean hydra.launcher.jobs_per_device=3?",
    "dry_run=true": "did you mean hydra.launcher.dry_run=true?",
    "model.hiden_size=3": "model.hiden_size: no such key (did you mean hidden_size?)",
    "gru": "gru: must be key=value; did you mean model=gru?",
    "depth": "depth: must be key=value; did you mean experiment=depth?",
    "seed": "seed: must be key=value; did you mean seed=...?",
    "model.num_layers:3": "did you mean model.num_layers=3?",
}


def without(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(find_spec(package) is not None, reason=f"{package} is installed")


WITHOUT_OPTUNA = without("optuna")

WRONG = [
    # Of sweeps, without -m.
    (["hydra.launcher.dry_run=true"], "put -m first: python -m rnn_mnist.train -m hydra.launcher.dry_run=true"),
    (["sweep=x", "seed=1"], "sweep=x: is of sweeps, and this is one run; put -m first: python -m rnn_mnist.train -m"),
    (["hydra.sweeper.max_batch_size=2"], "put -m first"),
    (["hydra.sweep.dir=x"], "put -m first"),
    (["hydra/launcher=basic"], "put -m first"),
    (["hydra/sweeper=resolve"], "put -m first"),
    (["seed=range(3)"], "several values are a sweep; put -m first: python -m rnn_mnist.train -m 'seed=range(3)'"),
    (["model.num_layers=1,2"], "several values are a sweep; put -m first"),
    (["-m", "hydra.run.dir=x"], "hydra.run.dir=x: is of a single run, and -m starts a sweep: hydra.sweep.dir=x"),
    # One key twice.
    (["-m", "seed=range(1,4)", "seed=5"], "seed=range(1,4) and seed=5: both set seed"),
    (["model=gru", "model=lstm"], "model=gru and model=lstm: both set model"),
    (["+seed=1", "seed=2"], "+seed=1 and seed=2: both set seed"),
    (["-m", "seed=1,2", "++seed=range(3)"], "seed=1,2 and ++seed=range(3): both set seed"),
    (["data@x=mnist", "model=gru", "+data@x=mnist"], "data@x=mnist and +data@x=mnist: both set data@x"),
    # Functions of a sweep.
    (["-m", "seed=range(1,4),7"], "range cannot be mixed with values: seed=1,2,3,7"),
    (["-m", "seed=7,range(0,100)"], "seed=7,0,1,2,3,4,5,6,8,9,10,11,12,13,14,15,16,17,18,19,…"),
    (["-m", "seed=1,choice(2,3)"], "choice cannot be mixed with values: seed=1,2,3"),
    (["-m", "model=gru,glob(*)"], "glob cannot be mixed with values: model=gru,lstm,rnn"),
    (["-m", "optimizer.lr=0.1,interval(0,1)"], "interval cannot be mixed with values; list those"),
    (["-m", "optimizer.lr=interval(0,1)"], "as in optimizer.lr=0.25,0.5,0.75; interval needs one that searches, such"),
    (["-m", "optimizer.lr=tag(log,interval(0.0001,1))"], "as in optimizer.lr=0.001,0.01,0.1;"),
    (["-m", "hydra/sweeper=resolve", "optimizer.lr=interval(0,1)"], "must be a list or a range of levels"),
    (["-m", "seed=range(0)"], "seed=range(0): the sweep is empty; range(3) is 0,1,2"),
    (["-m", "seed=range(5,1)"], "seed=range(5,1): the sweep is empty"),
    (["-m", "seed=shuffle(range(0))"], "the sweep is empty"),
    (["-m", "seed=choice()"], "empty choice"),
    (["-m", "seed=range(0,3,0)"], "seed=range(0,3,0): range() arg 3 must not be zero"),
    (["-m", "model=glob(x*)"], "model=glob(x*): the sweep is empty; there are gru, lstm, rnn"),
    (["-m", "seed=glob(*)"], "seed=glob(*): glob is for a choice among options: model, sequence, data"),
    (["model=[gru,lstm]"], "must be one option; a sweep over several is model=gru,lstm"),
    (["-m", "optimizer.lr=logspace(0,1,3)"], "start=0: must be a number above 0"),
    (["-m", "optimizer.lr=logspace(1,2)"], "missing a required argument: 'n'"),
    (["-m", "seed=7,logspace(1,100,3)"], "logspace cannot be mixed with values: seed=7,1,10,100"),
    (["optimizer.lr=logspace(0.1,1,3)"], "several values are a sweep; put -m first"),
    # What of a grid is run.
    (["hydra.sweeper.filter=seed < 3"], "put -m first"),
    (["-m", "seed=1,2", "hydra.sweeper.filter=seed < 3 and"], "filter=seed < 3 and: must be an expression over keys: "),
    (["-m", "seed=1,2", "hydra.sweeper.filter=seed > 3"], "filter=seed > 3: drops all of 2 combinations"),
    (["-m", "seed=1,2", "hydra.sweeper.filter=sed == 1"], "sed: no such key (did you mean seed?) (with seed=1)"),
    (["-m", "seed=1,2", "hydra.sweeper.filter=model == 'lstm' or 'gru'"], "'gru': neither true nor false by itself"),
    (["-m", "seed=1,2", "hydra.sweeper.filter=__import__('os') == 1"], "only keys, numbers, texts, comparisons"),
    (["-m", "seed=1,2", "hydra.sweeper.zip=[[seed,model]]"], "zip=[[seed,model]]: model is not swept over; seed is"),
    (["-m", "seed=1,2", "model=gru,lstm,rnn", "hydra.sweeper.zip=[seed,model]"], "seed has 2, model has 3"),
    (
        ["-m", "seed=1,2", "hydra.sweeper.random=0"],
        "hydra.sweeper.random=0: must be null or a whole number, at least 1",
    ),
    (["-m", "seed=1,2", "hydra.sweeper.filtr=x"], "hydra.sweeper.filtr: no such key (did you mean filter?)"),
    # Deletion.
    (["~model.bias"], "~model.bias: keys cannot be deleted"),
    (["~model"], "~model: keys cannot be deleted"),
    (["~seed=0"], "~seed=0: keys cannot be deleted"),
    # Spaces and commas.
    (["-m", "model.num_layers=1,", "2"], "model.num_layers=1, 2: no space after the comma: model.num_layers=1,2"),
    (["-m", "model=gru,", "lstm,", "rnn", "seed=1"], "no space after the comma: model=gru,lstm,rnn"),
    (["-m", "model.num_layers=1", ",2"], "no space before the comma: model.num_layers=1,2"),
    (["-m", "seed=range(1,", "4)"], "no space after the comma: 'seed=range(1,4)'"),
    (["model.num_layers", "=", "3"], "no spaces around =: model.num_layers=3"),
    (["model.num_layers=", "3"], "no spaces around =: model.num_layers=3"),
    (["seed=1,", "model=gru"], "seed=1,: no comma at the end: seed=1"),
    # The launcher's options, and others.
    (["-m", "hydra.launcher.jobs_per_device=0"], "error: hydra.launcher.jobs_per_device=0: must be auto or a whole"),
    (["-m", "hydra.launcher.devices=cuda"], "error: hydra.launcher.devices=cuda: must be auto, cpu, or a list of"),
    (["-m", "hydra.launcher.devices=[77]"], "hydra.launcher.devices=77: 77 is not visible here"),
    (["-m", "training.device=cuda:99"], "error: training.device=cuda:99: "),
    (["-m", "hydra.launcher.n_jobs=2"], "did you mean jobs_per_device?"),
    (["-m", "hydra.launcher.njobs=2"], "did you mean jobs_per_device?"),
    pytest.param(
        ["-m", "hydra/sweeper=optuna"],
        "hydra/sweeper=optuna: not installed; pip install 'rnn-mnist[optuna]'",
        marks=WITHOUT_OPTUNA,
    ),
    pytest.param(["hydra/sweeper=optuna"], "pip install 'rnn-mnist[optuna]'", marks=WITHOUT_OPTUNA),
    pytest.param(["-m", "hydra/launcher=slurm"], "needs the submitit library: pip install", marks=without("submitit")),
    pytest.param(["-m", "hydra/launcher=ray"], "needs Ray: pip install ray", marks=without("ray")),
    (["-m", "hydra/launcher=slurm", "hydra.launcher.mem_gb=2"], "did you mean memory?"),
    (["-m", "hydra/launcher=ray", "hydra.launcher.num_cpus=2"], "did you mean cpus?"),
    (["-m", "hydra/launcher=submitit_local"], "pip install hydra-submitit-launcher"),
    (["-m", "hydra/launcher=nothing"], "hydra/launcher=nothing: no such option; allowed: basic"),
    # Values that only Hydra's composition or the run's own check refuses.
    (["-m", "model.num_layers=1,x"], "model.num_layers=x: value 'x' of type 'str'"),
    (["-m", "model.num_layers=1,0"], "model.num_layers=0: must be at least 1"),
    (["model.num_layers=0", "hydra.run.dir=z"], "model.num_layers=0: must be at least 1"),
    (["data.root=/proc/x/y"], "data.root=/proc/x/y: cannot be used"),
    (["data.root=/dev/null"], "data.root=/dev/null: cannot be used"),
    (["-m", "data.root=/proc/x/y", "seed=0,1"], "data.root=/proc/x/y: cannot be used"),
]

WRONG_FLAGS = [
    (["--num_layers", "3"], "--num_layers 3: a key is typed without dashes: model.num_layers=3"),
    (["--lr=0.1"], "--lr=0.1: a key is typed without dashes: optimizer.lr=0.1"),
    (["-lr", "0.1"], "optimizer.lr=0.1"),
    (["--batch-size", "3"], "training.batch_size=3"),
    (["--experiment=depth"], "a key is typed without dashes: experiment=depth"),
    (["--model", "gru", "seed=1"], "--model gru: a key is typed without dashes: model=gru"),
    (["-m", "--n_jobs", "3"], "hydra.launcher.jobs_per_device=3"),
    (["--epochs"], "training.epochs=..."),
    (["--hlep"], "--hlep: no such option"),
    (["--cfg", "x"], "--cfg/-c: invalid choice: 'x'"),
    (["-m=1"], "--multirun/-m: ignored explicit argument '1'"),
    (["seed=0,1", "-m", "model=gru"], "put -m first: python -m rnn_mnist.train -m seed=0,1 model=gru"),
    (["seed=1", "--config-dir", "x", "model=gru"], "put options first: python -m rnn_mnist.train --config-dir x seed"),
]


class Typed:
    """Types a command into this process, in an empty folder."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._patch, self._captured = folder, monkeypatch, capsys
        monkeypatch.chdir(folder)

    def __call__(self, *arguments: str) -> tuple[object, str, str]:
        """Exit code, standard output and standard error."""
        self._patch.setenv("HYDRA_FULL_ERROR", "0")  # which main sets, and which is so put back
        self._patch.setattr(sys, "argv", ["train.py", *arguments])
        self._patch.setattr(sys, "orig_argv", [*TRAIN, *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self._captured.readouterr()
        return ended.value.code, out, err

    def refuses(self, *arguments: str, words: str, code: int = 1) -> None:
        """Assert that the command ends with one line that says so, and leaves the folder as it was."""
        before = sorted(self._folder.rglob("*"))
        found, out, err = self(*arguments)
        assert found == code, out + err
        assert words in err
        assert len(err.splitlines()) == 1
        assert out == ""
        assert sorted(self._folder.rglob("*")) == before


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    return Typed(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(("override", "words"), NO_SUCH_KEY.items())
def test_a_key_in_the_wrong_place_is_told_its_right_one(typed: Typed, override: str, words: str) -> None:
    typed.refuses(override, words=words)


@pytest.mark.parametrize(("arguments", "words"), WRONG)
def test_a_mistake_is_one_line_and_leaves_nothing(typed: Typed, arguments: list[str], words: str) -> None:
    typed.refuses(*arguments, words=words)


@pytest.mark.parametrize(("arguments", "words"), WRONG_FLAGS)
def test_a_mistaken_flag_is_one_line_with_what_to_type(typed: Typed, arguments: list[str], words: str) -> None:
    typed.refuses(*arguments, words=words, code=2)


def test_the_flags_are_hydras() -> None:
    assert {flag for action in get_args_parser()._actions for flag in action.option_strings} == FLAGS  # noqa: SLF001


def test_glob_finds_the_options_that_can_be_chosen(typed: Typed, tmp_path: Path) -> None:
    code, out, err = typed("-m", "model=glob(*)", "hydra.launcher.dry_run=true")
    assert code == 0, err
    assert all(f"model={name}" in out for name in ("gru", "lstm", "rnn"))
    assert "3 of 3 jobs to do" in out
    assert not list(tmp_path.iterdir())


def test_minus_m_may_come_last(typed: Typed) -> None:
    code, out, err = typed("seed=0,1", "hydra.launcher.dry_run=true", "-m")
    assert code == 0, err
    assert "2 of 2 jobs to do" in out


def test_more_jobs_than_cores_are_warned_of(typed: Typed) -> None:
    jobs = "hydra.launcher.jobs_per_device=1000"
    code, out, err = typed("-m", "seed=0,1", jobs, "hydra.launcher.devices=cpu", "hydra.launcher.dry_run=true")
    assert code == 0, err
    assert "1000 at a time on cpu" in out
    assert "warning: 1,000 threads on" in out


def test_options_of_sweeps_may_be_asked_for_without_a_sweep(typed: Typed) -> None:
    code, out, err = typed("hydra.launcher.retries=2", "--cfg", "hydra", "--package", "hydra.launcher")
    assert code in (0, None), err
    assert "retries: 2" in out


STUDY = "# @package _global_\nmodel:\n  hidden_size: 3\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (STUDY.partition("\n")[2], "mine.yaml: its first line must be '# @package _global_'"),
        ("# mine\n" + STUDY, "mine.yaml: its first line must be '# @package _global_'"),
        (STUDY.replace("  ", "\t"), "mine.yaml: line 3: a tab; YAML is indented with spaces"),
        (STUDY.replace(" 3", " 3\n\tbias: true"), "mine.yaml: line 4: a tab; YAML is indented with spaces"),
        (STUDY + "hydra:\n  sweeper:\n    params:\n      seed: range(0)\n", "the sweep is empty"),
    ],
)
@pytest.mark.parametrize("folder", ["studies", "mine/experiment"])
def test_a_study_that_is_wrong_is_named(typed: Typed, tmp_path: Path, folder: str, text: str, words: str) -> None:
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "mine.yaml").write_text(text)
    flags = [] if folder == "studies" else ["--config-dir", "mine"]
    typed.refuses("-m", *flags, "experiment=mine", words=words)


@pytest.fixture
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("_offline")
@pytest.mark.parametrize("arguments", [[], ["-m", "seed=0,1"]])
@pytest.mark.parametrize("root", ["there", "not/yet/there"])
def test_data_that_cannot_be_had_is_five_short_lines(
    typed: Typed, tmp_path: Path, arguments: list[str], root: str
) -> None:
    (tmp_path / "there").mkdir()
    code, out, err = typed(*arguments, "data=fashion_mnist", f"data.root={root}")
    lines = err.splitlines()
    assert code == 1
    assert out == ""
    assert lines[0].startswith("error: data=fashion_mnist: not here, and downloading failed: ")
    assert len(lines) == 5
    assert max(map(len, lines)) < 140
    assert f"{root}/FashionMNIST/raw" in err
    assert all(word in err for word in ("train-images-idx3-ubyte.gz", "data.root", "$RNN_MNIST_DATA", "http"))
    assert [path.name for path in tmp_path.rglob("*") if path.name != ".fashion_mnist.lock"] == ["there"]


def test_a_launcher_that_draws_nothing_says_how_to_see_the_answer(command: CommandLine) -> None:
    sweep = ["sweep=plain", "hydra/launcher=basic", "training.epochs=1", "seed=0,1"]
    result = command("rnn_mnist.train", "-m", *SMALL, *sweep)
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("  rnn-mnist compare outputs/plain\n  rnn-mnist report outputs/plain\n")
    assert "hydra/launcher=basic leaves no table and no figures" in result.stdout


def test_in_a_process_of_its_own_too(command: CommandLine, tmp_path: Path) -> None:
    result = command("rnn_mnist.train", "hydra.launcher.dry_run=true", "seed=3")
    assert result.returncode == 1
    assert "put -m first:" in result.stderr
    assert result.stderr.endswith(" -m rnn_mnist.train -m hydra.launcher.dry_run=true seed=3\n")
    assert len(result.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())
