"""A run's model says of images what the run said, whatever network and sequence it has."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from rnn_mnist import load_model
from rnn_mnist.data.files import load_test_images
from rnn_mnist.data.images import DataSet
from rnn_mnist.data.sequences import SequenceReader
from rnn_mnist.errors import ExpectedError
from rnn_mnist.network.classifier import RecurrentClassifier
from rnn_mnist.runs.files import load_predictions
from rnn_mnist.runs.provenance import attempt_here
from rnn_mnist.runs.record import manifest_of
from rnn_mnist.runs.run import Run
from rnn_mnist.training.evaluation import evaluate
from rnn_mnist.training.one_run import train_run
from tests.conftest import small

COUNT = 40


def save(directory: Path, mnist: DataSet, *overrides: str) -> np.ndarray:
    """An untrained run's files, and the predictions ``[image]`` of its first test images."""
    resolved = small(*overrides)
    config = resolved.config
    directory.mkdir()
    torch.manual_seed(1)
    model = RecurrentClassifier(config.model, config.features)
    reader = SequenceReader.create(config.sequence, len(mnist.test), "test", torch.device("cpu"))
    first = torch.arange(COUNT)
    with torch.no_grad():  # so that images differ in what is predicted
        model.linear.bias.sub_(model(*reader.read(mnist.test.images[:COUNT], first)).mean(0))
    run = Run(directory)
    run.start(manifest_of(resolved, overrides, attempt_here()), resume=False)
    run.save_model({"recurrent": model.recurrent.state_dict(), "linear": model.linear.state_dict()})
    predictions: np.ndarray = evaluate(model, mnist.test, first, reader, 16).predictions.numpy()
    return predictions


@pytest.mark.parametrize(
    "overrides",
    [
        ["model=rnn", "model.nonlinearity=relu", "model.num_layers=2", "model.dropout=0.5"],
        ["model=gru", "model.bidirectional=true", "model.readout=mean", "model.batch_first=false"],
        ["model=lstm", "model.proj_size=3", "model.bidirectional=true", "model.readout=last_step"],
        ["model=lstm", "model.bias=false", "model.readout=max", "sequence=columns"],
        ["model=gru", "sequence=pixels", "model.readout=mean"],
        ["model=gru", "sequence=permuted_pixels", "sequence.permutation_seed=3", "model.readout=mean"],
        ["model=lstm", "sequence=random_length", "model.readout=mean"],
    ],
    ids=" ".join,
)
def test_it_predicts_as_the_run_did(overrides: list[str], mnist: DataSet, tmp_path: Path) -> None:
    expected = save(tmp_path / "run", mnist, *overrides)
    model = load_model(tmp_path / "run")
    assert not model.network.training
    rows = model.test_rows(len(mnist.test))
    images = mnist.test.images[:COUNT].numpy()
    probabilities = model.predict(images, None if rows is None else rows[:COUNT])
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (COUNT, 10)
    assert np.allclose(probabilities.sum(1), 1, atol=1e-5)
    assert len(np.unique(expected)) > 1
    assert np.array_equal(probabilities.argmax(1), expected)
    one = model.predict(images[3], None if rows is None else rows[3])
    assert one.shape == (10,)
    assert np.allclose(one, probabilities[3], atol=1e-5)


@pytest.mark.parametrize("sequence", ["rows", "random_length"])
def test_it_is_the_trained_network(sequence: str, tmp_path: Path) -> None:
    train_run(small(f"sequence={sequence}", "training.epochs=2"), tmp_path / "run", [])
    model = load_model(tmp_path / "run")
    images, labels = load_test_images()
    predicted = model.predict(images, model.test_rows(len(images))).argmax(1)
    assert np.array_equal(predicted, load_predictions(tmp_path / "run"))
    assert (predicted == labels).mean() == Run(tmp_path / "run").result()["test_accuracy"]


def test_random_numbers_of_the_caller_are_left_alone(mnist: DataSet, tmp_path: Path) -> None:
    save(tmp_path / "run", mnist)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_model(tmp_path / "run")
    assert torch.equal(torch.rand(3), expected)


def test_it_needs_no_data_set_and_knows_its_classes(mnist: DataSet, tmp_path: Path) -> None:
    save(tmp_path / "run", mnist, "data=fashion_mnist", f"data.root={tmp_path / 'nowhere'}")
    model = load_model(str(tmp_path / "run"))
    assert model.classes[9] == "Ankle boot"
    assert model.predict(np.zeros((0, 28, 28), np.uint8)).shape == (0, 10)


@pytest.mark.parametrize(
    ("images", "rows", "message"),
    [
        (np.zeros((28, 28)), None, r"images: float64 \[28, 28\]; must be uint8"),
        (np.zeros((3, 28, 27), np.uint8), None, r"images: uint8 \[3, 28, 27\]"),
        (np.zeros((28, 28), np.uint8), np.array([9]), "rows: the run's sequence=rows reads all"),
    ],
)
def test_other_images_are_refused(
    images: np.ndarray, rows: np.ndarray | None, message: str, mnist: DataSet, tmp_path: Path
) -> None:
    save(tmp_path / "run", mnist)
    with pytest.raises(ExpectedError, match=message):
        load_model(tmp_path / "run").predict(images, rows)


def test_rows_out_of_range_are_refused(mnist: DataSet, tmp_path: Path) -> None:
    save(tmp_path / "run", mnist, "sequence=random_length")
    model = load_model(tmp_path / "run")
    images = np.zeros((2, 28, 28), np.uint8)
    for rows in ([0, 5], [5, 29], [5], [5.0, 6.0]):
        with pytest.raises(ExpectedError, match="rows: "):
            model.predict(images, np.array(rows))


def test_what_is_no_completed_run_is_one_line(mnist: DataSet, tmp_path: Path) -> None:
    save(tmp_path / "run", mnist)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())

    def refused(message: str) -> None:
        with pytest.raises(ExpectedError, match=message) as caught:
            load_model(tmp_path / "run")
        assert "\n" not in str(caught.value)

    manifest["config"]["model"]["hidden_size"] = 9
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(manifest))
    refused("model.pt does not fit manifest.json")
    manifest["config"]["model"]["cell"] = "mgu"
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(manifest))
    refused("not known here: KeyError: 'mgu'")
    save_manifest = manifest | {"config": small().plain}
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(save_manifest))
    (tmp_path / "run" / "model.pt").write_bytes(b"not a model")
    refused("model.pt: unreadable")
    (tmp_path / "run" / "model.pt").unlink()
    refused("model.pt: no such file; has the run completed?")
    (tmp_path / "run" / "manifest.json").unlink()
    refused("no manifest.json; give the directory of one run")
