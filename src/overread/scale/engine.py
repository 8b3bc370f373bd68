"""What runs work that is independent: anything with a `map` like that of `concurrent.futures.Executor`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Engine(Protocol):
    """Runs a function on items, where and when it likes.

    Functions and items can be pickled, and every executor of `concurrent.futures` is an engine. Items write their
    results into folders, which every process must see under the same path.
    """

    def map(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterable[Result]:
        """The result of each item, in the order of the items; an error of the function is raised."""


class OneAfterTheOther:
    """The engine that is used where none is given: this process, item by item."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
        """The result of each item, made when it is asked for."""
        return map(function, items)
