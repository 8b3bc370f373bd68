"""Tables that lie in or near a folder of images."""

from __future__ import annotations

from pathlib import Path

from overread.cases.folder.left_out import is_junk
from overread.cases.folder.names import doubt_classes, words_of
from overread.machine.files import open_regular
from overread.machine.places import RUN_RECORD, holds_results

_SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".xlsx", ".xlsm"})
# Tables are kept in such files too, which are not read.
_UNREAD = (".xls", ".xlsb", ".ods", ".numbers", ".parquet", ".feather", ".json", ".jsonl", ".pkl", ".sqlite", ".db",
           ".sav", ".dta", ".rds", ".csv.gz", ".tsv.gz", ".csv.zip")  # fmt: skip
# A folder with more holds a table for each image, and none of labels.
_MOST_TABLES = 50
_LARGEST_BYTES = 200_000_000


def tables_near(folder: Path) -> list[Path]:
    """The tables in a folder and its sub-folders, and those beside it that are called like it.

    Beside a folder of a name that says nothing, such as `images`, all tables count.
    """
    children = sorted(child for child in folder.iterdir() if _is_open_folder(child))
    found = [table for place in (folder, *children) for table in _tables_in(place)]
    parent = folder.resolve().parent
    beside = _tables_in(parent) if _is_open_folder(parent) else []
    return found + [table for table in beside if _goes_with(table, folder.resolve())]


def unread_in(folder: Path) -> list[Path]:
    """The files of a folder that tables are kept in too, and that are not read."""
    return sorted(path for path in folder.iterdir() if path.name.lower().endswith(_UNREAD) and not is_junk(path.name))


def _tables_in(folder: Path) -> list[Path]:
    try:
        tables = sorted(path for path in folder.iterdir() if _is_table(path))
    except OSError:
        return []
    return tables if len(tables) <= _MOST_TABLES else []


def _is_table(path: Path) -> bool:
    named = path.suffix.lower() in _SUFFIXES and not is_junk(path.name)
    return named and path.is_file() and path.stat().st_size <= _LARGEST_BYTES and not _is_written_by_us(path)


def _is_written_by_us(path: Path) -> bool:
    """Whether `audit --fix` or `predict` wrote it: what was changed, or what was read in images."""
    if path.suffix.lower() != ".csv":
        return False
    try:
        with open_regular(path) as file:
            return path.name.endswith(".changes.csv") or b",predicted_label," in file.readline(1000)
    except OSError:
        return False


def _is_open_folder(path: Path) -> bool:
    return path.is_dir() and not is_junk(path.name) and not holds_results(path, [RUN_RECORD])


def _goes_with(table: Path, folder: Path) -> bool:
    doubt = doubt_classes({folder.name: 1})
    own = {word for word in words_of(folder.name) if len(word) > 2}
    return (doubt is not None and doubt.is_storage) or bool(own & set(words_of(table.stem)))
