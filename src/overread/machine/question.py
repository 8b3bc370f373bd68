"""Questions to a user who can answer them; elsewhere nobody is asked."""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import sys
from collections.abc import Callable, Iterator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """A choice that the data leave open.

    Args:
        text: what is open, as the beginning of a sentence.
        flag: the option of the command line that settles it.
        choices: its values, one of which is meant.
    """

    text: str
    flag: str
    choices: tuple[str, ...]


Answer = Callable[[Question], str | None]
_answering: contextvars.ContextVar[Answer | None] = contextvars.ContextVar("answering", default=None)


def ask(question: Question) -> str | None:
    """The choice that was made; None where nobody can be asked."""
    answer = _answering.get()
    return None if answer is None else answer(question)


@contextlib.contextmanager
def answered_by(answer: Answer | None) -> Iterator[None]:
    """Have questions answered by a function, or by nobody."""
    token = _answering.set(answer)
    try:
        yield
    finally:
        _answering.reset(token)


def terminal_user() -> Answer | None:
    """What asks the user of a terminal, by a numbered list; None where there is no terminal to ask on."""
    try:
        return _ask_on_terminal if sys.stdin.isatty() and sys.stderr.isatty() else None
    except (AttributeError, ValueError):  # closed, or none at all
        return None


def _ask_on_terminal(question: Question) -> str | None:
    lines = [f"  {number}  {choice}" for number, choice in enumerate(question.choices, start=1)]
    print(question.text, *lines, sep="\n", file=sys.stderr)  # noqa: T201
    while True:
        print(f"Which one? [1-{len(lines)}] ", end="", file=sys.stderr, flush=True)  # noqa: T201
        line = sys.stdin.readline()
        if not line:
            return None
        given = line.strip()
        if given.isdecimal() and 1 <= int(given) <= len(lines):
            given = question.choices[int(given) - 1]
        if given in question.choices:
            print(f"the same without asking: {question.flag} '{given}'", file=sys.stderr)  # noqa: T201
            return given
