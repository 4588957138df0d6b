"""Shapes stand in the types; here they are checked while every kind of model draws."""

from __future__ import annotations

import subprocess
import sys

CHECKED = [
    *("intarsia.dictionary", "intarsia.models", "intarsia.represent"),
    *(f"intarsia.reduce.{name}" for name in ("device", "fit", "nearest", "pool", "similar")),
    *("intarsia.reduce.keys", "intarsia.reduce.rule", "intarsia.reduce.state"),
    *("intarsia.reduce.posterior", "intarsia.reduce.posterior_state"),
    "intarsia.reduce.products",
    "intarsia.reduce.whole_pictures",
]

DRAW_EVERYTHING = f"""
from jaxtyping import install_import_hook

with install_import_hook({CHECKED!r}, "beartype.beartype"):
    import numpy as np
    from intarsia.corpus import Corpus
    from intarsia.models import EfrosLeung, Inpainting, NonparametricSampler, Texture
    from intarsia.models.machines import MACHINES

digits = Corpus.open("digits", limit=60)
for settings in (
    dict(principles="L", border="zeros"),
    dict(principles="NS+L", border="wrap", seed_at="random"),
    dict(principles="NS+H"),
    dict(),
    dict(condition="class"),
    dict(threshold="intersection"),
    dict(encoder="patch:lowres"),
    dict(window=3, min_pool=4),
):
    model = NonparametricSampler(digits, **settings)
    model.sample(6, seed=1).check_pixel_law()
EfrosLeung(digits, size=(9, 11)).sample(1).check_pixel_law()
Texture(Corpus.from_arrays([digits[0], digits[1][:7]]), (9, 8), window=3).sample(5)
hole = np.zeros((8, 8), bool)
hole[2:4, 3:6] = True
Inpainting(digits[0], hole, window=3).sample(2)
Inpainting(digits[0], hole, digits).sample(2)
for kind in MACHINES.values():
    kind(digits, scales=3, steps=4).sample(2, labels=[3, 4])
MACHINES["els"](digits, scales=3, steps=4, dictionary="interior").sample(2)
"""

WRONG = f"""
from jaxtyping import install_import_hook

with install_import_hook({CHECKED!r}, "beartype.beartype"):
    import numpy as np
    from intarsia.dictionary import FillOrder, Window

FillOrder.grow(np.ones((4, 4), np.int8), Window(3))
"""


def run(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_every_model_keeps_the_shapes_its_types_say():
    done = run(DRAW_EVERYTHING)
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_wrong_type_is_seen():
    done = run(WRONG)
    assert done.returncode != 0
    assert "TypeCheckError" in done.stderr
