"""The layout of the corpus: pixel [g, c, h, w, n] is the corpus pixel less 128."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from intarsia.corpus import Corpus
from intarsia.dictionary import CodeBook, Stack
from tests.pictures import colour_patches, digits

CPU = torch.device("cpu")


def corpora() -> dict[str, Corpus]:
    grey, colour = np.array(digits().images[:12]), np.array(colour_patches()[:9])
    rng = np.random.default_rng(2)
    mixed = [p[: 10 - i % 3, : 10 - i % 2] for i, p in enumerate(colour)]
    return {
        "grey": Corpus.from_arrays(grey),
        "colour": Corpus.from_arrays(colour),
        "holes": Corpus.from_arrays(colour, valid=rng.random(colour.shape[:3]) < 0.8),
        "ragged": Corpus.from_arrays(mixed),
        "ragged with holes": Corpus.from_arrays(
            mixed, valid=[rng.random(p.shape[:2]) < 0.8 for p in mixed]
        ),
    }


def beyond(corpus: Corpus, image: int, row: int, col: int, border: str) -> tuple[list[int], bool]:
    """Value and hole at a place that may lie outside the picture."""
    height, width = corpus[image].shape[:2]
    if border == "wrap":
        row, col = row % height, col % width
    if not (0 <= row < height and 0 <= col < width):
        return [0] * corpus.channels, False
    hole = corpus.valid is not None and not corpus.valid[image][row, col]
    return corpus[image, row, col].tolist(), hole


@pytest.mark.parametrize("border", ["ignore", "zeros", "wrap"])
@pytest.mark.parametrize("name", list(corpora()))
def test_every_pixel_is_the_corpus_s_less_128_and_every_hole_is_marked(name, border):
    corpus, half = corpora()[name], 2
    stacks = Stack.of(corpus, border, half, CPU)
    assert sorted(np.concatenate([s.pictures[0] for s in stacks])) == list(range(len(corpus)))
    for stack in stacks:
        height, width = stack.size
        pad = stack.pad
        assert pad == (0 if border == "ignore" else half)
        shape = (1, corpus.channels, height + 2 * pad, width + 2 * pad, len(stack.pictures[0]))
        assert stack.pixels.dtype == torch.int8 and tuple(stack.pixels.shape) == shape
        assert stack.shared and stack.shift is None
        assert (stack.hole is None) == (corpus.valid is None)
        for n, image in enumerate(stack.pictures[0]):
            assert corpus[int(image)].shape[:2] == (height, width)
            for row in range(-pad, height + pad):
                for col in range(-pad, width + pad):
                    value, hole = beyond(corpus, int(image), row, col, border)
                    laid = stack.pixels[0, :, row + pad, col + pad, n].to(torch.int32) + 128
                    assert laid.tolist() == value
                    if stack.hole is not None:
                        assert bool(stack.hole[0, row + pad, col + pad, n]) == hole


def test_chosen_pictures_keep_their_corpus_index():
    corpus = Corpus.from_arrays(np.array(digits().images[:12]))
    chosen = np.array([2, 3, 11])
    (stack,) = Stack.of(corpus, "ignore", 1, CPU, chosen)
    assert stack.pictures.tolist() == [[2, 3, 11]]
    for n, image in enumerate(chosen):
        laid = stack.pixels[0, :, :, :, n].to(torch.int32).permute(1, 2, 0) + 128
        assert (laid.numpy() == corpus[int(image)]).all()


def test_more_pictures_than_are_copied_at_a_time_are_all_laid_out():
    images = np.resize(np.array(digits().images), (4099, 8, 8, 1))
    (stack,) = Stack.of(Corpus.from_arrays(images), "zeros", 1, CPU)
    inner = stack.pixels[0, 0, 1:-1, 1:-1].to(torch.int32) + 128
    assert (inner.permute(2, 0, 1).numpy() == images[..., 0]).all()


def test_a_code_book_is_codes_on_their_side():
    codes = np.arange(-6, 6, dtype=np.int8).reshape(4, 3)
    assert (CodeBook.of(codes, CPU).values.numpy() == codes.T).all()
