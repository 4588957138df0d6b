"""Which numbers a network is trained with: bfloat16 where the machine multiplies it faster."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Literal

import torch

Precision = Literal["float32", "bfloat16"]

PRECISIONS = ("auto", "float32", "bfloat16")


def chosen(precision: str, device: str) -> Precision:
    """Return what ``auto`` stands for on this machine; the others stand for themselves.

    Parameters
    ----------
    precision : one of `PRECISIONS`. ``auto`` is bfloat16 on accelerators, and on processors that
        multiply it faster than float32. Others emulate it, a hundred times as slowly.
    device : "cpu", "cuda" or "mps".
    """
    if precision == "auto":
        fast = torch.device(device).type != "cpu" or _bfloat16_is_fast()
        return "bfloat16" if fast else "float32"
    return "bfloat16" if precision == "bfloat16" else "float32"


def autocast(precision: str, device: str) -> AbstractContextManager[object]:
    """Return the context that a loss is computed in."""
    if chosen(precision, device) == "float32":
        return nullcontext()
    return torch.autocast(torch.device(device).type, torch.bfloat16)


@cache
def _bfloat16_is_fast(side: int = 256) -> bool:
    """Whether this processor multiplies bfloat16 faster than float32, measured once."""

    def seconds(kind: torch.dtype) -> float:
        one = torch.ones(side, side, dtype=kind)
        one @ one
        started = time.perf_counter()
        for _ in range(4):
            one @ one
        return time.perf_counter() - started

    return min(seconds(torch.bfloat16) for _ in range(3)) < min(
        seconds(torch.float32) for _ in range(3)
    )
