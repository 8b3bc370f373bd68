"""What a human is asked of an image that may show several things: findings to tick, a grade to pick."""

from __future__ import annotations

import dataclasses

from overread.decision.task import Task
from overread.reading import Reading
from overread.reading.sentences import is_read


@dataclasses.dataclass(frozen=True, kw_only=True)
class Option:
    """What a human may say: the class, its name among the others, and whether it is chosen to begin with."""

    value: str
    label: str
    chosen: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of one task: any of the options, or exactly one."""

    heading: str
    any_of_them: bool
    options: tuple[Option, ...]


def asked_of(found: Reading) -> tuple[Asked, ...]:
    """What a human is asked, one task after the other; nothing of one of which an image is of exactly one class.

    What is decided is chosen to begin with, unless the image was not read.
    """
    if found.task.exclusive:
        return ()
    chosen = found.task.named_in(found.predicted_label) if is_read(found) else ()
    parts = found.task.parts or {"": found.task}
    values = iter(found.task.classes)
    return tuple(
        _asked(name, part, {next(values): label for label in part.classes}, chosen) for name, part in parts.items()
    )


def _asked(name: str, part: Task, labels: dict[str, str], chosen: tuple[str, ...]) -> Asked:
    options = tuple(Option(value=value, label=label, chosen=value in chosen) for value, label in labels.items())
    return Asked(heading=name or part.noun[1].capitalize(), any_of_them=not part.exclusive, options=options)
