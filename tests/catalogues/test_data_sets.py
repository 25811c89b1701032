"""Every data set of the catalogue: named, summed, counted, chosen by an option, and what torchvision has of it."""

import re
from typing import Any

import pytest

from rnn_mnist.catalogues.data_sets import DATA_SETS, owner_of
from rnn_mnist.configuration.compose import compose_checked, options
from rnn_mnist.configuration.resolution import ConfigError, training_image_count
from rnn_mnist.configuration.schema import NUM_CLASSES
from tests.data.fake_data_sets import IN_FILES

EVERY = pytest.mark.parametrize("name", IN_FILES)


def torchvisions(name: str) -> tuple[type, dict[str, str]]:
    """Its class, and the sums of its downloads by their addresses."""
    from torchvision import datasets

    kinds: dict[str, Any] = {"mnist": datasets.MNIST, "fashion_mnist": datasets.FashionMNIST, "kmnist": datasets.KMNIST}
    match name:
        case "emnist_digits":
            return datasets.EMNIST, {datasets.EMNIST.url: datasets.EMNIST.md5}
        case "qmnist":
            resources = datasets.QMNIST.resources
            return datasets.QMNIST, dict([*resources["train"], *resources["test"]])
    kind = kinds[name]
    return kind, {kind.mirrors[0] + file: md5 for file, md5 in kind.resources}


@EVERY
def test_its_downloads_are_those_that_torchvision_publishes(name: str) -> None:
    spec = IN_FILES[name]
    kind, published = torchvisions(name)
    assert {spec.url + file.download.name: file.download.md5 for file in spec.files} == published
    assert spec.folder == kind.__name__


@EVERY
def test_its_files_and_sums_are_its_own(name: str) -> None:
    spec = IN_FILES[name]
    assert spec.name == name
    assert spec.megabytes > 0
    assert len({file.name for file in spec.files}) == 4
    for file in spec.files:
        for md5 in (file.md5, file.download.md5):
            if md5 is not None:
                assert re.fullmatch(r"[0-9a-f]{32}", md5)
                assert str(owner_of(md5)).startswith(f"{spec.title}'s ")
    assert owner_of("0" * 32) is None


@EVERY
def test_its_classes_are_named_in_the_order_of_its_labels(name: str) -> None:
    spec = IN_FILES[name]
    assert len(spec.classes) == len(set(spec.classes)) == NUM_CLASSES
    theirs = torchvisions(name)[0]
    named = theirs.classes_split_dict["digits"] if name == "emnist_digits" else theirs.classes  # type: ignore[attr-defined]
    assert list(spec.classes) == [entry.partition(" - ")[0] for entry in named]


@EVERY
def test_an_option_chooses_it_and_its_images_are_counted(name: str) -> None:
    spec = IN_FILES[name]
    config = compose_checked([f"data={name}"]).config
    assert config.data.name == name
    assert training_image_count(config, spec.train.count) == spec.train.count - config.data.validation_size
    for part in (spec.train, spec.test):
        assert part.stored is None or part.stored > part.count


def test_every_option_is_in_the_catalogue() -> None:
    assert options("data") == list(DATA_SETS)


def test_an_unknown_name_is_refused_in_one_line_with_all_names() -> None:
    with pytest.raises(ConfigError) as caught:
        compose_checked(["data.name=x"])
    message = str(caught.value)
    assert message.startswith("data.name=x: ")
    assert "\n" not in message
    assert all(name in message for name in DATA_SETS)
