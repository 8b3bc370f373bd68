"""Which task the labels of cases pose: their classes in order, and of two the positive one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from overread.decision.task import Task
from overread.errors import InvalidData, InvalidOption

# A class with such a name is taken as the negative one of two.
_NEGATIVE_NAME = re.compile(
    r"(normal|healthy|negative|neg|benign|controls?|absent|clear|none|0|false|no|(no|non|not|without)[ _-].*)",
    re.IGNORECASE,
)


def reads_as_negative(name: str) -> bool:
    """Whether a class has a name such as Normal, Healthy, Negative or No disease."""
    return _NEGATIVE_NAME.fullmatch(name) is not None


def find_task(labels: Iterable[str], *, positive: str | None = None) -> tuple[Task, tuple[str, ...]]:
    """Find what labels tell apart, and say in notes by which rule.

    Classes are sorted. Of two, the positive one comes second: the one named; else, when exactly one has a name such as
    Normal, Healthy, Negative or No disease, the other; else the one that sorts last.

    Args:
        labels: of the cases.
        positive: the positive class of two.

    Raises:
        InvalidOption: the positive class is none of them, or there are more than two.
        InvalidData: there are fewer than two.

    Example:
        >>> find_task(["polyp", "normal", "polyp"])[0].positive
        'polyp'
    """
    names = sorted(set(labels))
    if positive is not None and positive not in names:
        raise InvalidOption(f"the positive class {positive!r} is not among {', '.join(names)}: name one of them")
    if len(names) < 2:
        raise InvalidData(
            f"found one class only ({', '.join(names)}), expected two or more: "
            "put the images of each class in a folder of its own"
        )
    if len(names) > 2:
        if positive is not None:
            raise InvalidOption(f"a positive class can be named for two classes only; the data hold {len(names)}")
        return Task.of(names), ()
    reason = "as named"
    if positive is None:
        negative = [name for name in names if reads_as_negative(name)]
        reason = f"{negative[0]} reads as the negative one" if len(negative) == 1 else "it sorts last"
        positive = next(name for name in names if name not in negative) if len(negative) == 1 else names[-1]
    others = [name for name in names if name != positive]
    return Task.of([*others, positive]), (f"the positive class is {positive} ({reason})",)
