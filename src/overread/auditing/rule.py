"""A rule of the audit: what it may find, and how it looks for it."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

from overread.auditing.finding import SEVERITIES, Finding, FindingKind
from overread.auditing.material import Material
from overread.errors import InvalidOption, OverreadError, RuleFailed


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule of the audit, or several that share their work.

    Args:
        name: a few words that tell it from other rules, such as "scanners by class".
        kinds: every kind of finding that it may give.
        find: from what the audit looks at to the findings; empty where nothing is wrong.

    Raises:
        InvalidOption: no kind of finding, or one code twice.

    Example:
        >>> Rule(
        ...     name="shape of the images",
        ...     kinds=(FindingKind("tall-image", "warn", "an image more than twice as high as wide"),),
        ...     find=lambda material: [],
        ... ).codes
        ('tall-image',)
    """

    name: str
    kinds: tuple[FindingKind, ...]
    find: Callable[[Material], Iterable[Finding]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinds", tuple(self.kinds))
        if not self.kinds or len(set(self.codes)) != len(self.kinds):
            raise InvalidOption(f"the audit rule {self.name!r} declares no code, or one twice: declare each code once")

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code that its findings may have."""
        return tuple(kind.code for kind in self.kinds)

    def apply(self, material: Material) -> list[Finding]:
        """Look for what the rule finds, and see that it gives what it declares.

        Raises:
            RuleFailed: the rule raised something else than an `OverreadError`, or gave what it does not declare.
        """
        try:
            given = self.find(material)
            found = list(given) if isinstance(given, Iterable) else [given]
        except OverreadError:
            raise
        except Exception as error:
            # Its own message is left out, for it may quote a patient.
            raise RuleFailed(
                f"the audit rule {self.name!r} failed with {type(error).__name__} in {_place(error)}: mend the rule, "
                "or audit without it"
            ) from error
        for finding in found:
            self._require_declared(finding, len(material.manifest))
        return found

    def _require_declared(self, finding: Finding, images: int) -> None:
        if not isinstance(finding, Finding):
            raise RuleFailed(
                f"the audit rule {self.name!r} gave {type(finding).__name__}: it must give a list of Finding objects"
            )
        gravest = {kind.code: kind.severity for kind in self.kinds}.get(finding.code)
        if gravest is None:
            raise RuleFailed(
                f"the audit rule {self.name!r} gave the code {finding.code!r} and declares {', '.join(self.codes)}: "
                "declare every code in its kinds"
            )
        if SEVERITIES.index(finding.severity) < SEVERITIES.index(gravest):
            raise RuleFailed(
                f"the audit rule {self.name!r} gave {finding.code!r} with severity {finding.severity!r}, graver than "
                f"the declared {gravest!r}: declare the gravest that it may have"
            )
        if not all(0 <= position < images for group in finding.groups for position in group):
            raise RuleFailed(
                f"the audit rule {self.name!r} gave {finding.code!r} with groups that name images below 0 or from "
                f"{images:,} on: groups hold positions in the manifest"
            )


def _place(error: Exception) -> str:
    """The file and line of the rule, and not of a library that it calls, where an error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    first = frames[1] if len(frames) > 1 else frames[0]
    deepest = [frame for frame in frames if frame.filename == first.filename][-1]
    return f"{Path(deepest.filename).name}, line {deepest.lineno}"
