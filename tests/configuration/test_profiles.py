"""``profile=quick``: any study with less of everything, in a folder of its own, and nothing else changed."""

from pathlib import Path

import pytest

from rnn_mnist.configuration.compose import compose_checked, options, sweep_directory
from rnn_mnist.configuration.resolution import ConfigError
from tests.configuration.test_experiments import STUDIES
from tests.conftest import CommandLine

QUICK = "profile=quick"


@pytest.mark.parametrize("study", [path.stem for path in STUDIES])
def test_a_quick_study_has_its_own_folder_and_sees_fewer_images(study: str) -> None:
    whole, quick = (compose_checked([f"experiment={study}", *more]).config for more in ([], [QUICK]))
    seen = [config.data.train_fraction * config.training.epochs for config in (whole, quick)]
    assert quick.data.train_fraction <= whole.data.train_fraction
    assert seen[1] < seen[0]
    assert (quick.model, quick.optimizer, quick.schedule) == (whole.model, whole.optimizer, whole.schedule)
    assert sweep_directory([f"experiment={study}"]) == Path("outputs", study)
    assert sweep_directory([f"experiment={study}", QUICK]) == Path("outputs", f"{study}_quick")


def test_what_is_typed_wins() -> None:
    assert sweep_directory(["experiment=depth", QUICK, "sweep=x"]) == Path("outputs/x")
    assert compose_checked(["experiment=depth", QUICK, "training.epochs=7"]).config.training.epochs == 7
    # Without a study the overrides name the folder, the profile among them.
    name = sweep_directory(["model.num_layers=1,2", QUICK]).name
    assert "profile-quick" in name
    assert not name.endswith("_quick")


@pytest.mark.slow
def test_the_grid_of_a_quick_study(command: CommandLine) -> None:
    for more, jobs in (([], 12), (["seed=range(5)"], 20), (["model.num_layers=1,2"], 6)):
        shown = command("rnn_mnist.train", "-m", "experiment=depth", QUICK, "hydra.launcher.dry_run=true", *more).stdout
        assert "outputs/depth_quick" in shown
        assert f"{jobs} of {jobs} jobs to do" in shown


def test_an_unknown_profile_names_those_there_are() -> None:
    assert options("profile") == ["quick"]
    with pytest.raises(ConfigError, match=r"^profile=fast: no such option; allowed: quick$"):
        compose_checked(["profile=fast"])


def test_a_profile_sets_keys_as_a_study_does_and_not_as_a_command(tmp_path: Path) -> None:
    """Its width is a base that the budget of the command replaces: nothing to warn of."""
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile" / "mine.yaml").write_text("# @package _global_\nmodel: {hidden_size: 96}\n", encoding="utf-8")
    asked = ["profile=mine", "model.parameter_budget=50000"]
    assert not compose_checked(asked, tmp_path).warnings
    (warning,) = compose_checked([*asked, "model.hidden_size=96"], tmp_path).warnings
    assert warning.startswith("model.hidden_size=96 has no effect")
