"""A bounded sequence that forgets its oldest items and knows how many it ever took. Pure: no clock, no I/O."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


class Ring(Generic[T]):
    """The newest ``size`` items. Every item has a sequence number: the count of items that came before it."""

    __slots__ = ("_items", "end")

    def __init__(self, size: int) -> None:
        self._items: deque[T] = deque(maxlen=size)
        self.end = 0
        """Items ever taken; also the sequence number of the next one."""

    @property
    def size(self) -> int:
        """How many items it keeps."""
        return self._items.maxlen or 0

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> T:
        """Return an item by its place from the oldest one; from the newest with a negative index."""
        return self._items[index]

    def append(self, item: T) -> None:
        """Take one item."""
        self._items.append(item)
        self.end += 1

    def extend(self, items: Iterable[T], count: int) -> None:
        """Take ``count`` items, oldest first."""
        self._items.extend(items)
        self.end += count

    def newest(self, index: int) -> T:
        """Return the item ``index`` places before the newest one (0 is the newest).

        Raises:
            IndexError: there is none.
        """
        return self._items[-1 - index]

    def last(self, count: int) -> Iterator[T]:
        """Return the newest ``count`` items, oldest first."""
        return islice(self._items, max(0, len(self._items) - count), None)

    def snapshot(self) -> list[T]:
        """Return a copy of all items, oldest first."""
        return list(self._items)
