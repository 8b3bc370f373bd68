"""What headers say of the files of a study, as columns, and how a finding on some of the files is put into words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from overread.auditing.contrasts import contrasts_of
from overread.auditing.finding import Finding, Severity, image_row
from overread.auditing.material import Material
from overread.auditing.wording import worded
from overread.formats import Header

# Three standard errors and twice the odds: chance does not reach the first, nor a trifle in much data the second.
_STANDARD_ERRORS, _ODDS = 3.0, 2.0
_MOST_ROWS, _MOST_CLASSES = 50, 6


class FileTable:
    """The headers of a study as columns; makes the findings on some of its files."""

    def __init__(self, material: Material) -> None:
        self.headers, self.cases = material.headers, material.manifest.cases
        self.failures, self.task = material.failures, material.manifest.task
        self.questions = contrasts_of(material.manifest)
        self._yes, self._no = (
            np.stack([getattr(question, answer) for question in self.questions], axis=1) for answer in ("yes", "no")
        )
        self.has_patients = material.manifest.has_patients
        names, self._patient = np.unique([case.counts_as for case in self.cases], return_inverse=True)
        self.patients = len(names)
        self.width = np.array([header.width for header in self.headers])
        self.height = np.array([header.height for header in self.headers])
        self.is_exam = np.array([bool(case.instances) for case in self.cases], bool)
        # An exam may have as many as it likes.
        self.frames = np.where(self.is_exam, 1, [header.frames for header in self.headers])
        self.failed = np.zeros(len(self.headers), bool)
        self.failed[list(self.failures)] = True
        self.known = (self.width > 0) & (self.height > 0) & ~self.failed

    def where(self, holds: Callable[[Header], bool]) -> np.ndarray:
        """`(n,)` whether a file is read and its header has a property."""
        return self.known & np.array([holds(header) for header in self.headers])

    def size(self, position: int) -> str:
        """Such as "640 x 480"."""
        return f"{self.width[position]} x {self.height[position]}"

    def finding(
        self,
        code: str,
        mask: np.ndarray,
        *,
        severity: Severity | None = None,
        what: str,
        fix: str,
        cell: Callable[[int], str],
    ) -> Finding | None:
        """A finding on the files of a mask; None when there are none.

        Args:
            code: of the finding.
            mask: `(n,)` the files that it concerns, each of which becomes a group of its own.
            severity: None decides on warn where they go with the class and info otherwise.
            what: continues "12 of 5,856 images" to a whole sentence.
            fix: of the finding.
            cell: from a position to what is the matter with that file.
        """
        positions = np.flatnonzero(mask).tolist()
        if not positions:
            return None
        goes_with_class = self.goes_with_class(mask)
        lead = "This goes with the {class}, so a network may learn it instead:" if goes_with_class else "By {class}:"
        return Finding(
            code=code,
            severity=severity or ("warn" if goes_with_class else "info"),
            sentence=f"{len(positions):,} of {len(mask):,} images {what} {worded(lead, self.task)} "
            f"{self.by_class(mask)}.",
            fix=worded(fix, self.task),
            count=len(positions),
            evidence=tuple(image_row(self.cases[i], what=cell(i)) for i in positions[:_MOST_ROWS]),
            groups=tuple((i,) for i in positions),
        )

    def mixed(self, code: str, mask: np.ndarray, *, words: tuple[str, str], why: str, fix: str) -> Finding | None:
        """A finding on the rarer of two kinds of file; `words` name those in the mask and the others."""
        other = self.known & ~mask
        if not mask.any() or not other.any():
            return None
        is_rarer = np.count_nonzero(mask) <= np.count_nonzero(other)
        rarer, (name, remaining) = (mask, words) if is_rarer else (other, words[::-1])

        def stored(i: int) -> str:
            return f"{self.headers[i].format} {self.headers[i].mode}, {self.headers[i].bit_depth} bits"

        return self.finding(code, rarer, what=f"are stored {name}, the others {remaining}; {why}", fix=fix, cell=stored)

    def by_class(self, mask: np.ndarray) -> str:
        """Such as "NORMAL 3 of 1,583, PNEUMONIA 9 of 4,273"; of many those with the largest shares."""
        found, total = self._counts(mask)
        order = range(len(found))
        if len(found) > _MOST_CLASSES:
            order = np.argsort(-found / np.maximum(total, 1), kind="stable")[:_MOST_CLASSES].tolist()
        listed = ", ".join(f"{self.questions[i].name} {found[i]:,} of {total[i]:,}" for i in order)
        if len(order) == len(found):
            return listed
        if not self.task.exclusive:
            return f"above all {listed}"
        return f"{listed} and {found.sum() - found[order].sum():,} of other classes"

    def goes_with_class(self, mask: np.ndarray) -> bool:
        """Whether the share of these files differs between one class, finding or cut and the rest, by patient."""
        found, total = self._counts(mask)
        others, rest = self._no[mask].sum(axis=0), self._no.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            gap = found / total - others / rest
            # What each image adds to the gap, summed by patient: the images of one go together.
            apart = mask[:, None] - (found + others) / (total + rest)
            weight = np.where(self._yes, 1 / total, np.where(self._no, -1 / rest, 0)) * apart
            by_patient = np.zeros((self.patients, weight.shape[1]))
            np.add.at(by_patient, self._patient, weight)
            score = np.abs(gap) / np.sqrt(np.square(by_patient).sum(axis=0))
        odds = (found + 0.5) * (rest - others + 0.5) / ((total - found + 0.5) * (others + 0.5))
        return bool(np.any((score >= _STANDARD_ERRORS) & (np.maximum(odds, 1 / odds) >= _ODDS)))

    def _counts(self, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._yes[mask].sum(axis=0), self._yes.sum(axis=0)
