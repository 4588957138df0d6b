"""The shapes written in the types, checked while the functions run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from beartype import beartype
from jaxtyping import TypeCheckError, jaxtyped

from intarsia.corpus import Corpus, Planes, transform
from intarsia.corpus.corpus import check_labels
from tests.corpus.files import pictures

MASKED = Corpus.from_arrays(pictures(c=3), np.arange(6), valid=np.arange(120).reshape(6, 5, 4) > 7)


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    return jaxtyped(function, typechecker=beartype)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (Corpus.__dict__["images"].fget, (MASKED,)),
        (Corpus.__getitem__, (MASKED, 1)),
        (Corpus.__getitem__, (MASKED, (np.zeros((2, 3), int), 0, 0))),
        (Planes.__init__, (MASKED.planes, MASKED.planes.flat, MASKED.planes.shapes)),
        (Planes.take, (MASKED.planes, np.array([0, 3]))),
        (check_labels, ([0, 1], 2, ())),
        (transform.luma, (pictures(c=3),)),
        (transform._fitted, (pictures(c=3)[0], np.ones((5, 4), bool), 3, "pad")),
        (transform._fitted, (pictures()[0], None, 3, "crop")),
    ],
)
def test_functions_take_and_give_the_shapes_they_say(
    function: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    checked(function)(*arguments)


def test_another_shape_is_noticed() -> None:
    with pytest.raises(TypeCheckError):
        checked(transform.luma)(pictures(c=1))
