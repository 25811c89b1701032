"""A run's id is its whole effective configuration, less what does not change what its result means."""

import pytest
from hypothesis import given
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


@given(st.lists(st.text(), max_size=40))
def test_names_of_sweeps_are_short_and_safe(overrides: list[str]) -> None:
    sweep = sweep_name(None, overrides)
    assert 0 < len(sweep.encode()) <= 100
    assert "/" not in sweep
    assert not sweep.startswith(".")


def test_names_of_runs_and_of_sweeps_leave_out_the_same_keys() -> None:
    register(lambda _: "")  # and so the resolver
    launcher = OmegaConf.load(CONFIG_DIR / "hydra" / "launcher" / "rnn_mnist.yaml")
    assert set(launcher.not_in_names) == set(not_in_names())
    assert sweep_name(None, ["training.threads=1", "+data.root=/somewhere", "seed=3"]) == "seed=3"


def test_long_sweeps_that_differ_at_the_end_differ_in_name() -> None:
    long = "model.num_layers=" + ",".join(map(str, range(100)))
    assert sweep_name(None, [long, "seed=1"]) != sweep_name(None, [long, "seed=2"])
