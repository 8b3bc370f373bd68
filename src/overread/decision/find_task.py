"""Which task the labels of cases pose: their classes in order, and of two the positive one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from overread.decision.negative_names import denies, own_parts, reads_as_negative
from overread.decision.task import Task
from overread.errors import InvalidData, InvalidOption


def find_task(labels: Iterable[str], *, positive: str | None = None) -> tuple[Task, tuple[str, ...]]:
    """Find what labels tell apart, and say in notes by which rule.

    Classes are sorted. Of two, the positive one comes second: the one named; else the one that the names tell, see
    `told_negative`; else the one that sorts last.

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
        negative = told_negative(names)
        positive = names[0] if names[1] == negative else names[1]
        reason = f"{negative} reads as the negative one" if negative else "it sorts last, since no name tells"
    other = next(name for name in names if name != positive)
    return Task.of([other, positive]), (f"the positive class is {positive} ({reason})",)


def told_negative(names: Sequence[str]) -> str | None:
    """The one of two classes whose name says that it is the negative one; None where names do not tell.

    A name that denies the other tells best, as COVID and NonCOVID; else exactly one must read as negative.
    """
    own = dict(zip(names, own_parts(*names), strict=True))
    for found in (
        [one for one, other in zip(names, reversed(names), strict=True) if denies(own[one], own[other])],
        [name for name in names if reads_as_negative(name)],
        [name for name in names if reads_as_negative(own[name])],
    ):
        if len(found) == 1:
            return found[0]
    return None
