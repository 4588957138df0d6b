"""gamma-ARVM in its exact form: eq. 9 by a dictionary of tuples, sources, windows, same bytes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.models.arvm import CROSS, NOTHING, ArvmSampler, covers
from intarsia.models.run import run
from intarsia.models.tokens import TokenGrid, numbers_of
from intarsia.networks.blae import BinaryAutoencoder, BlaeSettings
from intarsia.networks.saved_blae import SavedBlae
from intarsia.samples import Samples
from tests.reference import arvm as reference

GAMMAS = (1, 3, 5, 7)


@pytest.fixture(scope="module")
def tokens() -> TokenGrid:
    """Digits of 8x8 as 4x4 tokens of 4 bits: which pixels of each 2x2 square are dark."""
    corpus = Corpus.open("digits", limit=400)
    assert corpus.images is not None
    dark = (corpus.images[..., 0] > 100).reshape(-1, 4, 2, 4, 2).transpose(0, 1, 3, 2, 4)
    torch.manual_seed(0)
    network = BinaryAutoencoder(BlaeSettings(1, (8, 8), bits=4, widths=(8,), hidden=16)).eval()
    blae = SavedBlae(network, {"data": "digits"}, corpus.fingerprint, len(corpus), {})
    return TokenGrid(corpus, blae, dark.reshape(-1, 4, 4, 4).astype(np.uint8), 1.0)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_tokens_follow_the_histogram_of_a_dictionary_of_tuples(tokens, gamma):
    sampler = ArvmSampler(tokens, gamma)
    drawn = sampler.sample(12, seed=3)
    theirs = tokens.numbers
    for canvas in drawn.extra["tokens"]:
        for place in np.ndindex(4, 4):
            bits = (canvas[..., None] >> np.arange(4)) & 1
            found = sampler.histogram(place, bits.astype(np.uint8))
            assert found == reference.histogram(theirs, canvas, place, gamma)
            assert sum(found.values()) == pytest.approx(1, abs=1e-12)
            assert found[int(canvas[place])] > 0


@pytest.mark.parametrize("gamma", GAMMAS)
def test_sources_share_their_tokens_context_and_windows_say_which(tokens, gamma):
    drawn = ArvmSampler(tokens, gamma).sample(20, seed=5)
    sides = [*range(gamma, 1, -2), CROSS, NOTHING] if gamma > 1 else [NOTHING]
    grid = drawn.sources.of_grid()
    for number, canvas in enumerate(drawn.extra["tokens"]):
        for place in np.ndindex(4, 4):
            members, level = reference.members(tokens.numbers, canvas, place, gamma)
            image = grid["image"][(number, *place)]
            assert image in members
            assert tokens.numbers[image][place] == canvas[place]
            assert grid["pool"][(number, *place)] == len(members)
            assert drawn.extra["window"][(number, *place)] == sides[level]
            assert (grid["row"][(number, *place)], grid["col"][(number, *place)]) == place


def test_a_window_over_all_that_came_before_copies_training_images(tokens):
    assert covers(7, (4, 4)) and not covers(5, (4, 4))
    drawn = ArvmSampler(tokens, 7).sample(50, seed=1)
    known = {grid.tobytes() for grid in tokens.numbers}
    assert all(grid.tobytes() in known for grid in drawn.extra["tokens"])
    local = ArvmSampler(tokens, 3).sample(50, seed=1)
    assert not all(grid.tobytes() in known for grid in local.extra["tokens"])


def test_draws_follow_the_counts(tokens):
    drawn = ArvmSampler(tokens, 3).sample(4000, seed=2).extra["tokens"][:, 0, 0]
    share = np.bincount(drawn, minlength=16) / len(drawn)
    expected = np.bincount(tokens.numbers[:, 0, 0], minlength=16) / len(tokens.numbers)
    assert np.abs(share - expected).max() < 5 * np.sqrt(0.25 / len(drawn))


def test_the_same_bytes_for_any_batch_and_thread(tokens):
    one = ArvmSampler(tokens, 3).sample(9, seed=4)
    other = ArvmSampler(tokens, 3, threads=1).sample(9, seed=4, batch=2)
    assert (one.images == other.images).all()
    for name, values in one.sources.arrays().items():
        assert (values == other.sources.arrays()[name]).all(), name


def test_a_run_keeps_sources_on_the_token_grid_and_is_resumed(tokens, tmp_path):
    sampler = ArvmSampler(tokens, 5)

    def stop(step):
        if step.batch.step == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(sampler, 6, 1, tmp_path / "run", callback_on_step_end=stop)
    again = run(sampler, 6, 1, tmp_path / "run", resume=True)
    whole = run(sampler, 6, 1, tmp_path / "other")
    assert (again.images == whole.images).all()
    with np.load(tmp_path / "run" / "sources.npz") as stored:
        assert stored["image"].shape == (6, 4, 4)
        assert stored["grid"].tolist() == [4, 4]
        assert str(stored["evidence"]) == "token"
    read = Samples.load(tmp_path / "run")
    assert read.sources.grid == (4, 4)
    for name, values in whole.sources.arrays().items():
        assert (values == read.sources.arrays()[name]).all(), name
    assert (read.extra["tokens"] == whole.extra["tokens"]).all()
    assert (numbers_of(tokens.bits[read.sources.of_grid()["image"][:, 0, 0], 0, 0])
            == read.extra["tokens"][:, 0, 0]).all()  # fmt: skip


@pytest.mark.parametrize("gamma", [0, -1, 2, 4])
def test_a_window_without_a_centre_is_refused(tokens, gamma):
    with pytest.raises(UsageError, match=rf"--gamma is {gamma};.*odd"):
        ArvmSampler(tokens, gamma)


def test_latents_that_are_not_binary_are_refused(tokens):
    with pytest.raises(UsageError, match=r"Only \d.*% of the latents are binary.*tokens need 95%"):
        TokenGrid.of(tokens.corpus, tokens.blae)


def test_pictures_of_another_size_are_refused(tokens):
    with pytest.raises(UsageError, match="28x28x1, but the BL-AE was trained on 8x8x1.*4x4"):
        TokenGrid.of(Corpus.open("mnist", limit=10), tokens.blae)
