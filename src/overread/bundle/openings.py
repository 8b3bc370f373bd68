"""How often labelled sets were opened with a bundle: a chained and sealed record that the bundle carries.

Choices that are made after a test set was read leak into it. The record cannot prevent that, but makes it visible, as
does the ledger of this machine in `test_side`.

A line is an opening and the hash of the line before it, the first that of its bundle. The last line is the seal: how
many there are, and a hash over the bundle and all bytes before. So a changed, added or missing byte is noticed wherever
it stands; not that the whole record was put back to what it once was, or written anew by who makes the hashes, too.
Bundles of format 3 have no seal.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
from collections.abc import Iterable

from overread.errors import InvalidBundle, InvalidData
from overread.machine.clock import now
from overread.machine.files import from_json

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

    Raises:
        InvalidData: a value is none of these.
    """

    data: str
    n: int
    result: str
    study: str
    time: str = dataclasses.field(default_factory=now)

    def __post_init__(self) -> None:
        texts = (self.data, self.result, self.study)
        if not all(isinstance(text, str) for text in texts) or type(self.n) is not int or self.n < 0:
            raise InvalidData("an evaluation has texts and a count: evaluate again")
        check_time(self.time)


def check_time(time: object) -> None:
    """Refuse what is no moment in ISO 8601.

    Raises:
        InvalidData: it is none.
    """
    try:
        datetime.datetime.fromisoformat(str(time))
    except ValueError:
        raise InvalidData("a time is not in ISO 8601: expected one such as 2026-11-29T10:17:43+00:00") from None


def write_openings(openings: Iterable[Opening], *, origin: str, sealed: bool) -> bytes:
    """The record of evaluations, oldest first.

    Args:
        openings: of the bundle.
        origin: its fingerprint.
        sealed: whether a last line seals it.
    """
    lines: list[bytes] = []
    previous = origin
    for opening in openings:
        lines.append(json.dumps({**dataclasses.asdict(opening), "previous": previous}).encode())
        previous = hashlib.sha256(lines[-1]).hexdigest()
    content = b"".join(line + b"\n" for line in lines)
    return content + _seal(content, len(lines), origin) if sealed else content


def read_openings(content: bytes, *, origin: str, sealed: bool) -> tuple[Opening, ...]:
    """The evaluations of a record, oldest first.

    Raises:
        InvalidBundle: a byte of it was changed, added or removed; without a seal, of another line than the last.
    """
    lines = content.splitlines()
    if sealed:
        *lines, seal = lines or [b""]
        if content != b"".join(line + b"\n" for line in lines) + _seal(content[: -len(seal) - 1], len(lines), origin):
            raise InvalidBundle(f"{RECORD} of the bundle was altered or damaged: get the bundle again from its source")
    openings, previous = [], origin
    for line in lines:
        try:
            fields = from_json(line)
            if fields.pop("previous") != previous:
                raise InvalidBundle("the chain is broken")
            openings.append(Opening(**fields))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise InvalidBundle(
                f"line {len(openings) + 1} of {RECORD} in the bundle was altered: get the bundle again from its source"
            ) from None
        previous = hashlib.sha256(line).hexdigest()
    return tuple(openings)


def _seal(content: bytes, count: int, origin: str) -> bytes:
    sha256 = hashlib.sha256(origin.encode() + b"\n" + content).hexdigest()
    return json.dumps({"evaluations": count, "sha256": sha256}).encode() + b"\n"
