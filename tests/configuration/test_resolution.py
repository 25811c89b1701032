"""Wrong input is refused when the configuration is composed, in one line that names key, value and what is allowed."""

import copy
import math
import re
from dataclasses import asdict, replace
from functools import reduce
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnn_mnist.catalogues.cells import GRUConfig, LSTMConfig
from rnn_mnist.catalogues.optimizers import OPTIMIZERS
from rnn_mnist.catalogues.schedules import OneCycleConfig
from rnn_mnist.configuration.change import Change
from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.configuration.identity import config_as_dict, flatten, run_id
from rnn_mnist.configuration.parameter_count import parameter_count
from rnn_mnist.configuration.resolution import ConfigError, plainest_fraction, resolve
from rnn_mnist.configuration.schema import chosen, config_from_dict
from rnn_mnist.data.images import DataSet
from rnn_mnist.errors import ExpectedError
from rnn_mnist.training.optimization import build_optimizer, build_schedule
from rnn_mnist.training.trainer import Trainer

WRONG = [
    ("model=foo", ("model=foo", "gru, lstm, rnn")),
    ("model.num_layer=3", ("model.num_layer", "did you mean num_layers?")),
    ("foo=3", ("foo", "model, sequence, data")),
    ("+foo=3", ("foo", "no such key")),
    ("+model.foo=3", ("model.foo", "no such key")),
    ("model.num_layers=abc", ("model.num_layers=abc", "Integer")),
    ("model.num_layers=1.5", ("model.num_layers=1.5", "Integer")),
    ("model.num_layers=0", ("model.num_layers=0", "at least 1")),
    ("model.hidden_size=0", ("model.hidden_size=0", "at least 1")),
    ("model.hidden_size=null", ("model.hidden_size=null", "not Optional")),
    ("model.readout=foo", ("model.readout=foo", "last_step, final_hidden, mean, max")),
    ("model.init=identity", ("model.init=identity", "model=rnn")),
    ("model.nonlinearity=relu", ("model.nonlinearity", "only with model=rnn")),
    ("model.proj_size=128", ("model.proj_size=128", "less than model.hidden_size=128")),
    ("model.dropout=1.5", ("model.dropout=1.5", "at most 1")),
    ("model.dropout=nan", ("model.dropout=nan", "at least 0")),
    ("model.cell=gru", ("model.cell=gru", "model=gru")),
    ("model.parameter_budget=10", ("model.parameter_budget=10", "too small")),
    ("model.parameter_budget=1e30", ("model.parameter_budget=1e+30", "Integer")),
    (f"model.parameter_budget={10**30}", (f"model.parameter_budget={10**30}: must be at most 120,0", "100,000")),
    ("training.gradient_clip_norm=inf", ("training.gradient_clip_norm=inf", "finite number, greater than 0")),
    ("optimizer.lr=nan", ("optimizer.lr=nan", "finite number, greater than 0 and at most 1,000")),
    ("optimizer.eps=inf", ("optimizer.eps=inf", "finite number, greater than 0")),
    (f"training.evaluation_batch_size={10**30}", ("training.evaluation_batch_size=1000", "at most 1,000,000")),
    ("model=null", ("model=null", "string or a list")),
    ("~model", ("model",)),
    ("model.num_layers=[1", ("model.num_layers=[1",)),
    ("training=3", ("training=3",)),
    ("training.epochs=0", ("training.epochs=0", "at least 1")),
    ("training.batch_size=55001", ("training.batch_size=55001", "55,000 training images")),
    ("training.device=tpu", ("training.device=tpu", "auto, cpu, cuda, cuda:N or mps")),
    ("training.precision=fp8", ("training.precision=fp8", "fp32, tf32, bf16")),
    ("data.validation_size=60000", ("data.validation_size=60000", "less than")),
    ("optimizer.lr=0", ("optimizer.lr=0", "greater than 0")),
    ("optimizer.lr=-1", ("optimizer.lr=-1", "greater than 0")),
    ("optimizer.momentum=0.9", ("optimizer.momentum", "optimizer=sgd")),
    ("sweep=a/b", ("sweep='a/b'", "folder name")),
    ("training.device=cuda:01", ("training.device=cuda:01", "cuda:N")),
    ("training.device=cuda:300", ("training.device=cuda:300", "cuda:N")),
    ("seed=-1", ("seed=-1", "at least 0")),
    ("experiment=foo", ("experiment=foo", "depth")),
    ("model=_recurrent", ("model=_recurrent: no such option; allowed: custom, gru, lstm, rnn",)),
    ("data=_split", ("data=_split: no such option; allowed: custom, emnist_digits", "mnist")),
    ("experiment=_study", ("experiment=_study: no such option; allowed: article", "depth")),
    ("+schema/model=lstm", ("schema", "no such key")),
    ("+schema@_global_=config", ("schema@_global_=config: no such group; allowed: model, sequence, data",)),
    ("hydra.job.chdir=true", ("hydra.job.chdir=true: must be false",)),
    ("model", ("model: must be key=value",)),
    ("sweep=~x", ("sweep=~x: Hydra reads ~ only within quotes", """'sweep="~x"'""")),
    ("sweep=naïve", ("sweep=naïve: Hydra reads ï only within quotes", """'sweep="naïve"'""")),
    ("sweep=it's~", ("sweep=it's~: Hydra reads ~ only", """'sweep="it'"'"'s~"'""")),
    ('sweep=~"', ('sweep=~": not an override that Hydra can read',)),
    ('sweep="\udcfc"', ('sweep="\udcfc": not text in this locale', "LC_ALL=C.UTF-8")),
    ("sweep=\udcfc", ("sweep=\udcfc: not text in this locale", "LC_ALL=C.UTF-8")),
]


@pytest.mark.parametrize(("override", "words"), WRONG, ids=[ascii(override) for override, _ in WRONG])
def test_wrong_input_is_one_line(override: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ExpectedError) as caught:
        compose_checked([override])
    line = str(caught.value)
    assert "\n" not in line
    for word in words:
        assert word in line


def test_a_key_without_a_value_is_named_once() -> None:
    with pytest.raises(ConfigError, match=r"^model\.cell: has no value$"):
        compose_checked(["model.cell=???"])


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (
            ["training.early_stopping_patience=2", "data.validation_size=0"],
            "early_stopping_patience=2: needs data.valid",
        ),
        (["model.forget_bias=1", "model.bias=false"], "model.forget_bias=1.0: needs model.bias=true"),
        (
            ["optimizer=sgd", "optimizer.nesterov=true", "optimizer.momentum=0"],
            "optimizer.nesterov=true: needs optimizer.momentum",
        ),
        (["sequence=random_length", "sequence.min_rows=29"], "sequence.min_rows=29: must be at least 1 and at most 28"),
        (
            ["schedule=one_cycle", "schedule.pct_start=0.5", "training.epochs=2", "training.batch_size=55000"],
            "schedule.pct_start=0.5: of 2 training steps that is exactly one",
        ),
    ],
)
def test_keys_that_contradict_each_other_are_refused(overrides: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        compose_checked(overrides)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_every_number_must_be_finite(value: float) -> None:
    groups = {"optimizer": ["adam", "adamw", "sgd", "rmsprop"], "schedule": ["cosine", "one_cycle", "step"]}
    choices = [f"{group}={name}" for group, names in groups.items() for name in names]
    tried = set()
    for choice in ["model=lstm", *choices]:
        config = compose_checked([choice, "model.forget_bias=1", "training.gradient_clip_norm=1"]).config
        for key in (key for key, old in flatten(asdict(config)).items() if isinstance(old, float)):
            *sections, name = key.split(".")
            wrong = copy.deepcopy(config)
            setattr(reduce(getattr, sections, wrong), name, value)
            with pytest.raises(ConfigError, match=rf"^{re.escape(f'{key}={value}')}: must be a finite number"):
                resolve(wrong)
            tried.add(key)
    assert {"optimizer.eps", "schedule.final_div_factor", "data.augmentation.max_shift", "model.forget_bias"} < tried


def test_a_hidden_size_that_a_budget_replaces_is_said() -> None:
    budget = "model.parameter_budget=50000"
    (warning,) = compose_checked([budget, "model.hidden_size=100"]).warnings
    assert "model.hidden_size=100 has no effect" in warning
    assert budget in warning
    sized = compose_checked([budget])
    assert not sized.warnings
    assert not resolve(sized.config).warnings
    assert not compose_checked(["experiment=cell_matched", budget]).warnings


def test_dropout_with_one_layer_is_recorded_as_none_and_said() -> None:
    checked = compose_checked(["model.num_layers=1", "model.dropout=0.5"])
    assert checked.config.model.dropout == 0.0
    assert len(checked.warnings) == 1
    assert "model.dropout=0.5" in checked.warnings[0]
    assert "no effect" in checked.warnings[0]
    assert compose_checked(["model.num_layers=2", "model.dropout=0.5"]).config.model.dropout == 0.5


def test_identity_start_without_relu_is_said() -> None:
    assert compose_checked(["model=rnn", "model.init=identity"]).warnings
    assert not compose_checked(["model=rnn", "model.init=identity", "model.nonlinearity=relu"]).warnings


def test_momentum_is_cycled_only_where_there_is_some() -> None:
    without = compose_checked(["schedule=one_cycle", "optimizer=sgd", "optimizer.momentum=0"]).config.schedule
    with_momentum = compose_checked(["schedule=one_cycle", "optimizer=sgd"]).config.schedule
    assert isinstance(without, OneCycleConfig)
    assert isinstance(with_momentum, OneCycleConfig)
    assert not without.cycle_momentum
    assert with_momentum.cycle_momentum


@pytest.mark.parametrize("optimizer", [["optimizer=rmsprop"], ["optimizer=sgd", "optimizer.momentum=0"]])
def test_a_cycle_without_momentum_to_move_is_said_to_whoever_asked_for_it(optimizer: list[str]) -> None:
    assert not compose_checked(["schedule=one_cycle", *optimizer]).warnings
    (warning,) = compose_checked(["schedule=one_cycle", "schedule.cycle_momentum=true", *optimizer]).warnings
    assert warning.startswith("schedule.cycle_momentum=true has no effect")
    off = compose_checked(["schedule=one_cycle", "schedule.cycle_momentum=false", *optimizer])
    assert not off.warnings
    assert off.config == compose_checked(["schedule=one_cycle", *optimizer]).config


def test_momentum_that_one_cycle_overwrites_counts_as_its_own_and_is_said() -> None:
    unset, chosen = (compose_checked(["schedule=one_cycle", *more]) for more in ([], ["optimizer.beta1=0.5"]))
    assert unset.config.optimizer == chosen.config.optimizer
    assert not unset.warnings
    assert "optimizer.beta1=0.5 has no effect" in chosen.warnings[0]
    kept = compose_checked(["schedule=one_cycle", "schedule.cycle_momentum=false", "optimizer.beta1=0.5"])
    assert not kept.warnings
    assert kept.config.optimizer.beta1 == 0.5  # type: ignore[attr-defined]


VARIED = [
    [], ["model=gru"], ["model=rnn", "model.nonlinearity=relu", "model.init=identity"], ["model.num_layers=1"],
    ["schedule=one_cycle"], ["schedule=one_cycle", "optimizer=rmsprop"], ["schedule=step"], ["schedule=cosine"],
    ["sequence=permuted_pixels"], ["sequence=random_length"], ["model.parameter_budget=50000"], ["data=kmnist"],
    ["data.train_fraction=0.333333"], ["optimizer=adamw"],
]  # fmt: skip

SAME_RUN = {
    "a negative zero": (["model.dropout=-0.0"], ["model.dropout=0"], None),
    "a split seed without a split": (
        ["data.validation_size=0", "data.split_seed=7"], ["data.validation_size=0"], "data.split_seed",
    ),
    "a patience that outlives the epochs": (
        ["training.epochs=4", "training.early_stopping_patience=3"], ["training.epochs=4"],
        "training.early_stopping_patience",
    ),
    "a cosine to the rate itself": (["schedule=cosine", "schedule.final_fraction=1"], [], "schedule.name"),
    "a step after the end": (
        ["schedule=step", "schedule.step_size=5", "training.epochs=5"], ["training.epochs=5"], "schedule.name",
    ),
    "a step by one": (["schedule=step", "schedule.gamma=1"], [], "schedule.name"),
    "lengths that are all the longest": (
        ["sequence=random_length", "sequence.min_rows=28", "sequence.length_seed=3"],
        ["sequence=random_length", "sequence.min_rows=28"], "sequence.length_seed",
    ),
    "a fraction of as many images": (
        ["data.train_fraction=0.0100001"], ["data.train_fraction=0.01"], "data.train_fraction",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAME_RUN)
def test_runs_that_come_out_the_same_are_one_run(case: str) -> None:
    asked, plain, key = SAME_RUN[case]
    resolved, other = compose_checked(asked), compose_checked(plain)
    assert run_id(resolved.config) == run_id(other.config)
    if key is not None:
        (change,) = (change for change in resolved.changes if change.key == key)
        assert change.requested != change.effective
        assert len(resolved.warnings) == (key in {override.partition("=")[0] for override in asked} or "name" in key)


@pytest.mark.slow
@pytest.mark.parametrize("case", SAME_RUN)
def test_those_runs_do_come_out_the_same(case: str, mnist: DataSet) -> None:
    asked, plain, _ = SAME_RUN[case]
    histories = []
    for overrides in (asked, plain):
        config = compose_checked(["model.hidden_size=8", "data.validation_size=50", *overrides]).requested
        few = DataSet(mnist.train.first(600), mnist.test.first(50), mnist.checksum)
        trainer = Trainer(config, few, torch.device("cpu"))
        while not trainer.finished:
            trainer.train_epoch()
        rows = [replace(row, epoch_seconds=0, images_per_second=0) for row in trainer.history]
        histories.append((rows, [value.tolist() for value in trainer.model.state_dict().values()]))
    assert histories[0] == histories[1]


@pytest.mark.parametrize(
    ("asked", "other"),
    [
        (["training.epochs=4", "training.early_stopping_patience=2"], ["training.epochs=4"]),
        (["schedule=step", "schedule.step_size=4", "training.epochs=5"], ["training.epochs=5"]),
        (["data.validation_size=0", "data.train_fraction=0.5", "data.split_seed=1"],
         ["data.validation_size=0", "data.train_fraction=0.5"]),
        (["data.train_fraction=0.0101"], ["data.train_fraction=0.01"]),
    ],
)  # fmt: skip
def test_runs_that_differ_stay_apart(asked: list[str], other: list[str]) -> None:
    assert run_id(compose_checked(asked).config) != run_id(compose_checked(other).config)


@given(fraction=st.floats(1e-6, 1.0), remaining=st.sampled_from([55_000, 60_000, 59_999, 239_000]))
def test_a_fraction_is_written_by_its_images_alone(fraction: float, remaining: int) -> None:
    count = max(1, round(remaining * fraction))
    plain = plainest_fraction(remaining, count)
    assert 0 < plain <= 1
    assert max(1, round(remaining * plain)) == count


@pytest.mark.parametrize("fraction", ["0.2", "0.25", "0.005", "0.0125", "0.9", "0.12345", "1.0", "0.001"])
def test_a_plain_fraction_stays(fraction: str) -> None:
    assert compose_checked(
        [f"data.train_fraction={fraction}", "training.batch_size=8"]
    ).config.data.train_fraction == float(fraction)


def test_what_was_asked_for_is_kept() -> None:
    resolved = compose_checked(["model.num_layers=1", "model.dropout=0.5"])
    assert resolved.requested.model.dropout == 0.5
    assert resolved.changes == (Change("model.dropout", 0.5, 0.0, {"model.num_layers": 1}, resolved.changes[0].reason),)


def test_a_key_without_effect_is_recorded_also_where_nobody_set_it() -> None:
    (change,) = compose_checked(["model.num_layers=1"]).changes
    assert (change.key, change.requested, change.effective) == ("model.dropout", 0.0, 0.0)


def test_a_study_may_set_what_its_budget_overrides(tmp_path: Path) -> None:
    """The study's own width is a base that the budget of the command replaces: nothing to warn of."""
    study = tmp_path / "conf" / "experiment" / "mine.yaml"
    study.parent.mkdir(parents=True)
    study.write_text("# @package _global_\nmodel: {hidden_size: 96, dropout: 0.3}\n")
    searched = f"hydra.searchpath=[file://{tmp_path / 'conf'}]"
    quiet = compose_checked([searched, "experiment=mine", "model.parameter_budget=50000"])
    assert not quiet.warnings
    (warning,) = compose_checked([searched, "experiment=mine", "model.num_layers=1"]).warnings
    assert warning.startswith("model.dropout=0.3 has no effect with model.num_layers=1")


@pytest.mark.parametrize("overrides", VARIED, ids=" ".join)
def test_what_is_effective_resolves_to_itself(overrides: list[str]) -> None:
    effective = compose_checked(overrides).config
    again = resolve(effective)
    assert again.config == effective
    assert all(change.requested == change.effective for change in again.changes)
    assert config_from_dict(config_as_dict(effective)) == effective


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_catalogue_knows_which_momentum_one_cycle_writes_over(name: str) -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    config = chosen("optimizer", name)
    optimizer = build_optimizer(config, [parameter])
    cycled = OPTIMIZERS[name].cycled
    assert ("momentum" in optimizer.defaults or "betas" in optimizer.defaults) == (cycled is not None)
    if cycled is not None and getattr(config, cycled) > 0:
        effective = resolve(compose_checked([f"optimizer={name}", "schedule=one_cycle"]).requested).config
        build_schedule(effective.schedule, optimizer, epochs=1, steps_per_epoch=10)
        group = optimizer.param_groups[0]
        written = group["betas"][0] if "betas" in group else group["momentum"]
        assert written == getattr(effective.optimizer, cycled)


def test_a_readout_that_needs_care_is_said() -> None:
    needs_care = ["sequence=random_length", "model.bidirectional=true"]
    assert "final_hidden" in compose_checked(needs_care).warnings[0]
    assert not compose_checked([*needs_care, "model.readout=final_hidden"]).warnings


def test_each_choice_of_model_is_its_own_type() -> None:
    assert isinstance(compose_checked([]).config.model, LSTMConfig)
    assert isinstance(compose_checked(["model=gru"]).config.model, GRUConfig)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("budget", [5_000, 50_000, 500_000])
def test_a_parameter_budget_picks_the_nearest_hidden_size(cell: str, budget: int) -> None:
    model = compose_checked([f"model={cell}", f"model.parameter_budget={budget}"]).config.model
    chosen = abs(parameter_count(model, 28) - budget)
    for neighbour in (model.hidden_size - 1, model.hidden_size + 1):
        model.hidden_size = neighbour
        assert chosen <= abs(parameter_count(model, 28) - budget)
