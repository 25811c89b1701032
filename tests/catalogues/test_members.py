"""Every member of every catalogue is composed, identified, trained, counted, explained and documented."""

from dataclasses import fields
from pathlib import Path

import pytest
import torch

from rnn_mnist.analysis.plots.figure_kind import Request, Sweep
from rnn_mnist.analysis.plots.figures import draw
from rnn_mnist.analysis.reading.factors import find_factors, levels_of
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.statistics.effects import effects
from rnn_mnist.catalogues.cells import CELLS
from rnn_mnist.catalogues.data_sets import DATA_SETS
from rnn_mnist.catalogues.keys import METADATA
from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.configuration.identity import config_as_dict, flatten, run_id
from rnn_mnist.configuration.parameter_count import parameter_count
from rnn_mnist.configuration.reference import as_page, as_text
from rnn_mnist.configuration.schema import SELECTED_BY, SELECTORS, chosen, declared, declared_keys, options
from rnn_mnist.data.images import DataSet
from rnn_mnist.explain.tensors import explain
from rnn_mnist.network.classifier import RecurrentClassifier
from rnn_mnist.training.trainer import Trainer
from tests.synthetic_sweep import write_sweep

TINY = ["model.hidden_size=6", "data.validation_size=50", "training.batch_size=50", "training.epochs=2"]
MEMBERS = [(group, name) for group in SELECTORS for name in options(group) if name != "custom"]
EVERY_MEMBER = pytest.mark.parametrize(("group", "name"), MEMBERS, ids=["=".join(member) for member in MEMBERS])


@EVERY_MEMBER
def test_it_is_a_run_of_its_own_that_trains(group: str, name: str, mnist: DataSet) -> None:
    config = compose_checked([*TINY, f"{group}={name}"]).config
    assert flatten(config_as_dict(config))[f"{group}.{SELECTORS[group]}"] == name
    default = compose_checked(TINY).config
    assert (run_id(config) == run_id(default)) == (config == default)
    if group == "data":  # only MNIST's images are here; the reader's own tests have the others
        return
    few = DataSet(mnist.train.first(200), mnist.test.first(50), mnist.checksum)
    trainer = Trainer(config, few, torch.device("cpu"))
    before = [value.clone() for value in trainer.model.parameters()]
    metrics = trainer.train_epoch()
    assert metrics.train_loss > 0
    assert any(not torch.equal(*pair) for pair in zip(before, trainer.model.parameters(), strict=True))
    assert len(trainer.test().accuracy_by_step) == explain(config).letters["T"][1]


@pytest.mark.parametrize("name", [name for name in CELLS if name != "custom"])
@pytest.mark.parametrize(
    "more", [[], ["model.bidirectional=true", "model.num_layers=3"], ["model.bias=false"]], ids=str
)
def test_a_cell_is_counted_and_explained(name: str, more: list[str]) -> None:
    config = compose_checked([f"model={name}", "model.hidden_size=7", *more]).config
    with torch.device("meta"):
        model = RecurrentClassifier(config.model, config.features)
    count = sum(parameter.numel() for parameter in model.parameters())
    assert parameter_count(config.model, config.features) == count
    explanation = explain(config)
    assert explanation.total == count
    noted = {note.key for note in explanation.notes}
    assert {entry.name for entry in fields(config.model) if METADATA in entry.metadata} - {
        "cell",
        "parameter_budget",
    } <= noted


@EVERY_MEMBER
def test_it_and_its_keys_are_documented(group: str, name: str) -> None:
    text, page = as_text(), as_page()
    assert name in text.partition(f"== {group}: ")[2].partition(" ==")[0].replace(",", " ").split()
    for key in flatten(config_as_dict(compose_checked([f"{group}={name}"]).config)):
        if key.startswith(f"{group}.") and key != f"{group}.{SELECTORS[group]}":
            assert f"\n{key}=" in text
            assert f"| `{key}` |" in page


def test_every_key_is_declared_with_a_meaning_and_a_default_in_its_range() -> None:
    keys = declared_keys()
    for group, name in MEMBERS:
        for key in flatten(config_as_dict(compose_checked([f"{group}={name}"]).config)):
            assert key in keys
    for by_option in keys.values():
        for each in by_option.values():
            assert each.declared.meaning
            assert not each.declared.meaning.endswith(".") or each.name in SELECTED_BY
            assert each.default != "???" or each.choices or each.name in ("model.module", "data.loader")


def test_names_stand_in_the_catalogues_order() -> None:
    about = declared("data.name")
    assert about is not None
    assert about.choices == tuple(DATA_SETS)
    assert chosen("model", "gru").cell == "gru"


@pytest.mark.parametrize("group", SELECTORS)
def test_the_members_are_read_compared_and_plotted(group: str, tmp_path: Path) -> None:
    names = [name for member_group, name in MEMBERS if member_group == group]
    write_sweep(tmp_path / "s", {group: names[::-1]}, seeds=range(3), base={"training.epochs": 2})
    runs = load_runs(tmp_path / "s").frame
    factor = f"{group}.{SELECTORS[group]}"
    assert find_factors(runs) == [factor]
    assert levels_of(runs, factor) == names
    assert len(effects(runs)) == len(names) - 1
    drawn = draw(Sweep(runs), Request("effect", factor=group))
    ticks = [label.get_text() for label in drawn.figure.axes[-1].get_xticklabels()]
    assert [tick.splitlines()[0] for tick in ticks] == names
