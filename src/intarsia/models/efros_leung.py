"""Efros and Leung's texture synthesis, which is paper A's low-level model L.

A. Efros, T. Leung, "Texture synthesis by non-parametric sampling", ICCV 1999.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Int64
from numpy import ndarray

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.models.nonparametric import NonparametricSampler
from intarsia.models.seeds import Seeds, plan


class EfrosLeung(NonparametricSampler):
    """Appearance alone: patches from everywhere, any output size (paper A, figure 7).

    Parameters
    ----------
    corpus : training pictures, of any sizes.
    **settings : as for `NonparametricSampler`; ``principles`` is L.
    """

    name = "efros-leung"

    def __init__(self, corpus: Corpus, **settings: Any) -> None:
        if settings.get("principles") not in (None, "L"):
            raise UsageError(
                f"--principles is {settings['principles']}, but {self.name} is L by definition. "
                "Drop --principles, or use: intarsia generate nps."
            )
        super().__init__(corpus, **(settings | {"principles": "L"}))


class Texture(EfrosLeung):
    """More of a texture: a 3x3 seed from a random place, grown to any size.

    Parameters
    ----------
    corpus : one picture or several, of any sizes.
    size : (H, W) to draw.
    **settings : as for `NonparametricSampler`; by default window 11 and seed_size 3. The seed's
        own picture is a source, since a texture often is one picture.

    References
    ----------
    A. Efros, T. Leung, ICCV 1999, section 2.
    """

    name = "texture"

    def __init__(self, corpus: Corpus, size: tuple[int, int], **settings: Any) -> None:
        given = {k: v for k, v in settings.items() if v is not None}
        defaults = {"window": 11, "seed_size": 3, "allow_seed_source": True}
        super().__init__(corpus, **(defaults | given | {"size": size}))

    def _plan(self, samples: Int64[ndarray, " n"], seed: int) -> list[Seeds]:
        s = self.settings
        assert s.seed_size is not None
        return plan(
            self.corpus, samples, seed, self.canvas_size, s.seed_size, s.seed_at, None, False,
            from_anywhere=True,
        )  # fmt: skip
