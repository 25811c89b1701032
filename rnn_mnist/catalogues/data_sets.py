"""The data sets: what each holds, the files it comes in and their sums. Imports neither torch nor numpy.

To add one: an entry in :data:`DATA_SETS`.
"""

from dataclasses import dataclass

from rnn_mnist.catalogues.catalogue import Catalogue
from rnn_mnist.errors import ExpectedError

_DIGITS = tuple("0123456789")


class UnknownDataSetError(ExpectedError):
    """A data set that is not in the catalogue; the message lists those that are."""


@dataclass(frozen=True)
class Download:
    """A compressed file, as its publisher offers it.

    Attributes:
        name: of a gzip file (``.gz``), or of a ZIP archive that holds gzip files in a folder ``gzip``.
        md5: as published, in hexadecimal.
    """

    name: str
    md5: str


@dataclass(frozen=True)
class DataFile:
    """An IDX file (yann.lecun.com/exdb/mnist), unpacked.

    Attributes:
        name: without ``.gz``.
        download: what it is unpacked from.
        md5: of the unpacked file, where it is known.
    """

    name: str
    download: Download
    md5: str | None = None


@dataclass(frozen=True)
class Part:
    """The training or the test images.

    Attributes:
        images, labels: their files.
        count: images that are used, the first ones of the file.
        stored: images in the file, where those are more.
    """

    images: DataFile
    labels: DataFile
    count: int
    stored: int | None = None


@dataclass(frozen=True, kw_only=True)
class DataSetSpec:
    """A data set of grey 28x28 images.

    Attributes:
        name: as in ``data.name``.
        title: as its authors write it.
        source: the paper.
        classes: their names, in the order of the labels.
        loader: dotted path of a function that takes the folder of data sets and returns training images, their classes,
            test images and their classes, uint8 arrays ``[image, 28, 28]`` and ``[image]``.
        counts: training and test images, where they are known before it is loaded.
    """

    name: str
    title: str
    source: str = ""
    classes: tuple[str, ...] = _DIGITS
    loader: str | None = None
    counts: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class FileDataSet(DataSetSpec):
    """A data set that comes in IDX files.

    Attributes:
        folder: under ``data.root``; its files lie in ``<folder>/raw``, where torchvision has them too.
        url: of the folder with its downloads.
        megabytes: of all downloads.
        train, test: its two parts.
        column_by_column: whether its files store an image by columns rather than by rows.
        label_column: the one that holds the class, where a label is a row of numbers.
    """

    folder: str
    url: str
    megabytes: int
    train: Part
    test: Part
    column_by_column: bool = False
    label_column: int | None = None

    def __post_init__(self) -> None:
        """Its parts know how many images there are."""
        object.__setattr__(self, "counts", (self.train.count, self.test.count))

    @property
    def files(self) -> tuple[DataFile, ...]:
        """The four files of both parts."""
        return self.train.images, self.train.labels, self.test.images, self.test.labels


def find_data_set(name: str) -> DataSetSpec:
    """The data set of this name.

    Raises:
        UnknownDataSetError: naming those that there are.
    """
    if name not in DATA_SETS:
        raise UnknownDataSetError(f"data.name={name}: no such data set; allowed: {', '.join(DATA_SETS)}")
    return DATA_SETS[name]


def owner_of(md5: str) -> str | None:
    """Whose file has this sum, unpacked or as it is downloaded: ``MNIST's t10k-labels-idx1-ubyte``."""
    for spec in DATA_SETS.values():
        for file in spec.files if isinstance(spec, FileDataSet) else ():
            for name, known in ((file.name, file.md5), (file.download.name, file.download.md5)):
                if md5 == known:
                    return f"{spec.title}'s {name}"
    return None


def _gzipped(name: str, md5_compressed: str, md5: str | None = None) -> DataFile:
    return DataFile(name, Download(f"{name}.gz", md5_compressed), md5)


_EMNIST_ARCHIVE = Download("gzip.zip", "58c8d27c78d21e728a6bc7b3cc06412e")

_ALL: tuple[DataSetSpec, ...] = (
    FileDataSet(
        name="mnist",
        title="MNIST",
        source="LeCun et al. 1998, doi:10.1109/5.726791",
        folder="MNIST",
        url="https://ossci-datasets.s3.amazonaws.com/mnist/",
        megabytes=12,
        train=Part(
            _gzipped("train-images-idx3-ubyte", "f68b3c2dcbeaaa9fbdd348bbdeb94873", "6bbc9ace898e44ae57da46a324031adb"),
            _gzipped("train-labels-idx1-ubyte", "d53e105ee54ea40749a09fcbcd1e9432", "a25bea736e30d166cdddb491f175f624"),
            count=60_000,
        ),
        test=Part(
            _gzipped("t10k-images-idx3-ubyte", "9fb629c4189551a2d022fa330f9573f3", "2646ac647ad5339dbf082846283269ea"),
            _gzipped("t10k-labels-idx1-ubyte", "ec29112dd5afa0611ce80d1b7f02629c", "27ae3e4e09519cfbb04c329615203637"),
            count=10_000,
        ),
        classes=_DIGITS,
    ),
    FileDataSet(
        name="fashion_mnist",
        title="Fashion-MNIST",
        source="Xiao et al. 2017, arXiv:1708.07747",
        folder="FashionMNIST",
        url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        megabytes=31,
        train=Part(
            _gzipped("train-images-idx3-ubyte", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "f4a8712d7a061bf5bd6d2ca38dc4d50a"),
            _gzipped("train-labels-idx1-ubyte", "25c81989df183df01b3e8a0aad5dffbe", "9018921c3c673c538a1fc5bad174d6f9"),
            count=60_000,
        ),
        test=Part(
            _gzipped("t10k-images-idx3-ubyte", "bef4ecab320f06d8554ea6380940ec79", "8181f5470baa50b63fa0f6fddb340f0a"),
            _gzipped("t10k-labels-idx1-ubyte", "bb300cfdad3c16e7a12a480ee83cd310", "15d484375f8d13e6eb1aabb0c3f46965"),
            count=10_000,
        ),
        classes=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
    ),
    FileDataSet(
        name="kmnist",
        title="KMNIST",
        source="Clanuwat et al. 2018, arXiv:1812.01718",
        folder="KMNIST",
        url="http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        megabytes=21,
        train=Part(
            _gzipped("train-images-idx3-ubyte", "bdb82020997e1d708af4cf47b453dcf7"),
            _gzipped("train-labels-idx1-ubyte", "e144d726b3acfaa3e44228e80efcd344"),
            count=60_000,
        ),
        test=Part(
            _gzipped("t10k-images-idx3-ubyte", "5c965bf0a639b31b8f53240b1b52f4d7"),
            _gzipped("t10k-labels-idx1-ubyte", "7320c461ea6c1c855c0b718fb2a4b134"),
            count=10_000,
        ),
        classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    ),
    FileDataSet(
        name="qmnist",
        title="QMNIST",
        source="Yadav and Bottou 2019, arXiv:1905.10498",
        folder="QMNIST",
        url="https://raw.githubusercontent.com/facebookresearch/qmnist/master/",
        megabytes=20,
        train=Part(
            _gzipped("qmnist-train-images-idx3-ubyte", "ed72d4157d28c017586c42bc6afe6370"),
            _gzipped("qmnist-train-labels-idx2-int", "0058f8dd561b90ffdd0f734c6a30e5e4"),
            count=60_000,
        ),
        # The first 10,000 are MNIST's test images, reconstructed.
        test=Part(
            _gzipped("qmnist-test-images-idx3-ubyte", "1394631089c404de565df7b7aeaf9412"),
            _gzipped("qmnist-test-labels-idx2-int", "5b5b05890a5e13444e108efe57b788aa"),
            count=10_000,
            stored=60_000,
        ),
        classes=_DIGITS,
        label_column=0,  # the others say who wrote the digit
    ),
    FileDataSet(
        name="emnist_digits",
        title="EMNIST digits",
        source="Cohen et al. 2017, arXiv:1702.05373",
        folder="EMNIST",
        url="https://biometrics.nist.gov/cs_links/EMNIST/",
        megabytes=562,
        train=Part(
            DataFile("emnist-digits-train-images-idx3-ubyte", _EMNIST_ARCHIVE),
            DataFile("emnist-digits-train-labels-idx1-ubyte", _EMNIST_ARCHIVE),
            count=240_000,
        ),
        test=Part(
            DataFile("emnist-digits-test-images-idx3-ubyte", _EMNIST_ARCHIVE),
            DataFile("emnist-digits-test-labels-idx1-ubyte", _EMNIST_ARCHIVE),
            count=40_000,
        ),
        classes=_DIGITS,
        column_by_column=True,
    ),
    DataSetSpec(name="custom", title="images of the user's own loader"),
)

DATA_SETS = Catalogue("data_sets", DataSetSpec, _ALL)
