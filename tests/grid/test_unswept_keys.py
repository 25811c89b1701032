"""Keys of a filter that the grid does not sweep over: they have what each combination's own configuration has."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig

from hydra_plugins.grid_sweeper._jobs import jobs_of
from hydra_plugins.grid_sweeper._options import GridError, Options, checked_options
from hydra_plugins.grid_sweeper._swept_keys import read_keys
from hydra_plugins.grid_sweeper._unswept_keys import UnsweptKeys
from rnn_mnist.configuration.hydra_versions import VERSION_BASE

CONFIG = """
defaults: [{model: small}, {db@backup: null}, _self_]
x: 0
doubled: ${x}
section: {a: 1, list: [1, 2], b: "${section.a}", nothing: null, text: hello}
absent: ???
"""


class Counting:
    """A loader that counts what it composes."""

    def __init__(self, loader: ConfigLoader) -> None:
        self._loader = loader
        self.composed = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._loader, name)

    def load_sweep_config(self, master: DictConfig, overrides: list[str]) -> DictConfig:
        self.composed += 1
        return self._loader.load_sweep_config(master, overrides)


class Application:
    """Whose grid is filtered."""

    def __init__(self) -> None:
        self.loader = Counting(GlobalHydra.instance().config_loader())

    def jobs(self, expression: str, *arguments: str) -> list[str]:
        fixed = [argument for argument in arguments if "," not in argument and "range" not in argument]
        master = self.loader._loader.load_configuration(  # noqa: SLF001
            "config", overrides=fixed, run_mode=RunMode.MULTIRUN
        )
        keys = read_keys({}, arguments, self.loader)  # type: ignore[arg-type]
        defaults = {entry.name: entry.metadata["default"] for entry in fields(Options)}
        options = checked_options({**defaults, "filter": expression})
        unswept = UnsweptKeys(self.loader, master, keys)  # type: ignore[arg-type]
        return [" ".join(job) for job in jobs_of(keys, options, unswept.value)]


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    repo = ConfigStore.instance().repo  # in which tests before have left groups of these names
    monkeypatch.setattr(ConfigStore.instance(), "repo", {"hydra": repo["hydra"]})
    for group in ("model", "db", "extra"):
        (tmp_path / group).mkdir()
        for size, name in enumerate(("small", "large"), start=1):
            own = "only_large: 5\n" if name == "large" else ""
            (tmp_path / group / f"{name}.yaml").write_text(f"name: {name}\nsize: {size}\ncopy: ${{x}}\n{own}")
    (tmp_path / "config.yaml").write_text(CONFIG)
    with initialize_config_dir(str(tmp_path), **VERSION_BASE):
        yield Application()


@pytest.mark.parametrize(
    ("expression", "arguments", "expected"),
    [
        ("section.a == 1 and section.text == 'hello' and section.nothing is null", ["x=1,2"], ["x=1", "x=2"]),
        ("model == 'small'", ["x=1,2"], ["x=1", "x=2"]),
        ("model.size == 2", ["model=small,large"], ["model=large"]),
        ("model == 'small' or model.size == 2 and x == 1", ["model=glob(*)", "x=1,2"],
         ["model=large x=1", "model=small x=1", "model=small x=2"]),
        ("model.name == 'large'", ["model=large", "x=1,2"], ["model=large x=1", "model=large x=2"]),
        ("model == 'small' or model.only_large > 4", ["model=small,large"], ["model=small", "model=large"]),
        # What other keys decide.
        ("doubled == 2", ["x=1,2"], ["x=2"]),
        ("model.copy == 2", ["x=1,2", "model=small,large"], ["x=2 model=small", "x=2 model=large"]),
        ("section.b > 1", ["section.a=1,2"], ["section.a=2"]),
        ("section.a == 5", ["section={a:5},{a:6}"], ["section={a:5}"]),
        ("1 in section.list", ["section.list=[1],[2]", "x=1,2"], ["section.list=[1] x=1", "section.list=[1] x=2"]),
        ("section.list[0] == 1", ["x=1,2"], ["x=1", "x=2"]),
        ("section.a == 4", ["section.a=4", "x=1,2"], ["section.a=4 x=1", "section.a=4 x=2"]),
        ("extra.size == 2", ["+extra=small,large"], ["+extra=large"]),
        ("new == 2", ["+new=1,2"], ["+new=2"]),
        ("backup.size == 2", ["db@backup=small,large"], ["db@backup=large"]),
    ],
)  # fmt: skip
def test_they_have_the_combinations_own_values(
    application: Application, expression: str, arguments: list[str], expected: list[str]
) -> None:
    assert application.jobs(expression, *arguments) == expected


def test_one_configuration_for_each_choice_is_composed(application: Application) -> None:
    found = application.jobs("model.size + section.a > 2", "x=range(500)", "model=small,large", "+z=1,2")
    assert len(found) == 1000
    assert application.loader.composed == 2


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("section.aa == 1", "section.aa: no such key (did you mean section.a?) (with x=1)"),
        ("nowhere == 1", "nowhere: no such key"),
        ("x.y == 1", "x.y"),
        ("section.a.b == 1", "section.a.b"),
        ("model.only_large == 5", "model.only_large: no such key"),
        ("absent == 1", "absent has no value"),
        ("section.list[7] == 1", "section.list.7"),
    ],
)
def test_a_key_that_is_not_there_is_said_in_one_line(application: Application, expression: str, words: str) -> None:
    with pytest.raises(GridError) as raised:
        application.jobs(expression, "x=1,2")
    assert str(raised.value).startswith("hydra.sweeper.filter=")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
