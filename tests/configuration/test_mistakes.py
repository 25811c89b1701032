"""What a user can act on is one line; what is a bug keeps its traceback."""

from collections.abc import Callable

import hydra
import pytest
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf

from rnn_mnist.configuration.compose import CONFIG_DIR, compose_checked
from rnn_mnist.configuration.hydra_versions import VERSION_BASE
from rnn_mnist.configuration.mistakes import explain_error
from rnn_mnist.configuration.resolution import ConfigError


def caught(action: Callable[[], object]) -> Exception:
    try:
        action()
    except Exception as error:
        return error
    pytest.fail("nothing was raised")


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("seed=true", "seed=true: value 'True' of type 'bool' could not be converted to Integer"),
        ("seed=null", "seed=null: field 'seed' is not Optional"),
        ("model=3", "model=3: a choice must be a string or a list of strings; allowed: rnn, lstm, gru, custom"),
        ("~model", "~model: keys cannot be deleted"),
        (
            "data.root=${oc.env:NOPE}",
            "KeyError raised while resolving interpolation: \"Environment variable 'NOPE' not",
        ),
        ("data.root=${no.such}", "Interpolation key 'no.such' not found"),
        ("model.num_layers=[1", "model.num_layers=[1: not an override that Hydra can read (key=value): no viable"),
        ("hydra/launcher=no", "hydra/launcher=no: no such option; allowed: basic"),
        ("hydra.launcher.n_jobs=2", "hydra.launcher.n_jobs: no such key (did you mean jobs_per_device?)"),
        ("hydra.launcher.timeout=2", "hydra.launcher.timeout: no such key (did you mean timeout_minutes?)"),
    ],
)
def test_a_mistake_is_one_line_that_begins_with_what_was_typed(override: str, line: str) -> None:
    explained = explain_error(caught(lambda: compose_checked([override])))
    assert explained is not None
    assert explained.startswith(line)
    assert "\n" not in explained


def test_an_error_of_ours_wins_however_hydra_wraps_it() -> None:
    def refuse() -> str:
        raise ConfigError("training.device=cuda: not here")

    def wrapped() -> None:
        try:
            _ = OmegaConf.create({"id": "${refusing:}"}).id
        except Exception as error:
            raise ConfigCompositionException("Error merging override") from error

    OmegaConf.register_new_resolver("refusing", refuse)
    try:
        assert explain_error(caught(wrapped)) == "training.device=cuda: not here"
    finally:
        OmegaConf.clear_resolver("refusing")


def test_a_bug_in_a_resolver_of_ours_is_a_bug() -> None:
    OmegaConf.register_new_resolver("buggy", lambda: 1 / 0)
    try:
        assert explain_error(caught(lambda: OmegaConf.create({"id": "${buggy:}"}).id)) is None
    finally:
        OmegaConf.clear_resolver("buggy")


def test_a_bug_while_a_mistake_is_handled_is_a_bug() -> None:
    def stumble() -> None:
        try:
            raise ConfigError("seed=-1: must be at least 0")
        except ConfigError:
            _ = 1 / 0

    assert explain_error(caught(stumble)) is None
    assert explain_error(ZeroDivisionError("division by zero")) is None
    assert explain_error(ValueError("not Hydra's")) is None


def test_what_cannot_be_written_is_named() -> None:
    assert explain_error(PermissionError(13, "Permission denied", "outputs")) == "outputs: Permission denied"


def test_hydra_reports_an_unknown_study_with_those_that_there_are() -> None:
    with hydra.initialize_config_dir(str(CONFIG_DIR), **VERSION_BASE):
        line = explain_error(caught(lambda: hydra.compose("config", ["experiment=foo"])))
    assert line is not None
    assert line.startswith("experiment=foo: no such option; allowed: article")
    assert "_study" not in line
