"""Which DICOM files are of one series or study: by the UIDs of their headers, which are hashed and never shown."""

from __future__ import annotations

import hashlib
import posixpath
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from overread.cases.case import Case
from overread.cases.exams.gathering import SERIES, STUDY
from overread.errors import InvalidData
from overread.formats.dicom import is_dicom
from overread.formats.dicom.header import read_uid
from overread.machine.workers import in_order
from overread.words import count

_KEYWORDS = {SERIES: "SeriesInstanceUID", STUDY: "StudyInstanceUID"}
_THREADS = 4
# Files that lie side by side are looked at before all are: of radiographs each is a series of its own.
_PROBED = 64


def header_keys(paths: Sequence[Path], by: str) -> list[str | None]:
    """What tells the series or the study of each file, the same for those of one.

    Args:
        paths: of files.
        by: "series" or "study".

    Returns:
        Hashes; None for what is no DICOM file, or names none.
    """

    def key(path: Path) -> str | None:
        uid = read_uid(path, _KEYWORDS[by]) if is_dicom(path) else None
        return uid and hashlib.blake2b(uid.encode(), digest_size=6, person=b"overread").hexdigest()

    return list(in_order(key, paths, _THREADS))


def names_by_header(cases: Sequence[Case], by: str) -> list[str]:
    """Name the exam of each image by the folder that holds its series or study, and no other; else by a hash too.

    Raises:
        InvalidData: of some images none is known.
    """
    keys = header_keys([case.path for case in cases], by)
    if None in keys:
        missing = keys.count(None)
        raise InvalidData(
            f"exams are by {by}, which DICOM headers tell, and of {missing:,} of {count(len(keys), 'image')} none is "
            f"known, the first in case {keys.index(None) + 1}: gather exams otherwise (--exams folder, --exam-pattern)"
        )
    folders: dict[str, set[str]] = defaultdict(set)
    for key, case in zip(keys, cases, strict=True):
        folders[key or ""].add(posixpath.dirname(case.name))
    shared = {key: posixpath.commonpath(sorted(own)) if "" not in own else "" for key, own in folders.items()}
    users = Counter(folder for own in folders.values() for folder in own) | Counter(shared.values())
    names = {
        key: folder if folder and users[folder] == 1 else posixpath.join(folder, f"{by}-{key}")
        for key, folder in shared.items()
    }
    return [names[key or ""] for key in keys]


def suggest_series(cases: Sequence[Case]) -> tuple[str, ...]:
    """Say of DICOM files that are read one by one that several are of one series, where that is so."""
    paths = [case.path for case in cases if not case.instances and case.frame is None]
    probed = [key for key in header_keys(paths[:_PROBED], SERIES) if key]
    if len(set(probed)) == len(probed):
        return ()
    keys = [key for key in header_keys(paths, SERIES) if key]
    series = len(set(keys))
    return (
        f"{count(len(keys), 'DICOM file')} belong to {series:,} series, and each is read by itself: --exams series "
        "reads each series as one exam, its slices in true order",
    )
