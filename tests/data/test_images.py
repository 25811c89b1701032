"""The data sets as tensors, and the split into training and validation images."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_mnist.catalogues.data_sets import DATA_SETS
from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.configuration.resolution import training_image_count
from rnn_mnist.data.files import BUNDLED, DataError, load_test_images
from rnn_mnist.data.images import DataSet, load_data_set, split_indices
from rnn_mnist.training.trainer import Trainer
from tests.conftest import SMALL
from tests.data.fake_data_sets import IN_FILES, miniature, put, unpacked


def test_the_real_images(mnist: DataSet) -> None:
    assert mnist.train.images.shape == (60_000, 28, 28)
    assert mnist.test.images.shape == (10_000, 28, 28)
    assert mnist.train.images.dtype == torch.uint8
    assert mnist.train.labels.dtype == torch.int64
    # Counts of each digit, as published with the data set.
    assert mnist.train.labels.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert mnist.test.labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_the_real_images_are_torchvisions(mnist: DataSet, mnist_root: Path) -> None:
    from torchvision.datasets import MNIST

    for ours, train in ((mnist.train, True), (mnist.test, False)):
        theirs = MNIST(mnist_root, train=train)
        assert torch.equal(ours.images, theirs.data)
        assert ours.images.is_contiguous()
        assert torch.equal(ours.labels, theirs.targets)


def test_the_sum_in_manifests_is_that_of_all_earlier_runs(mnist: DataSet) -> None:
    # A run's manifest keeps it, and a run is continued or skipped only where it is the same.
    assert mnist.checksum == "1e35582d42a90940c55b956deb61875c020b567ed20e3c5b174f52bf7809ed9b"


def test_the_notice_travels_with_the_files() -> None:
    assert "ShareAlike 3.0" in (BUNDLED / "mnist" / "NOTICE.md").read_text()


@pytest.mark.parametrize("name", IN_FILES)
def test_tensors_and_arrays_are_the_same_images(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, contents = miniature(IN_FILES[name])
    monkeypatch.setitem(DATA_SETS, name, spec)
    put(spec, tmp_path, contents, unpacked(spec))
    data = load_data_set(name, tmp_path)
    assert (len(data.train), len(data.test)) == (spec.train.count, spec.test.count)
    for part in (data.train, data.test):
        assert part.images.is_contiguous()
        assert part.images.dtype == torch.uint8
        assert part.labels.is_contiguous()
        assert part.labels.dtype == torch.int64
    images, labels = load_test_images(name, tmp_path)
    assert np.array_equal(data.test.images.numpy(), images)
    assert np.array_equal(data.test.labels.numpy(), labels)


def test_a_new_data_set_is_an_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overrides = [*SMALL, "data=glyphs", "training.epochs=1", "training.batch_size=5", "data.train_fraction=1"]
    overrides.append("data.validation_size=20")
    spec, contents = miniature(IN_FILES["kmnist"], train=70, test=30)
    spec = replace(spec, name="glyphs", title="Glyphs", folder="Glyphs")
    monkeypatch.setitem(DATA_SETS, "glyphs", spec)
    put(spec, tmp_path, contents, unpacked(spec))
    config = compose_checked(overrides).config
    assert training_image_count(config, 70) == 50
    trainer = Trainer(config, load_data_set(config.data.name, tmp_path), torch.device("cpu"))
    assert trainer.steps_per_epoch == 10
    trainer.train_epoch()
    labels = load_test_images("glyphs", tmp_path)[1]
    assert trainer.test().evaluation.predictions.shape == labels.shape
    file = tmp_path / "Glyphs" / "raw" / spec.train.images.name
    file.write_bytes(file.read_bytes()[:-1])
    load_data_set.cache_clear()
    with pytest.raises(DataError, match=str(file)):
        load_data_set("glyphs", tmp_path)


def test_a_root_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"data\.root=.*file: cannot be used"):
        load_data_set("mnist", tmp_path / "file")


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 3000), st.data(), st.floats(0.01, 1), st.integers(0, 5))
def test_the_split_has_no_overlap_and_its_sizes(count: int, data: st.DataObject, fraction: float, seed: int) -> None:
    validation_size = data.draw(st.integers(0, count - 1))
    train, validation = split_indices(count, validation_size, fraction, seed)
    assert len(validation) == validation_size
    assert len(train) == max(1, round((count - validation_size) * fraction))
    assert len(set(train.tolist()) | set(validation.tolist())) == len(train) + len(validation)
    whole, same_validation = split_indices(count, validation_size, 1.0, seed)
    assert torch.equal(validation, same_validation)
    assert set(train.tolist()) <= set(whole.tolist())
