"""How often labelled sets were opened with a bundle: a chained record that the bundle carries.

Choices that are made after a test set was read leak into it. The record cannot prevent that, but makes it visible, as
does the ledger of this machine in `test_side`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json

from overread.errors import InvalidBundle
from overread.machine.clock import now

RECORD = "evaluations.jsonl"
# Of a set that was read and whose metrics then failed.
NO_RESULT = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Opening:
    """One evaluation on a labelled set.

    Args:
        data: SHA-256 over content and label of its images, in any order.
        n: the number of images.
        result: SHA-256 of the metrics, or `NO_RESULT`.
        study: the training run that the bundle came from.
        time: in UTC, ISO 8601.
    """

    data: str
    n: int
    result: str
    study: str
    time: str = dataclasses.field(default_factory=now)


def append_opening(content: bytes, opening: Opening, *, origin: str) -> bytes:
    """A record with one line more; each line holds the hash of the one before it, the first that of its bundle."""
    previous = hashlib.sha256(content.splitlines()[-1]).hexdigest() if content else origin
    line = json.dumps({**dataclasses.asdict(opening), "previous": previous}) + "\n"
    return content + line.encode()


def read_openings(content: bytes, *, origin: str) -> tuple[Opening, ...]:
    """The evaluations of a record, oldest first.

    Raises:
        InvalidBundle: a line was changed, removed from the middle or added by hand.
    """
    openings, previous = [], origin
    for line in content.splitlines():
        try:
            fields = json.loads(line)
            if fields.pop("previous") != previous:
                raise InvalidBundle("the chain is broken")
            openings.append(Opening(**fields))
        except (InvalidBundle, ValueError, TypeError, KeyError, AttributeError):
            raise InvalidBundle(
                f"line {len(openings) + 1} of {RECORD} in the bundle was altered: get the bundle again from its source"
            ) from None
        previous = hashlib.sha256(line).hexdigest()
    return tuple(openings)
