"""The exams that a user names: files, folders, patterns, a list on standard input, or a table of files and exams."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from overread.cases.exams.dicom_keys import header_keys
from overread.cases.exams.exam import Exam
from overread.cases.exams.gathering import COLUMN, FILE, FOLDER, PATIENT, PATTERN, SERIES, STUDY, WAYS, Gathering
from overread.cases.folder import LeftOut
from overread.errors import InvalidData, InvalidOption
from overread.formats import Instance
from overread.machine.remote import public_name
from overread.reading.exams.listed import exams_listed, is_table
from overread.reading.sources import find_images
from overread.words import count, listed

_TOLD = (FILE, FOLDER, SERIES, STUDY)


def find_exams(
    sources: str | Path | Iterable[str | Path],
    gathering: Gathering | None = None,
    standard_input: Iterable[str] = (),
    left_out: LeftOut | None = None,
) -> list[Exam]:
    """Expand what was named into exams, in order and without repeats.

    Args:
        sources: one or several, as `find_images` takes them; or tables (CSV) with the columns path and exam_id, whose
            paths are told from the table.
        gathering: which files belong to one exam, such as `Bundle.exams`; by default each file is an exam by itself.
        standard_input: for the source `-`.
        left_out: is told what is no image.

    Raises:
        InvalidData: a folder or pattern holds no image, a table is none of exams, or a file is of no exam.
        InvalidOption: files do not tell what belongs together by this gathering.
    """
    several = isinstance(sources, Iterable) and not isinstance(sources, str)
    named: list[str | Path] = list(sources) if several else [sources]  # type: ignore[arg-type, list-item]
    tables = [source for source in named if is_table(source)]
    others = [source for source in named if not is_table(source)]
    found = [exam for table in tables for exam in exams_listed(Path(table))]
    if others:
        found += gathered(find_images(others, standard_input, left_out), gathering)
    return found


def gathered(paths: Sequence[Path], gathering: Gathering | None = None) -> list[Exam]:
    """Put files together into exams, each in the place of its first file.

    Raises:
        InvalidOption: files do not tell what belongs together by this gathering.
        InvalidData: a file is of no exam.
    """
    by = FILE if gathering is None else gathering.by
    if gathering is None or by == FILE:
        return [Exam(name=public_name(path), instances=(Instance(path),)) for path in paths]
    if by in (COLUMN, PATIENT):
        what = "a column of a table" if by == COLUMN else "its patient"
        raise InvalidOption(
            f"the bundle was trained on exams that {what} tells, and files do not: give a table with the columns path "
            f"and exam_id, or say what is one exam, by --exams {listed(_TOLD, 'or')}, or by --exam-pattern"
        )
    ways: dict[str, Callable[[Sequence[Path]], list[str | None]]] = {
        FOLDER: lambda every: [public_name(path.parent) for path in every],
        SERIES: lambda every: header_keys(every, by),
        STUDY: lambda every: header_keys(every, by),
        PATTERN: lambda every: _matched(every, gathering),
    }
    members: dict[str, list[Path]] = defaultdict(list)
    for path, key in zip(paths, ways[by](paths), strict=True):
        # What no header names is an exam by itself.
        members[key or public_name(path)].append(path)
    is_named = by in (FOLDER, PATTERN)
    return [
        Exam(name=key if is_named else _name(own), instances=tuple(map(Instance, own))) for key, own in members.items()
    ]


def gathering_asked(exams: str | None, pattern: str | None) -> Gathering | None:
    """What a user asks for in place of what the bundle says; None where nothing is said.

    Raises:
        InvalidOption: files do not tell it, or both are given.
    """
    if pattern is not None:
        if exams not in (None, PATTERN):
            raise InvalidOption("--exams and --exam-pattern each say what is one exam: give one of them")
        return Gathering(by=PATTERN, pattern=pattern)
    if exams is None:
        return None
    if exams not in WAYS or exams not in _TOLD:
        raise InvalidOption(f"--exams {exams} is not told by files: expected {listed(_TOLD, 'or')}, or --exam-pattern")
    return Gathering(by=exams)


def _matched(paths: Sequence[Path], gathering: Gathering) -> list[str | None]:
    """What a pattern finds in each path, as in training."""
    names = [gathering.named_in(public_name(path.with_suffix(""))) for path in paths]
    if missed := sum(not name for name in names):
        raise InvalidData(
            f"the pattern of exams does not match {count(missed, 'file')} of {len(names)}: mend --exam-pattern"
        )
    return names


def _name(paths: Sequence[Path]) -> str:
    """Of what headers put together: the only file, or the folder with the first file."""
    if len(paths) == 1:
        return public_name(paths[0])
    return f"{public_name(paths[0])} and {len(paths) - 1} more"
