"""The named studies: each says its question and its command, and every run of its grid can be run."""

from itertools import product
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from rnn_mnist.configuration.compose import CONFIG_DIR, compose_checked
from rnn_mnist.configuration.identity import run_id

STUDIES = sorted(path for path in (CONFIG_DIR / "experiment").glob("*.yaml") if not path.name.startswith("_"))


def test_every_study_that_is_promised_exists() -> None:
    promised = {"article", "depth", "width", "cell", "bidirectional", "batch_first", "dropout", "bias", "readout"}
    assert promised | {"learning_rate", "sequence", "cell_matched"} == {path.stem for path in STUDIES}


def grid(path: Path) -> list[list[str]]:
    """The overrides of each job of ``-m experiment=<name>``."""
    params = OmegaConf.select(OmegaConf.load(path), "hydra.sweeper.params") or {}
    parser = OverridesParser.create()
    axes = [
        [f"{override.key_or_group}={value}" for value in override.sweep_string_iterator()]
        for override in parser.parse_overrides([f"{key}={value}" for key, value in params.items()])
    ]
    return [list(job) for job in product(*axes)]


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study(path: Path) -> None:
    head = path.read_text(encoding="utf-8").splitlines()[:4]
    assert head[1].startswith("# ")
    assert head[1].endswith("?")
    assert any(
        f"python -m rnn_mnist.train -m experiment={path.stem}" in line
        for line in path.read_text(encoding="utf-8").splitlines()
    )
    jobs = grid(path)
    seeds = list(dict.fromkeys(override for job in jobs for override in job if override.startswith("seed=")))
    # All settings, with the first and the last seed: those between make the same configurations.
    some = [job for job in jobs if not seeds or seeds[0] in job or seeds[-1] in job]
    configs = [compose_checked([f"experiment={path.stem}", *job]).config for job in some]
    assert all(config.sweep == path.stem for config in configs)
    assert all(config.question == head[1].removeprefix("# ") for config in configs)
    if path.stem != "article":
        assert compose_checked([f"experiment={path.stem}"]).config.schedule.name == "one_cycle"
        assert len(seeds) >= 3
        # Of each seed's eight cells the four with one layer are one run: dropout has no effect there.
        distinct = 2 * 5 if path.stem == "dropout" else len(some)
        assert len({run_id(config) for config in configs}) == distinct


def test_the_article_is_the_tutorial() -> None:
    config = compose_checked(["experiment=article"]).config
    assert (config.model.cell, config.model.num_layers, config.model.hidden_size) == ("lstm", 2, 128)
    assert config.model.readout == "last_step"
    assert (config.optimizer.name, config.optimizer.lr, config.schedule.name) == ("adam", 0.01, "constant")
    assert (config.training.epochs, config.training.batch_size) == (2, 128)
    assert config.training.gradient_clip_norm is None
    assert config.data.validation_size == 0
    assert config.sequence.kind == "rows"
