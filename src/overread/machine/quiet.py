"""What a library warns of while we are at work with it, kept from users, and only then."""

from __future__ import annotations

import contextlib
import contextvars
import warnings
from collections.abc import Iterator
from typing import Any

_silenced: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("silenced", default=())


class _Silenced:
    """Stands in a filter for the names of modules: those of libraries silenced by the thread that warns."""

    def match(self, module: str) -> bool:
        return module.partition(".")[0] in _silenced.get()


# warnings.catch_warnings changes what all threads share, so that one thread's end undoes another's beginning. This one
# entry stays in the list, and ignores nothing outside `without_warnings_of`.
_FILTER: Any = ("ignore", None, Warning, _Silenced(), 0)


@contextlib.contextmanager
def without_warnings_of(*libraries: str) -> Iterator[None]:
    """Have this thread's warnings from within these libraries ignored, whatever filters the program has set.

    A warning of a damaged file would quote the file, and where warnings are errors it would decide what can be read.
    """
    filters: Any = warnings.filters
    if not filters or filters[0] is not _FILTER:
        with contextlib.suppress(ValueError):
            filters.remove(_FILTER)
        filters.insert(0, _FILTER)
    before = _silenced.set(libraries)
    try:
        yield
    finally:
        _silenced.reset(before)
