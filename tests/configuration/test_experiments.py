"""The named studies: each says its question and its command, and every run of its grid can be run."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from hydra_plugins.grid_sweeper._jobs import jobs_of
from hydra_plugins.grid_sweeper._options import GridSweeperConf, checked_options
from hydra_plugins.grid_sweeper._swept_keys import read_keys
from rnn_mnist.configuration.compose import CONFIG_DIR, compose_checked
from rnn_mnist.configuration.identity import run_id

STUDIES = sorted(path for path in (CONFIG_DIR / "experiment").glob("*.yaml") if not path.name.startswith("_"))
LITERATURE = {
    "breuel2015",
    "greff2017",
    "jozefowicz2015",
    "le2015",
    "le2015_lstm",
    "roatienza",
    "keras",
    "keras_sgd",
    "record",
    "record_steps",
}
# As their sources have it, and not as the studies of this project.
OWN_TRAINING = {"article", "breuel2015", "greff2017", "roatienza", "keras", "keras_sgd"}


def test_every_study_that_is_promised_exists() -> None:
    promised = {"article", "depth", "width", "cell", "bidirectional", "batch_first", "dropout", "bias", "readout"}
    promised |= {"learning_rate", "sequence", "cell_matched", "initialization", "reference"}
    assert promised | LITERATURE == {path.stem for path in STUDIES}


def grid(path: Path) -> list[list[str]]:
    """The overrides of each job of ``-m experiment=<name>``."""
    given = OmegaConf.select(OmegaConf.load(path), "hydra.sweeper") or {}
    merged = OmegaConf.to_container(OmegaConf.merge(OmegaConf.structured(GridSweeperConf), given))
    assert isinstance(merged, dict)
    options = checked_options({str(key): value for key, value in merged.items() if key != "_target_"})

    def unswept(key: str, _: object) -> None:
        raise AssertionError(f"the filter asks for {key}, which is not swept over")

    return jobs_of(read_keys(options.params, [], None), options, unswept)


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
    # All settings, with the first and the last seed: those between make the same ones. Of many some twenty.
    some = [job for job in jobs if not seeds or seeds[0] in job or seeds[-1] in job]
    some = some[:: 1 + len(some) // 20]
    configs = [compose_checked([f"experiment={path.stem}", *job]).config for job in some]
    assert all(config.sweep == path.stem for config in configs)
    assert all(config.question == head[1].removeprefix("# ") for config in configs)
    if path.stem not in OWN_TRAINING:
        assert compose_checked([f"experiment={path.stem}"]).config.schedule.name == "one_cycle"
    if path.stem != "article":
        assert len(seeds) >= 3 or path.stem == "greff2017"  # whose runs are settings, drawn at random
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
