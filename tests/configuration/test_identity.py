"""A run's id is its whole effective configuration, less what does not change what its result means."""

import re
import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from rnn_mnist.configuration.compose import CONFIG_DIR, compose_checked, register
from rnn_mnist.configuration.identity import not_in_names, run_id, setting_id, sweep_name


def identify(*overrides: str) -> str:
    return run_id(compose_checked(list(overrides)).config)


@pytest.mark.parametrize(
    "override",
    [
        "data.root=/somewhere",
        "training.device=cpu",
        "training.threads=1",
        "training.evaluation_batch_size=10",
        "sweep=name",
        "resume=false",
        "reuse=false",
        "question=why",
        "model=lstm",
        "model.dropout=0",
    ],
)
def test_where_and_how_fast_is_not_identity(override: str) -> None:
    assert identify(override) == identify()


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "model=gru",
        "model.batch_first=false",
        "model.readout=mean",
        "sequence=columns",
        "data=kmnist",
        "data.split_seed=1",
        "data.augmentation.max_shift=1",
        "optimizer.lr=0.02",
        "schedule=cosine",
        "training.epochs=3",
        "training.precision=bf16",
    ],
)
def test_whatever_changes_the_result_is_identity(override: str) -> None:
    assert identify(override) != identify()


def test_settings_share_all_but_the_seed() -> None:
    first, second = (compose_checked([f"seed={seed}"]).config for seed in (0, 1))
    assert setting_id(first) == setting_id(second)
    assert setting_id(compose_checked(["model=gru"]).config) != setting_id(first)


def test_a_grid_with_inert_dropout_holds_one_run_for_it() -> None:
    assert identify("model.num_layers=1", "model.dropout=0.5") == identify("model.num_layers=1")
    assert identify("model.num_layers=2", "model.dropout=0.5") != identify("model.num_layers=2")


def test_a_parameter_budget_is_the_run_of_the_size_it_picks() -> None:
    size = compose_checked(["model.parameter_budget=50000"]).config.model.hidden_size
    assert identify("model.parameter_budget=50000") == identify(f"model.hidden_size={size}")


_words = st.text(alphabet="ab_.-+01e,[]{}():=~'\" $@/\\", max_size=12) | st.sampled_from(["null", "True", "1e5", "nan"])


@given(st.lists(_words | st.text(), max_size=6))
@example(["1e5"])
@example(["null"])
@example(["~", "-", "+x=-1"])
def test_the_name_of_a_sweep_is_taken_for_itself_when_it_is_typed(overrides: list[str]) -> None:
    name = sweep_name(None, overrides)
    assert OverridesParser.create().parse_override(f"sweep={name}").value() == name
    assert shlex.split(name) == [name]
    assert re.fullmatch(r"[\w.+-]+", name, re.ASCII)


def test_the_name_of_a_sweep_is_readable() -> None:
    assert sweep_name(None, ["model.num_layers=1,2,3"]) == "model.num_layers-1+2+3"
    assert sweep_name(None, ["model=gru,lstm", "seed=range(3)"]) == "model-gru+lstm_seed-range_3"


@given(st.lists(st.text(), max_size=40))
def test_names_of_sweeps_are_short_and_safe(overrides: list[str]) -> None:
    sweep = sweep_name(None, overrides)
    assert 0 < len(sweep.encode()) <= 100
    assert "/" not in sweep
    assert not sweep.startswith(".")


def test_names_of_runs_and_of_sweeps_leave_out_the_same_keys() -> None:
    register(lambda _: "")  # and so the resolver
    launcher = OmegaConf.load(CONFIG_DIR / "hydra" / "launcher" / "_rnn_mnist.yaml")
    assert set(launcher.not_in_names) == set(not_in_names())
    assert sweep_name(None, ["training.threads=1", "+data.root=/somewhere", "seed=3"]) == "seed-3"


def test_long_sweeps_that_differ_at_the_end_differ_in_name() -> None:
    long = "model.num_layers=" + ",".join(map(str, range(100)))
    assert sweep_name(None, [long, "seed=1"]) != sweep_name(None, [long, "seed=2"])
