"""The files of every data set: found, checked, told apart, fetched, and read as torchvision reads them."""

import functools
import gzip
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_mnist.catalogues.data_sets import UnknownDataSetError
from rnn_mnist.data import files
from rnn_mnist.data.files import DataError, data_root, fetch, load_test_images, read_part
from tests.data.fake_data_sets import IN_FILES, downloads, idx, miniature, put, unpacked

MNIST, FASHION, KMNIST, EMNIST = (IN_FILES[name] for name in ("mnist", "fashion_mnist", "kmnist", "emnist_digits"))
ELSEWHERE = pytest.mark.parametrize("name", [name for name in IN_FILES if name != "mnist"])


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def read_by_torchvision(name: str, root: Path, *, train: bool) -> Any:
    from torchvision import datasets

    match name:
        case "qmnist":
            return datasets.QMNIST(root, what="train" if train else "test10k")
        case "emnist_digits":
            return datasets.EMNIST(root, split="digits", train=train)
    return {"mnist": datasets.MNIST, "fashion_mnist": datasets.FashionMNIST, "kmnist": datasets.KMNIST}[name](
        root, train=train
    )


@pytest.mark.parametrize("name", IN_FILES)
def test_every_data_set_is_read_as_torchvision_reads_it(name: str, tmp_path: Path) -> None:
    spec, contents = miniature(IN_FILES[name])
    put(spec, tmp_path, contents, unpacked(spec))
    for part, train in ((spec.train, True), (spec.test, False)):
        theirs = read_by_torchvision(name, tmp_path, train=train)
        images, labels = read_part(spec, part, tmp_path)
        assert images.dtype == labels.dtype == np.uint8
        assert images.shape == (part.count, 28, 28)
        their_labels = theirs.targets.numpy()
        if name == "qmnist":
            their_labels = their_labels[:, 0]
        # torchvision leaves EMNIST's images lying on their side.
        their_images = theirs.data.numpy().swapaxes(1, 2) if name == "emnist_digits" else theirs.data.numpy()
        assert np.array_equal(images, their_images[: part.count])
        assert np.array_equal(labels, their_labels[: part.count])


def test_the_test_images_of_mnist_need_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNN_MNIST_DATA", str(tmp_path))
    images, labels = load_test_images()
    assert images.shape == (10_000, 28, 28)
    assert labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert not any(tmp_path.iterdir())
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0


def test_an_unknown_data_set_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownDataSetError, match=r"data\.name=x.*mnist, fashion_mnist"):
        load_test_images("x")


@pytest.mark.parametrize("name", IN_FILES)
def test_compressed_files_put_there_by_hand_are_read_and_unpacked(name: str, tmp_path: Path) -> None:
    spec, contents = miniature(IN_FILES[name])
    folder = put(spec, tmp_path, contents, downloads(spec))
    without_unpacking = read_part(spec, spec.test, tmp_path)
    assert names_in(folder) == {*downloads(spec)}
    fetch(spec, tmp_path)
    assert {file: (folder / file).read_bytes() for file in unpacked(spec)} == {
        file: contents[file] for file in unpacked(spec)
    }
    for one, other in zip(without_unpacking, read_part(spec, spec.test, tmp_path), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("damage", ["truncated", "changed", "empty"])
@pytest.mark.parametrize("form", ["unpacked", "compressed", "unpacked beside compressed"])
@pytest.mark.parametrize("name", IN_FILES)
def test_a_broken_file_is_named_in_one_line(name: str, form: str, damage: str, tmp_path: Path) -> None:
    spec, contents = miniature(IN_FILES[name])
    put(spec, tmp_path, contents, downloads(spec) if form != "unpacked" else [])
    folder = put(spec, tmp_path, contents, unpacked(spec) if form != "compressed" else [])
    broken = folder / (spec.test.images.download.name if form == "compressed" else spec.test.images.name)
    content = bytearray(broken.read_bytes())
    content[len(content) // 2] ^= 1
    broken.write_bytes(
        {"truncated": bytes(content[: len(content) // 2]), "changed": bytes(content), "empty": b""}[damage]
    )
    if spec.test.images.md5 is None and form == "unpacked" and damage == "changed":
        read_part(spec, spec.test, tmp_path)  # there is nothing to know it by
        return
    with pytest.raises(DataError, match=f"^{broken}: ") as caught:
        read_part(spec, spec.test, tmp_path)
    assert "\n" not in str(caught.value)


def test_a_broken_bundled_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = tmp_path / "bundled"
    shutil.copytree(files.BUNDLED, bundled)
    monkeypatch.setattr(files, "BUNDLED", bundled)
    broken = bundled / "mnist" / "t10k-labels-idx1-ubyte.gz"
    broken.write_bytes(broken.read_bytes()[:-10])
    with pytest.raises(DataError, match=f"{broken}: corrupt.*install"):
        fetch(MNIST, tmp_path / "data")


@pytest.mark.parametrize("form", ["unpacked", "compressed", "unpacked, beside their own compressed ones"])
@pytest.mark.parametrize("spec", [FASHION, KMNIST])
def test_mnists_files_are_not_taken_for_anothers(spec: Any, form: str, tmp_path: Path) -> None:
    if form.endswith("ones"):
        spec, contents = miniature(spec)
        put(spec, tmp_path, contents, downloads(spec))
    folder = tmp_path / spec.folder / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    for source in (files.BUNDLED / "mnist").glob("t10k*.gz"):
        if form == "compressed":
            shutil.copy(source, folder)
        else:
            (folder / source.stem).write_bytes(gzip.decompress(source.read_bytes()))
    if (
        form == "compressed" and spec is KMNIST
    ):  # the bundled ones were compressed anew, so that their sum tells nothing
        message = "t10k-images-idx3-ubyte.gz: corrupt"
    else:
        message = f"is MNIST's t10k-images-idx3-ubyte, not {spec.title}'s t10k-images-idx3-ubyte"
    with pytest.raises(DataError, match=message):
        read_part(spec, spec.test, tmp_path)


def test_files_that_are_not_the_size_of_their_data_set(tmp_path: Path) -> None:
    spec, contents = miniature(KMNIST)
    folder = put(spec, tmp_path, contents, unpacked(spec))
    images, labels = folder / spec.test.images.name, folder / spec.test.labels.name
    for file, content, message in (
        (images, idx(np.zeros((11, 28, 28), np.uint8)), "11x28x28"),
        (images, idx(np.zeros((12, 28, 27), np.uint8)), "12x28x27"),
        (images, idx(np.zeros((12, 28, 28), np.int32)), "int32"),
        (labels, idx(np.zeros(11, np.uint8)), "11"),
        (labels, idx(np.full(12, 10, np.uint8)), "classes other than 0 to 9"),
    ):
        whole = file.read_bytes()
        file.write_bytes(content)
        with pytest.raises(DataError, match=f"^{file}: .*{message}"):
            read_part(spec, spec.test, tmp_path)
        file.write_bytes(whole)
    assert len(read_part(spec, spec.test, tmp_path)[0]) == 12


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """A web server on this machine: its address, and the folder that it offers."""
    offered = tmp_path / "offered"
    offered.mkdir()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(offered))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/", offered
        running.shutdown()


@ELSEWHERE
def test_what_is_not_there_is_downloaded(name: str, tmp_path: Path, server: tuple[str, Path]) -> None:
    url, offered = server
    spec, contents = miniature(IN_FILES[name])
    spec = replace(spec, url=url)
    for file in downloads(spec):
        (offered / file).write_bytes(contents[file])
    fetch(spec, tmp_path)
    assert names_in(tmp_path / spec.folder / "raw") == {*downloads(spec), *unpacked(spec)}
    assert len(read_part(spec, spec.train, tmp_path)[0]) == spec.train.count


def test_a_wrong_download_leaves_nothing_that_bears_its_name(tmp_path: Path, server: tuple[str, Path]) -> None:
    url, offered = server
    spec, contents = miniature(KMNIST)
    spec = replace(spec, url=url)
    for file in downloads(spec):
        (offered / file).write_bytes(contents[file][:-1])
    with pytest.raises(DataError, match=r"downloading from .* failed: "):
        fetch(spec, tmp_path)
    for file in downloads(spec):
        (offered / file).write_bytes(contents[file])
    fetch(spec, tmp_path)
    assert len(read_part(spec, spec.train, tmp_path)[0]) == spec.train.count


@pytest.mark.slow
def test_many_processes_may_fetch_at_once(tmp_path: Path, server: tuple[str, Path]) -> None:
    url, offered = server
    spec, contents = miniature(EMNIST)
    spec = replace(spec, url=url)
    (offered / "gzip.zip").write_bytes(contents["gzip.zip"])
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        for done in [pool.submit(fetch, wanted, tmp_path) for wanted in (spec, MNIST) * 2]:
            done.result()
    for wanted in (spec, MNIST):
        assert {*unpacked(wanted)} <= names_in(tmp_path / wanted.folder / "raw")
        assert len(read_part(wanted, wanted.test, tmp_path)[0]) == wanted.test.count


@ELSEWHERE
def test_without_a_network_the_error_says_what_to_put_where(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    spec = replace(IN_FILES[name], url="http://127.0.0.1:9/")  # the discard port: nobody listens
    with pytest.raises(DataError) as caught:
        fetch(spec, tmp_path)
    message = str(caught.value)
    for needed in (*downloads(spec), str(tmp_path / spec.folder / "raw"), spec.url, "refused"):
        assert message.count(needed) == 1
    assert "\n" not in message
    assert len(message) < 400 + len(str(tmp_path))
    with pytest.raises(DataError, match=f"{downloads(spec)[-1]}.*{IN_FILES[name].url}"):
        load_test_images(name, tmp_path)


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    spec, contents = miniature(KMNIST)
    folder = put(spec, tmp_path, contents, unpacked(spec))
    (folder / spec.test.images.name).unlink()
    (folder / spec.test.images.name).mkdir()
    with pytest.raises(DataError, match=rf"data\.root={tmp_path}: cannot be used"):
        load_test_images("kmnist", tmp_path)


def test_where_data_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RNN_MNIST_DATA", str(tmp_path / "env"))
    assert data_root(str(tmp_path / "key")) == tmp_path / "key"
    assert data_root(None) == tmp_path / "env"
    monkeypatch.delenv("RNN_MNIST_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "rnn_mnist" in str(data_root(None))
