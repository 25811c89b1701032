"""What to install for an option of Hydra's that is not there."""

import pytest

from rnn_mnist.configuration import plugin_packages
from rnn_mnist.configuration.plugin_packages import how_to_get


@pytest.mark.parametrize(
    ("group", "option", "package"),
    [
        ("hydra/sweeper", "optuna", "'rnn-mnist[optuna]'"),
        ("hydra/sweeper", "ax", "hydra-ax-sweeper"),
        ("hydra/launcher", "joblib", "hydra-joblib-launcher"),
        ("hydra/launcher", "ray_aws", "hydra-ray-launcher"),
        ("hydra/launcher", "submitit_slurm", "hydra-submitit-launcher"),
        ("hydra/launcher", "submitit", "hydra-submitit-launcher"),
        ("hydra/job_logging", "colorlog", "hydra-colorlog"),
    ],
)
def test_the_package_is_named_until_it_is_installed(
    monkeypatch: pytest.MonkeyPatch, group: str, option: str, package: str
) -> None:
    monkeypatch.setattr(plugin_packages, "find_spec", lambda _name: None)
    assert f"pip install {package}" in str(how_to_get(group, option))
    monkeypatch.setattr(plugin_packages, "find_spec", lambda name: name)
    assert "pip install" not in str(how_to_get(group, option))


def test_of_what_no_package_brings_nothing_is_said() -> None:
    assert how_to_get("hydra/launcher", "nothing") is None
    assert how_to_get("model", "optuna") is None
