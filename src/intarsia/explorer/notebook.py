"""The viewer inside a notebook."""

from __future__ import annotations

import html
from dataclasses import dataclass

from intarsia.explorer.export import single_page
from intarsia.explorer.run import InMemory
from intarsia.samples import Samples


@dataclass(frozen=True)
class Inline:
    """A page that a notebook shows in a frame of its own.

    Attributes
    ----------
    page : the HTML file, with everything inside; it can be saved and opened as well.
    height : of the frame, in pixels.
    """

    page: str
    height: int

    def _repr_html_(self) -> str:
        # In a sandbox without allow-same-origin the page cannot touch the notebook.
        return (
            f'<iframe title="Intarsia explorer" sandbox="allow-scripts" width="100%" '
            f'height="{self.height}" style="border:0" srcdoc="{html.escape(self.page)}"></iframe>'
        )


def inline(samples: Samples, limit: int, height: int) -> Inline:
    """Put samples into a page for a notebook; see `intarsia.samples.Samples.explore`."""
    from intarsia.provenance.metrics import run_metrics

    shown = samples[:limit]
    run = InMemory("samples", "Samples", shown, why_no_corpus="These samples carry no corpus.")
    run.metrics = run_metrics(shown)
    return Inline(single_page(run, limit), height)
