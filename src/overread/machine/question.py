"""Questions to a user who can answer them; elsewhere nobody is asked."""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import shlex
import sys
from collections.abc import Callable, Iterator

from rich.console import Console

from overread.machine.terminal import say


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """A choice that the data leave open.

    Args:
        text: what is open, as the beginning of a sentence.
        flag: the option of the command line that settles it; empty where each choice is an option of its own.
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
    console = Console(stderr=True, soft_wrap=True)
    say(console, f"{question.text}:")
    for number, choice in enumerate(question.choices, start=1):
        say(console, f"  {number}  {choice}")
    while True:
        console.print(f"Which one, 1 to {len(question.choices)}? ", end="", highlight=False)
        line = sys.stdin.readline()
        if not line:
            return None
        given = line.strip()
        if given.isdecimal() and 1 <= int(given) <= len(question.choices):
            given = question.choices[int(given) - 1]
        if given in question.choices:
            say(console, f"the same without asking: {f'{question.flag} {shlex.quote(given)}'.strip()}")
            return given
