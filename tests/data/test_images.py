"""MNIST that ships with the package, the split, and what happens when files are missing or broken."""

import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_mnist.configuration.schema import DataName
from rnn_mnist.data.images import (
    BUNDLED_MNIST,
    MNIST_MD5,
    DataError,
    DataSet,
    data_root,
    load_data_set,
    split_indices,
    unpack_mnist,
)


def test_the_real_images(mnist: DataSet) -> None:
    assert mnist.train.images.shape == (60_000, 28, 28)
    assert mnist.test.images.shape == (10_000, 28, 28)
    assert mnist.train.images.dtype == torch.uint8
    # Counts of each digit, as published with the data set.
    assert mnist.train.labels.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert mnist.test.labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_the_notice_travels_with_the_files() -> None:
    assert "ShareAlike 3.0" in (BUNDLED_MNIST / "NOTICE.md").read_text()


def test_many_processes_may_unpack_at_once(tmp_path: Path) -> None:
    with ProcessPoolExecutor(6, mp_context=get_context("spawn")) as pool:
        for done in [pool.submit(unpack_mnist, tmp_path) for _ in range(6)]:
            done.result()
    assert sorted(path.name for path in (tmp_path / "MNIST" / "raw").iterdir()) == sorted(MNIST_MD5)


@pytest.mark.parametrize("damage", ["truncated", "changed", "empty"])
def test_a_broken_file_is_named(tmp_path: Path, damage: str) -> None:
    unpack_mnist(tmp_path)
    broken = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte"
    content = bytearray(broken.read_bytes())
    if damage == "changed":
        content[1000] ^= 1
    broken.write_bytes({"truncated": bytes(content[:1_000_000]), "changed": bytes(content), "empty": b""}[damage])
    with pytest.raises(DataError, match=f"{broken}: corrupt"):
        load_data_set(DataName.mnist, tmp_path)
    broken.unlink()
    assert len(load_data_set(DataName.mnist, tmp_path).train) == 60_000


def test_a_broken_bundled_file_is_named(tmp_path: Path) -> None:
    bundled = tmp_path / "bundled"
    shutil.copytree(BUNDLED_MNIST, bundled)
    broken = bundled / "t10k-labels-idx1-ubyte.gz"
    broken.write_bytes(broken.read_bytes()[:-10])
    with pytest.raises(DataError, match=f"{broken}: corrupt"):
        unpack_mnist(tmp_path / "data", bundled)


@pytest.mark.parametrize(
    ("name", "file", "folder"),
    [
        (DataName.fashion_mnist, "train-images-idx3-ubyte.gz", "FashionMNIST"),
        (DataName.kmnist, "train-images-idx3-ubyte.gz", "KMNIST"),
        (DataName.qmnist, "qmnist-train-images-idx3-ubyte.gz", "QMNIST"),
        (DataName.emnist_digits, "gzip.zip", "EMNIST"),
    ],
)
def test_without_a_network_the_error_says_what_to_put_where(
    name: DataName, file: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for scheme in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(scheme, "http://127.0.0.1:9")  # the discard port: nobody listens
    with pytest.raises(DataError) as caught:
        load_data_set(name, tmp_path)
    message = str(caught.value)
    assert file in message
    assert "MD5" in message
    assert str(tmp_path / folder / "raw") in message
    assert "\n" not in message


def test_files_put_there_by_hand_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.datasets import FashionMNIST

    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for source in BUNDLED_MNIST.glob("*.gz"):
        shutil.copy(source, raw)
    # MNIST's files in place of Fashion-MNIST's, which do not ship: the way they are found and checked is the same.
    monkeypatch.setattr(FashionMNIST, "resources", [(f"{name}.gz", sums[0]) for name, sums in MNIST_MD5.items()])
    data = load_data_set(DataName.fashion_mnist, tmp_path)
    assert data.test.labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_where_data_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RNN_MNIST_DATA", str(tmp_path / "env"))
    assert data_root(str(tmp_path / "key")) == tmp_path / "key"
    assert data_root(None) == tmp_path / "env"
    monkeypatch.delenv("RNN_MNIST_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "rnn_mnist" in str(data_root(None))


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
