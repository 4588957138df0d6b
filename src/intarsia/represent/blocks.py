"""Float arithmetic that gives a picture the same bytes in any company (law 3).

Products of floats change with the shape of their operands and with the number of threads that
share a sum. So learned encoders see blocks of one fixed shape, the last one padded, and each block
is worked on by one thread; blocks run side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

import numpy as np
import torch
from jaxtyping import Shaped, UInt8
from threadpoolctl import ThreadpoolController

BLOCK = 32
"""Pictures in a block."""


def in_blocks(
    work: Callable[[UInt8[np.ndarray, "block h w c"]], Shaped[np.ndarray, "block d"]],
    images: UInt8[np.ndarray, "b h w c"],
    block: int = BLOCK,
) -> Shaped[np.ndarray, "b d"]:
    """Apply ``work`` to blocks of exactly ``block`` pictures and join what it returns.

    Parameters
    ----------
    work : must treat each picture alone.
    images : uint8 [B, H, W, C], B at least 1.
    block : pictures that ``work`` is handed; black ones fill the last block.
    """

    def one(at: int) -> np.ndarray:
        some = np.array(images[at : at + block])
        if len(some) < block:
            fill = np.zeros((block - len(some), *some.shape[1:]), np.uint8)
            some = np.concatenate([some, fill])
        with torch.inference_mode():
            return work(some)

    starts = range(0, len(images), block)
    parts = list(_crew(torch.get_num_threads()).map(one, starts))
    return np.concatenate(parts)[: len(images)]


@cache
def _crew(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(
        threads, thread_name_prefix="intarsia", initializer=torch.set_num_threads, initargs=(1,)
    )


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold torch and numpy's linear algebra to one thread: no sum depends on how many there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _controller().limit(limits=1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
