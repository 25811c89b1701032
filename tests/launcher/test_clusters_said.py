"""What the options of the launchers for clusters are, and what is said of those that cannot be used."""

import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from hydra_plugins.workstation_launcher._options import OptionError
from hydra_plugins.workstation_launcher._ray_options import RayOptions, checked_ray_options, ray_options_table
from hydra_plugins.workstation_launcher._slurm_options import SlurmOptions, checked_slurm_options, slurm_options_table
from tests.launcher.conftest import ROOT, App


def defaults(options: type) -> dict[str, Any]:
    """As Hydra hands them over."""
    return {entry.name: entry.metadata["default"] for entry in fields(options)}


def test_the_documentation_lists_the_options_as_they_are() -> None:
    page = (ROOT / "docs" / "clusters.md").read_text()
    assert f"\n{slurm_options_table()}\n\n" in page
    assert f"\n{ray_options_table()}\n" in page


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"time": 5}, "did you mean time_minutes?"),
        ({"mem_gb": 5}, "did you mean memory?"),
        ({"memory": "much"}, "memory=much: must be a number of gigabytes"),
        ({"gpus": "a100"}, "gpus=a100: must be a number of GPUs"),
        ({"additional_parameters": {"signal": "USR1@9"}}, "without signal, which the launcher itself gives"),
        ({"jobs_per_device": 3}, "jobs_per_device=3: has no meaning with hydra/launcher=slurm"),
    ],
)
def test_a_mistake_in_slurms_options_is_one_line(given: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError) as raised:
        checked_slurm_options(given)
    assert said in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"num_cpus": 2}, "did you mean cpus?"),
        ({"memory": 0}, "memory=0: must be a number of gigabytes"),
        ({"resources": {"licence": 0}}, "must be a mapping of names to numbers above 0"),
        ({"devices": "cpu"}, "devices=cpu: has no meaning with hydra/launcher=ray"),
    ],
)
def test_a_mistake_in_rays_options_is_one_line(given: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError) as raised:
        checked_ray_options(given)
    assert said in str(raised.value)


def test_values_are_checked_into_what_the_places_use() -> None:
    ray = checked_ray_options({**defaults(RayOptions), "memory": "500M", "gpus": 0.5})
    assert (ray.memory, ray.gpus, ray.address) == (500 * 2**20, 0.5, "auto")
    slurm = checked_slurm_options({**defaults(SlurmOptions), "memory": 4, "gpus": "a100:2"})
    assert (slurm.memory, slurm.gpus, slurm.partition) == ("4GB", "a100:2", None)


def test_without_slurm_that_is_said_before_anything_is_written(app: App, tmp_path: Path) -> None:
    nowhere = tmp_path / "empty"
    nowhere.mkdir()
    command = app.command("+x=1", launcher="slurm")
    done = subprocess.run(
        command, cwd=app.folder, env={**app.environment, "PATH": str(nowhere)}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "hydra/launcher=slurm" in done.stderr
    assert not app.sweep.exists()
