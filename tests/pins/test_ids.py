"""The ids of runs and settings stay what they were when the first sweeps were made, so that these are found again.

``ids.json`` holds override lists that use every option of every group, every study, and every key with something but
its default, and their ids as commit 272c665 computes them. To make it anew after an override list was added, run this
file with that commit's code, from a folder that has no ``rnn_mnist`` of its own::

    PYTHONPATH=<checkout of 272c665> python <this repository>/tests/pins/test_ids.py
"""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

IDS = Path(__file__).with_name("ids.json")
PINNED: list[dict[str, Any]] = json.loads(IDS.read_text(encoding="utf-8"))


@pytest.mark.parametrize("pinned", PINNED, ids=lambda pinned: " ".join(pinned["overrides"]) or "defaults")
def test_ids_stay(pinned: dict[str, Any]) -> None:
    # Imported here, so that the file runs with 272c665's modules as well.
    from rnn_mnist.configuration.compose import compose_checked
    from rnn_mnist.configuration.identity import run_id, setting_id

    config = compose_checked(pinned["overrides"]).config
    assert run_id(config) == pinned["run_id"]
    assert setting_id(config) == pinned["setting_id"]


def make() -> None:
    """Fill in the ids of ``ids.json``'s override lists, with the code of 272c665."""
    composition = importlib.import_module("rnn_mnist.composition")
    identity = importlib.import_module("rnn_mnist.identity")
    configs = [composition.compose_checked(pinned["overrides"]).config for pinned in PINNED]
    _refuse_gaps(composition, [identity.flatten(identity.config_as_dict(config)) for config in configs])
    lines = [
        json.dumps(
            {
                "overrides": pinned["overrides"],
                "run_id": identity.run_id(config),
                "setting_id": identity.setting_id(config),
            }
        )
        for pinned, config in zip(PINNED, configs, strict=True)
    ]
    IDS.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


def _refuse_gaps(composition: Any, configs: list[dict[str, Any]]) -> None:
    """Every option and study must occur among the override lists, and every key with two values or more."""
    given = {override for pinned in PINNED for override in pinned["overrides"]}
    defaults = (composition.CONFIG_DIR / "config.yaml").read_text(encoding="utf-8")
    for group in ("model", "sequence", "data", "optimizer", "schedule", "experiment"):
        for option in composition.options(group):
            assert f"{group}={option}" in given or f"- {group}: {option}\n" in defaults, f"{group}={option} is missing"
    keys = {key for config in configs for key in config}
    single = sorted(key for key in keys if len({str(config[key]) for config in configs if key in config}) < 2)
    assert not single, f"with one value only: {single}"


if __name__ == "__main__":
    make()
