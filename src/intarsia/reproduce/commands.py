"""Command lines and settings in words: what a reader types to get a row again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from intarsia.reproduce.runs import Draw
from intarsia.reproduce.scales import Scale


def folder_of(draw: Draw, many_seeds: bool = False) -> str:
    """Return the run folder that the commands of a page name."""
    return f"runs/{draw.slug}" + (f"-{draw.seed}" if many_seeds else "")


def generate(draws: Sequence[Draw], scale: Scale) -> str:
    """Write the command that draws samples: the same settings, one seed or several.

    Parameters
    ----------
    draws : one a seed.
    scale : decides the corpus.
    """
    first = draws[0]
    how = scale.corpus(first.data, first.limit)
    words = ["intarsia", "generate", first.model]
    for name in ("data", "resize", "limit"):
        if how.get(name) is not None:
            words += [f"--{name}", str(how[name])]
    for name, value in scale.settings(first.settings).items():
        words.append("--" + name.replace("_", "-"))
        if isinstance(value, tuple):
            words.append("x".join(map(str, value)))
        elif value is not True:
            words.append(shlex.quote(str(value)))
    words += ["--n", str(first.n)]
    if len(draws) == 1:
        words += ["--seed", str(first.seed), "--out", folder_of(first)]
        return " ".join(words)
    seeds = " ".join(str(one.seed) for one in draws)
    words += ["--seed", "$s", "--out", f"runs/{first.slug}-$s"]
    return f"for s in {seeds}; do {' '.join(words)}; done"


def evaluate(
    draws: Sequence[Draw],
    scale: Scale,
    metrics: Sequence[str],
    *,
    features: str | None = None,
    split: str = "train",
) -> str:
    """Write the command that measures these runs against the whole data set they are from."""
    several = len(draws) > 1
    words = ["intarsia", "evaluate", *(folder_of(one, several) for one in draws)]
    if set(metrics) != {"entropy"}:
        how = scale.corpus(draws[0].data)
        for option, name in (("reference", "data"), ("resize", "resize"), ("limit", "limit")):
            if how.get(name) is not None:
                words += [f"--{option}", str(how[name])]
        if split != "train":
            words += ["--split", split]
    words += ["--metrics", ",".join(metrics)]
    if features:
        words += ["--features", features]
    return " ".join(words)


def both(draws: Sequence[Draw], scale: Scale, metrics: Sequence[str]) -> tuple[str, str]:
    """Return the command that draws and the command that measures."""
    return generate(draws, scale), evaluate(draws, scale, metrics)


def in_words(resolved: Mapping[str, Any], pictures: int, draws: Sequence[Draw]) -> str:
    """Say settings as the model resolved them, the size of the corpus and of the runs.

    Parameters
    ----------
    resolved : as `Runs.resolved` returns.
    pictures : of the corpus.
    draws : one a seed.
    """
    principles = str(resolved["principles"])
    by_class = resolved["condition"] == "class" and "H" in principles
    parts = [f"{pictures:,} images", principles]
    if "L" in principles.split("+"):
        parts.append(
            f"window {resolved['window']}, sigma {float(resolved['sigma']):.3g}, epsilon "
            f"{resolved['epsilon']}"
        )
    if resolved.get("min_pool", 1) > 1:
        parts.append(f"pools of at least {resolved['min_pool']}")
    if "NS" in principles:
        parts.append(f"radius {resolved['radius']}")
    if by_class:
        parts.append("class in the place of phi")
    elif "H" in principles:
        parts.append(
            f"phi {resolved['encoder']}, keep {resolved['keep']}, refresh {resolved['refresh']}"
        )
    if resolved["threshold"] != "cascade":
        parts.append(f"threshold {resolved['threshold']}")
    seed_size = resolved["seed_size"]
    parts.append(f"seed {seed_size}x{seed_size} at {resolved['seed_at']}")
    if resolved["allow_seed_source"]:
        parts.append("the seed's picture is a source")
    number = f"{draws[0].n:,} samples"
    seeds = ", ".join(str(one.seed) for one in draws)
    parts.append(
        f"{number}, seed {seeds}" if len(draws) == 1 else f"{number} a seed, seeds {seeds}"
    )
    return "; ".join(parts)
