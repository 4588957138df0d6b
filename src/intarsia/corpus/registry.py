"""The data sets that have a name, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Card:
    """What is known of a named data set before it is read.

    Attributes
    ----------
    name, title : the ``--data`` string, and the name people use
    home : where it comes from
    licence : what is known of its terms
    about : one or two sentences
    shape : (height, width, channels) of every picture
    counts : pictures in each split
    classes : class names, position is number
    files : for each split, the files that hold it, as their makers name them
    parquet : for each split, its Parquet file in the hub's repository
    repository : dataset repository on the Hugging Face hub, empty if there is none
    folders : where system packages install it
    fingerprints : for each split, the fingerprint of the original content, where the originals
        could be had (IDX files whose unpacked bytes have the MD5 sums in general use)
    """

    name: str
    title: str
    home: str
    licence: str
    about: str
    shape: tuple[int, int, int]
    counts: Mapping[str, int]
    classes: tuple[str, ...]
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parquet: Mapping[str, str] = field(default_factory=dict)
    repository: str = ""
    folders: tuple[str, ...] = ()
    fingerprints: Mapping[str, str] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Return the card as plain values for JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "home": self.home,
            "licence": self.licence,
            "about": self.about,
            "shape": list(self.shape),
            "counts": dict(self.counts),
            "classes": list(self.classes),
            "files": {split: list(files) for split, files in self.files.items()},
            "repository": self.repository,
        }


_DIGITS = tuple("0123456789")
_IDX = MappingProxyType(
    {
        "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
        "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
    }
)

_CARDS = (
    Card(
        name="digits",
        title="Handwritten digits in scikit-learn",
        home="https://archive.ics.uci.edu/dataset/80",
        licence="CC BY 4.0 (UCI Machine Learning Repository); shipped inside scikit-learn",
        about=(
            "The test part of the UCI optical digits, counts 0..16 of ink in 4x4 cells. "
            "A count v becomes the pixel round(v * 255 / 16). It has one split, train."
        ),
        shape=(8, 8, 1),
        counts={"train": 1797},
        classes=_DIGITS,
        fingerprints={
            "train": "b9bab938fb9703c41c49e643331de838003d007410069774e3b96eb177455597",
        },
    ),
    Card(
        name="mnist",
        title="MNIST",
        home="http://yann.lecun.com/exdb/mnist/",
        licence=(
            "made by Y. LeCun, C. Cortes and C. Burges from NIST Special Databases 1 and 3; "
            "its page states no licence"
        ),
        about="Handwritten digits, white on black, centred by mass.",
        shape=(28, 28, 1),
        counts={"train": 60000, "test": 10000},
        classes=_DIGITS,
        files=_IDX,
        parquet={
            "train": "mnist/train-00000-of-00001.parquet",
            "test": "mnist/test-00000-of-00001.parquet",
        },
        repository="ylecun/mnist",
        fingerprints={
            "train": "f05739cc619aba08966e9ecdaee2bd8b595bcab715e7b3e9481e83fe04d3f95d",
            "test": "52ea8a113ede07747324204c8a5434b6533aaa2b74a53e4055902c06d9bcbc9d",
        },
    ),
    Card(
        name="fashion-mnist",
        title="Fashion-MNIST",
        home="https://github.com/zalandoresearch/fashion-mnist",
        licence="MIT, Zalando SE",
        about="Articles from Zalando's shop, in the layout of MNIST.",
        shape=(28, 28, 1),
        counts={"train": 60000, "test": 10000},
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
        files=_IDX,
        parquet={
            "train": "fashion_mnist/train-00000-of-00001.parquet",
            "test": "fashion_mnist/test-00000-of-00001.parquet",
        },
        repository="zalando-datasets/fashion_mnist",
        folders=("/usr/share/dataset-fashion-mnist",),
        fingerprints={
            "train": "532ed73034e863c6a37fc1138451c3386f882284a412d9a8843efbfaa0a9e586",
            "test": "a8ca653adb0a9e62f84f85891fe14ea63c4c0ae5152c906445a2e992db86296d",
        },
    ),
    Card(
        name="cifar10",
        title="CIFAR-10",
        home="https://www.cs.toronto.edu/~kriz/cifar.html",
        licence="its page states no licence; cite A. Krizhevsky's report of 2009",
        about=(
            "Small colour photographs of ten kinds of things. The originals are lossless: a "
            "copy stored as JPEG has other pixels, and its notes say so."
        ),
        shape=(32, 32, 3),
        counts={"train": 50000, "test": 10000},
        classes=(
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ),
        files={
            "train": ("train-00000-of-00001.parquet",),
            "test": ("test-00000-of-00001.parquet",),
        },
        parquet={
            "train": "plain_text/train-00000-of-00001.parquet",
            "test": "plain_text/test-00000-of-00001.parquet",
        },
        repository="uoft-cs/cifar10",
    ),
)

NAMED_SETS: Mapping[str, Card] = MappingProxyType({card.name: card for card in _CARDS})


def known_by_fingerprint(fingerprint: str) -> tuple[str, str] | None:
    """Return (name, split) of the original content with this fingerprint, if it is known."""
    for card in _CARDS:
        for split, known in card.fingerprints.items():
            if known == fingerprint:
                return card.name, split
    return None
