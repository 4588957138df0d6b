"""Intarsia: white-box image generation.

Every generated pixel names the training pixel it came from.

>>> from intarsia import Corpus, NonparametricSampler
>>> samples = NonparametricSampler(Corpus.open("digits")).sample(4, seed=0)
>>> samples.sources.image.shape
(4, 8, 8)
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.errors import DataError, IntarsiaError, UsageError
    from intarsia.models import NonparametricSampler
    from intarsia.samples import Samples, Sources

__version__ = "0.1.0"

__all__ = [
    "Corpus",
    "DataError",
    "IntarsiaError",
    "NonparametricSampler",
    "Samples",
    "Sources",
    "UsageError",
    "__version__",
]

# Torch takes seconds to load: a name is imported when it is first asked for (PEP 562).
_HOMES = {
    "Corpus": "corpus",
    "DataError": "errors",
    "IntarsiaError": "errors",
    "NonparametricSampler": "models",
    "Samples": "samples",
    "Sources": "samples",
    "UsageError": "errors",
}

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'intarsia' has no attribute {name!r}")
    return getattr(import_module(f"intarsia.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
