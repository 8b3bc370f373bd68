"""A pattern whose match in a file's name is its patient."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from overread.cases.case import Case
from overread.errors import InvalidOption

_EXAMPLES, _NAMES_OF_EACH = 3, 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class PatientPattern:
    """A pattern that seems to name the patients.

    Args:
        pattern: the regular expression.
        patients: how many it finds.
        examples: file names of three of them, up to three each; they are for the user's own eyes.
    """

    pattern: str
    patients: int
    examples: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, pattern: str, cases: Sequence[Case], keys: Sequence[str]) -> PatientPattern:
        """The pattern with what it makes of the cases."""
        groups = defaultdict(list)
        for case, key in zip(cases, keys, strict=True):
            groups[key].append(case.name)
        several = sorted((names for names in groups.values() if len(names) > 1), key=lambda names: len(names) > 4)
        examples = tuple(tuple(names[:_NAMES_OF_EACH]) for names in several[:_EXAMPLES])
        return cls(pattern=pattern, patients=len(groups), examples=examples)

    @property
    def option(self) -> str:
        """The option of the command line, quoted for a shell."""
        return f"--patient-pattern {shlex.quote(self.pattern)}"


def match_patients(pattern: str, cases: Sequence[Case]) -> list[str | None]:
    """What the pattern finds in each file name: its groups, joined by hyphens, or the whole match; None for nothing.

    The name is searched without folders and suffix; with the folders, as the data name them, where the pattern has a
    slash. Of an exam all files are searched, and None is given where they say different things.

    Raises:
        InvalidOption: pattern is no regular expression.
    """
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidOption(f"the patient pattern is no regular expression ({error}): correct it") from None
    found: list[str | None] = []
    for case in cases:
        said = {_found(compiled, path_of(part) if "/" in pattern else part.path.stem) for part in case.parts}
        found.append(said.pop() if len(said) == 1 else None)
    return found


def _found(compiled: re.Pattern[str], text: str) -> str | None:
    match = compiled.search(text)
    if match is None:
        return None
    return "-".join(filter(None, match.groups())) if compiled.groups else match.group()


def path_of(case: Case) -> str:
    """The path within the data, without suffix."""
    return PurePosixPath(case.name).with_suffix("").as_posix()
