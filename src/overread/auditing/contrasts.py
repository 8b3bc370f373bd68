"""What images are compared by: each class against the rest, each finding or clinical cut where the label tells it."""

from __future__ import annotations

import dataclasses

from overread.auditing.wording import told_as
from overread.cases import Manifest
from overread.decision import BoolArray, Task


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Contrast:
    """A question put to the images: which answer it with yes and which with no, and what either are called.

    Args:
        name: of the class, finding or cut.
        called: it in a sentence, such as "NORMAL", "Effusion", "grade 2 or more".
        against: what it is told from, such as "the other classes", "its absence", "lower grades".
        of_yes: which images are meant by a yes, such as "of NORMAL", "with Effusion", "of grade 2 or more".
        of_no: likewise by a no, such as "of the other classes", "without Effusion", "of lower grades".
        yes: `(n,)` images whose label answers with yes.
        no: `(n,)` likewise with no; where neither holds, the label does not tell.
    """

    name: str
    called: str
    against: str
    of_yes: str
    of_no: str
    yes: BoolArray
    no: BoolArray

    @property
    def known(self) -> BoolArray:
        """`(n,)` images whose label tells the answer."""
        return self.yes | self.no


def compared_by(task: Task) -> tuple[str, ...]:
    """The names of the contrasts: every class where none has more to do with one than with another, else the judged."""
    return task.classes if task.exclusive and not task.ordered else task.judged


def contrasts_of(manifest: Manifest) -> tuple[Contrast, ...]:
    """Every one by which the images are compared."""
    task, y_true = manifest.task, manifest.y_true
    found = []
    for name in compared_by(task):
        yes = task.shows(y_true, name)
        against, of_yes, of_no = _words(task, name)
        found.append(
            Contrast(
                name=name, called=told_as(task, name), against=against, of_yes=of_yes, of_no=of_no,
                yes=yes, no=task.known(y_true, name) & ~yes,
            )
        )  # fmt: skip
    return tuple(found)


def _words(task: Task, name: str) -> tuple[str, str, str]:
    """What it is told from, which images are meant by a yes, and which by a no."""
    if not task.exclusive:
        return "its absence", f"with {name}", f"without {name}"
    others = [other for other in task.classes if other != name]
    rest = others[0] if len(others) == 1 else "the other classes"
    if task.ordered:
        rest = f"lower {task.noun[1]}"
    return rest, f"of {told_as(task, name)}", f"of {rest}"
