"""Composing leaves the rest of the process as it was: its Hydra, its schemas, and what its entry point registered."""

from pathlib import Path

import hydra
import pytest
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobRuntime
from omegaconf import DictConfig, OmegaConf

from rnn_mnist.configuration import compose
from rnn_mnist.configuration.compose import CONFIG_DIR, compose_checked, options, register
from rnn_mnist.configuration.hydra_versions import VERSION_BASE
from rnn_mnist.configuration.resolution import ConfigError


def test_a_notebook_that_uses_hydra_itself_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs.yaml").write_text("defaults: [schema/model: theirs, _self_]\nx: 1\n")
    store = ConfigStore.instance()
    monkeypatch.setattr(store, "repo", store.repo | {"schema": {}})
    store.store(group="schema/model", name="theirs", node={"mine": True})
    with hydra.initialize_config_dir(str(tmp_path), job_name="notebook", **VERSION_BASE):
        before = hydra.compose("theirs")
        assert compose_checked(["model=gru"]).config.model.cell == "gru"
        with pytest.raises(ConfigError):
            compose_checked(["model.num_layers=0"])
        assert hydra.compose("theirs") == before
        assert before["schema"].model.mine
        assert JobRuntime.instance().get("name") == "notebook"
    assert not GlobalHydra.instance().is_initialized()
    assert "config.yaml" not in store.repo["schema"]


def test_what_an_entry_point_registered_is_still_asked_after_a_composition() -> None:
    asked: list[DictConfig] = []

    def identify(config: DictConfig) -> str:
        asked.append(config)
        return "an identity"

    register(identify)
    compose_checked([])
    assert OmegaConf.create({"id": "${run_id:}"}).id == "an identity"
    assert len(asked) == 1
    with hydra.initialize_config_dir(str(CONFIG_DIR), **VERSION_BASE):
        assert hydra.compose("config", ["model=gru"]).model.cell == "gru"


def test_files_that_others_are_built_from_are_no_options() -> None:
    assert options("model") == ["rnn", "lstm", "gru", "custom"]
    assert "depth" in options("experiment")
    assert "_study" not in options("experiment")


def test_what_hydra_refuses_is_our_error_and_a_bug_is_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    for override in ("hydra/launcher=no", "model.num_layers=[1", "seed=x", "data.root=${oc.env:NOPE}"):
        with pytest.raises(ConfigError):
            compose_checked([override])
    monkeypatch.setattr(compose, "typed", lambda config: 1 / config.seed)
    with pytest.raises(ZeroDivisionError):
        compose_checked([])


@pytest.mark.parametrize("key", ["foo", "model.foo", "training.foo.bar"])
def test_a_key_that_hydra_lets_be_added_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match=f"^{key.rpartition('.bar')[0] or key}: no such key"):
        compose_checked([f"+{key}=3"])
