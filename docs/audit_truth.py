"""Plant copies among genuine pictures, audit them, and write docs/results/audit.md.

python docs/audit_truth.py
"""

from __future__ import annotations

from pathlib import Path

from intarsia import Corpus
from intarsia.provenance.audit import audit
from intarsia.provenance.planted import GENUINE, KINDS, plant

EACH, GENUINES = 100, 500
SETS = ("mnist", "fashion-mnist", "cifar10")
PAGE = Path(__file__).parent / "results" / "audit.md"

HEAD = f"""# The audit, tested

{EACH} copies of each kind of images of the whole training split, planted among {GENUINES}
pictures of the test split that the audit does not calibrate on: exact; shifted by up to 3
pixels down and across; 5 % brighter or darker; JPEG of quality 75; the left half of one image
beside the right half of another. A copy counts as found if it is declared one and the right
image is named, for halves both. The last column is the share of genuine pictures declared
copies of anything.

```sh
python docs/audit_truth.py
```

| | {" | ".join(KINDS)} | false alarms |
| --- |{" --- |" * (len(KINDS) + 1)}
"""


def main() -> None:
    """Audit each data set and write the page."""
    rows = []
    for data in SETS:
        corpus, held_out = Corpus.open(data), Corpus.open(data, split="test")
        planted = plant(corpus, held_out, EACH, GENUINES)
        found = audit(planted.samples, corpus, held_out)
        recalls = [planted.found(found, kind) for kind in KINDS]
        alarms, genuine = planted.found(found, GENUINE)
        cells = [f"{right / all_:.0%}" for right, all_ in recalls]
        rows.append(f"| {data} | {' | '.join(cells)} | {alarms / genuine:.1%} |")
        print(rows[-1], flush=True)
    PAGE.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
