"""Fingerprints and directory names."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.workstation_launcher._identity import fingerprint
from hydra_plugins.workstation_launcher._names import directory_name, safe_identifier
from hydra_plugins.workstation_launcher._resolver import register_resolver
from tests.launcher.conftest import App


@given(st.lists(st.text(max_size=300), max_size=40), st.text(max_size=60))
def test_names_are_short_safe_and_end_in_the_identity(overrides: list[str], identity: str) -> None:
    identifier = safe_identifier(identity)
    name = directory_name(identifier, overrides)
    assert name.endswith(f"__{identifier}")
    assert len(name.encode()) <= 120
    assert all(character.isalnum() or character in "._=,+-" for character in name)
    assert name.isascii()
    assert not name.startswith(".")


def test_names_leave_out_what_they_are_told_and_shorten_keys_before_values() -> None:
    overrides = ["threads=1", "+root=/somewhere", "model.num_layers=1", "seed=3"]
    unimportant = ("threads", "root")
    assert directory_name("0123456789ab", overrides, leave_out=unimportant) == "model.num_layers=1_seed=3__0123456789ab"
    overrides += ["training.gradient_clip_norm=1", "training.early_stopping_patience=3", "training.label_smoothing=0.1"]
    assert directory_name("0123456789ab", overrides, leave_out=unimportant) == (
        "num_layers=1_seed=3_gradient_clip_norm=1_early_stopping_patience=3_label_smoothing=0.1__0123456789ab"
    )
    long = directory_name("0123456789ab", [*overrides, *overrides, "model.hidden_size=77"], leave_out=unimportant)
    assert long.startswith("num_layers=1")
    assert "hidden_size=77" in long


def resolve(overrides: list[str], text: str) -> str:
    register_resolver()
    config = OmegaConf.create({"x": 1, "name": text, "hydra": {"overrides": {"task": overrides}, "launcher": None}})
    return str(config.name)


def test_a_job_keeps_its_directory_however_it_is_spelled(tmp_path: Path) -> None:
    text = "${job_directory:0123456789ab," + str(tmp_path) + "}"
    (tmp_path / resolve(["model=lstm", "seed=0"], text)).mkdir()
    assert resolve(["seed=0"], text) == "model=lstm_seed=0__0123456789ab"
    assert resolve(["seed=0"], text.replace("0123", "3210")) == "seed=0__3210456789ab"
    former = text.replace("0123456789ab", "[3210456789ab,0123456789ab]")
    assert resolve(["seed=0"], former) == "model=lstm_seed=0__0123456789ab"
    (tmp_path / "x__3210456789ab").mkdir()
    assert resolve(["seed=0"], former) == "x__3210456789ab"


values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(alphabet="abcü /", max_size=9)
trees = st.dictionaries(
    st.text(alphabet="abc", min_size=1, max_size=3), values | st.lists(values, max_size=3), max_size=5
)


@given(trees, trees)
def test_fingerprints_differ_exactly_when_configurations_do(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = (DictConfig(tree | {"hydra": {"job": index}}) for index, tree in enumerate((one, other)))
    shuffled = DictConfig(dict(reversed(one.items())))
    assert fingerprint(first, []) == fingerprint(shuffled, [])
    # As JSON has it, where 1, 1.0 and true differ.
    assert (fingerprint(first, []) == fingerprint(second, [])) == (
        repr(sorted(one.items())) == repr(sorted(other.items()))
    )


def test_fingerprints_resolve_values_but_not_where_and_when_a_job_runs() -> None:
    config = OmegaConf.create(
        {"a": 1, "b": "${a}", "out": "${hydra:runtime.output_dir}", "when": "${now:%S}", "c": "???"}
    )
    same = OmegaConf.create({"a": 1, "b": 1, "out": "${hydra:runtime.output_dir}", "when": "${now:%S}", "c": "???"})
    assert fingerprint(config, []) == fingerprint(same, [])
    config.a = 2
    assert fingerprint(config, []) != fingerprint(same, [])
    assert fingerprint(config, ["a", "b"]) == fingerprint(same, ["a", "b", "not.there"])


def test_the_resolver_makes_directories_for_any_override(app: App) -> None:
    long = "y" * 300
    done = app.run(
        "+x=a/b,'ü \\'q\\' ${z}',1",
        "++z=1",
        f"++long={long}",
        *(f"++key{number}={number}" for number in range(40)),
        "hydra.sweep.subdir='${job_directory:}'",
    )
    assert done.returncode == 0, done.stderr
    names = [path.parent.name for path in app.sweep.glob("*/status.json")]
    assert len(names) == 3
    assert all(len(name) <= 120 and name.isascii() for name in names)
