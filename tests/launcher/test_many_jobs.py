"""Sweeps of thousands of jobs: configurations are made when they are asked for, and are what Hydra's own would be."""

import json
import pickle
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobStatus
from hydra.errors import HydraException
from hydra.types import RunMode
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from hydra_plugins.workstation_launcher._composition import SweepConfigLoader, _parsed
from hydra_plugins.workstation_launcher._hydra_internals import ListedJobReturn
from rnn_mnist.configuration.hydra_versions import VERSION_BASE
from tests.launcher.conftest import App

KEYS = st.sampled_from(["x", "+x", "++x", "a.b", "+a_1.b2", "~x", "a/b", "a@b", "1x", "a.", "x:y", "true", "né", "-x"])
VALUES = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(["0", "00", "01", "1_0", "1.", "1e3", "0x1", "", " 1", "1 ", "٣", "1,2", "null", "[1]"]),
)


@given(KEYS, VALUES)
def test_an_override_is_parsed_as_by_hydra(key: str, value: str) -> None:
    line = f"{key}={value}"
    try:
        expected = OverridesParser.create().parse_overrides([line])[0]
    except HydraException as error:
        with pytest.raises(type(error)):
            _parsed(line)
    else:
        found = _parsed(line)
        assert found == expected
        assert type(found.value()) is type(expected.value())


def test_configurations_are_hydras_own_whatever_was_made_before(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    for name in ("small", "large"):
        (tmp_path / "model" / f"{name}.yaml").write_text(f"name: {name}\nsizes: [1, 2]\ncopy: ${{x}}\n")
    (tmp_path / "config.yaml").write_text("defaults: [{model: small}, _self_]\nx: 0\ny: {z: 1}\nsum: ${y.z}\n")
    batch = [
        ["x=1"], ["x=1", "model=large"], ["+new=2"], ["~y.z", "sum=3"], ["model.sizes=[7]", "x=2"], ["x=${y.z}"],
        ["y={z: 5}"], ["x=1"], ["++y.w=1", "model=large"], ["model=small"], ["x='a b'"], ["hydra.job.chdir=true"],
    ]  # fmt: skip
    with initialize_config_dir(str(tmp_path), **VERSION_BASE):
        hydras = GlobalHydra.instance().config_loader()
        master = hydras.load_configuration("config", [], run_mode=RunMode.MULTIRUN)
        ours = SweepConfigLoader(hydras)
        for overrides in batch:
            expected = hydras.load_sweep_config(master, overrides)
            for for_a_moment in (True, False):
                found = ours.compose(master, overrides, for_a_moment=for_a_moment)
                assert OmegaConf.to_container(found) == OmegaConf.to_container(expected)
                assert list(found) == list(expected)
                assert found == expected
                assert OmegaConf.is_struct(found) == OmegaConf.is_struct(expected)
            assert ours.load_sweep_config(master, overrides) == expected


PEAK = """
@atexit.register
def note_peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    note(next(line for line in lines if line.startswith("VmHWM:")))


if __name__"""


def test_thousands_of_jobs_are_planned_in_little_memory(app: App) -> None:
    program = app.folder / "app.py"
    program.write_text("import atexit\n" + program.read_text().replace("if __name__", PEAK))
    done = app.run("+x=range(3000)", "hydra.launcher.dry_run=true")
    assert done.returncode == 0
    assert "\n2999  to do        +x=2999    2999\n" in done.stdout
    assert "3000 of 3000 jobs to do" in done.stdout
    (noted,) = app.ran()
    assert int(noted.split()[1]) < 120 * 1024  # kilobytes; all configurations would be four times as much


DRAWING = """
import json, random
from pathlib import Path

import hydra
from omegaconf import OmegaConf

OmegaConf.register_new_resolver("draw", lambda: random.getrandbits(60), use_cache=True)


def note(config, directory):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "drawn.json").write_text(json.dumps(config.seed))


@hydra.main(version_base=None, config_path=".", config_name="config")
def app(config):
    return config.seed


if __name__ == "__main__":
    app()
"""


def test_what_a_resolver_has_drawn_for_a_job_is_what_the_job_gets(app: App) -> None:
    (app.folder / "app.py").write_text(DRAWING)
    (app.folder / "config.yaml").write_text("seed: ${draw:}\nx: 0\n")
    done = app.run("x=1,2,3", "hydra.launcher.on_job_start=__main__.note")
    assert done.returncode == 0, done.stdout + done.stderr
    noted = [json.loads((app.sweep / str(job) / "drawn.json").read_text()) for job in range(3)]
    assert [app.status(job)["return_value"] for job in range(3)] == noted


def test_a_return_can_be_kept_by_a_sweeper() -> None:
    made = {
        "overrides": ["x=1"],
        "cfg": OmegaConf.create({"x": 1}),
        "hydra_cfg": OmegaConf.create(),
        "working_dir": ".",
    }
    result = ListedJobReturn(lambda: made)
    result.status, result.return_value = JobStatus.COMPLETED, 3
    result.working_dir = "elsewhere"
    for found in (result, pickle.loads(pickle.dumps(result))):
        assert (found.cfg, found.overrides, found.return_value) == ({"x": 1}, ["x=1"], 3)
        assert found.working_dir == "elsewhere"


def test_a_mistake_in_the_last_of_many_jobs_leaves_nothing(app: App) -> None:
    done = app.run("+x=1,2,3", "+y.x=1", "+y=3")
    assert done.returncode == 1
    assert "Could not append to config" in done.stderr
    assert not app.sweep.exists()
    assert app.ran() == []
