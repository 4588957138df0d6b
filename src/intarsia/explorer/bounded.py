"""A store of what was used last, bounded by size, safe to use from several threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Bounded(Generic[Value]):
    """Values by key; the longest unused go when the sizes add up to more than ``most``.

    Parameters
    ----------
    most : limit of the sum of sizes. A single value may exceed it: it is then the only one kept.
    size : of a value, such as its bytes.
    dropped : called with each value that goes.

    Examples
    --------
    >>> store = Bounded(2, size=lambda value: 1)
    >>> [store.get(key, lambda: key * 10) for key in (1, 2, 3)], sorted(store.keys())
    ([10, 20, 30], [2, 3])
    """

    def __init__(
        self,
        most: int,
        size: Callable[[Value], int],
        dropped: Callable[[Value], None] = lambda value: None,
    ) -> None:
        self._most, self._size, self._dropped = most, size, dropped
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key, made once however many threads ask at a time."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._values:
                    return self._values[key][0]
            value = make()
            with self._lock:
                self._making.pop(key, None)
                self._values[key] = (value, self._size(value))
                gone = self._surplus()
        for old in gone:
            self._dropped(old)
        return value

    def keys(self) -> list[Hashable]:
        """Return the keys kept, longest unused first."""
        with self._lock:
            return list(self._values)

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            gone = [value for value, _ in self._values.values()]
            self._values.clear()
        for old in gone:
            self._dropped(old)

    def _surplus(self) -> list[Value]:
        gone = []
        total = sum(size for _, size in self._values.values())
        while total > self._most and len(self._values) > 1:
            _, (value, size) = self._values.popitem(last=False)
            gone.append(value)
            total -= size
        return gone
