"""Input that is a regular file, output that is whole or absent, and CSV and JSON of UTF-8, whatever a name holds."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from overread.errors import OutputUnwritable, UnfitFile
from overread.machine.content.cells import guarded, unguarded
from overread.machine.content.text import restored, restored_values, storable, storable_values
from overread.machine.remote import is_remote, write_whole
from overread.machine.temporary import clear, temporary_for

# No table, record or bundle comes near; without it, a file of a terabyte that takes no space would be read to the end.
MAX_FILE_BYTES = 4 * 2**30
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")


def open_regular(path: Path) -> BinaryIO:
    """Open a file that others may have put there: it never waits, as the opening of a named pipe does.

    What was opened is looked at, not what the name stood for before. Links are followed; remote files open as they do.

    Raises:
        UnfitFile: it is a folder, a pipe, a socket or a device.
        FileNotFoundError: nothing is there, or the name is none that a file can have.
        OSError: it may not be opened.
    """
    if is_remote(path):
        return cast(BinaryIO, path.open("rb"))
    try:
        return open(path, "rb", opener=_opened_without_waiting)
    except ValueError:  # a null, or half of a surrogate pair
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None
    except OSError as error:
        # What a socket, or a device without a driver, says.
        if error.errno in (errno.ENXIO, errno.ENODEV, errno.EOPNOTSUPP):
            raise UnfitFile(str(path), "no regular file") from None
        raise


def _opened_without_waiting(name: str, flags: int) -> int:
    descriptor = os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise UnfitFile(name, "a folder" if stat.S_ISDIR(mode) else "no regular file")
    if hasattr(os, "O_NONBLOCK"):
        os.set_blocking(descriptor, True)
    return descriptor


def read_regular(path: Path, *, most: int = MAX_FILE_BYTES) -> bytes:
    """Read the whole of a file, on the conditions of `open_regular`; a remote one is fetched by one request.

    Args:
        path: of the file.
        most: bytes; one that is larger is refused before it is read.

    Raises:
        UnfitFile: it is larger.
    """
    if is_remote(path):
        return path.read_bytes()
    with open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > most:
            limit = f"{most // 2**30} GiB" if most >= 2**30 else f"{most // 2**20} MiB"
            raise UnfitFile(str(path), f"larger than {limit}")
        return stream.read(size)


def open_text(path: Path) -> TextIO:
    """Open a CSV of UTF-8 for `read_rows`, on the conditions of `open_regular`."""
    return io.TextIOWrapper(open_regular(path), encoding="utf-8", newline="")


def replace_file(path: Path, content: bytes, *, private: bool = False) -> Path:
    """Write a file under a temporary name and rename it, so that a reader sees the old one or the new one whole.

    Args:
        path: of the file.
        content: of it.
        private: only the user may read it.

    Raises:
        OutputUnwritable: no permission, no such folder or no space left.
    """
    try:
        if is_remote(path):
            write_whole(path, content)
            return path
        with replacing(path) as temporary:
            temporary.touch(mode=0o600 if private else 0o666)
            temporary.write_bytes(content)
    except OSError as error:
        raise OutputUnwritable(
            f"{path} cannot be written ({error.strerror}): give a folder that exists, is writable and has space left"
        ) from error
    return path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file of this machine to write to, which takes the place of another when all went well.

    Raises:
        OSError: it cannot be written, or not be brought to where it belongs.
    """
    with contextlib.ExitStack() as stack:
        if is_remote(path):
            temporary = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "content"
            yield temporary
            write_whole(path, temporary)
            return
        temporary = temporary_for(path)
        stack.callback(clear, temporary)
        yield temporary
        temporary.replace(path)


def write_text(path: Path, text: str) -> Path:
    """Write a text for people whole; what no file can hold is escaped as it is where it is shown."""
    return replace_file(path, text.encode("utf-8", "backslashreplace"))


def write_json(path: Path, value: Any, *, private: bool = False) -> Path:
    """Write a JSON file whole; a private one only the user may read."""
    return replace_file(path, (to_json(value, indent=2) + "\n").encode(), private=private)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]], *, private: bool = False) -> Path:
    """Write a CSV file whole; a private one only the user may read."""
    content = io.StringIO()
    write_rows(content, [header, *rows])
    return replace_file(path, content.getvalue().encode(), private=private)


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Give JSON values as text on one line, or indented; `from_json` gives them back."""
    text = json.dumps(storable_values(value), indent=indent, ensure_ascii=False)
    # Some readers of JSON lines take these for ends of lines.
    return _LINE_ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def from_json(text: str | bytes) -> Any:
    """Read what `to_json` wrote.

    Raises:
        ValueError: it is no JSON, or no UTF-8, or a thousand brackets deep.
    """
    try:
        return restored_values(json.loads(text))
    except RecursionError:
        raise ValueError("values lie too deep in each other") from None


def write_rows(stream: TextIO, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows of a CSV, in which no spreadsheet finds a formula; `read_rows` reads them back."""
    bare, quoted = (csv.writer(stream, lineterminator="\n", quoting=how) for how in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    for row in rows:
        cells = ["" if cell is None else guarded(storable(str(cell))) for cell in row]
        # Before Python 3.13 a carriage return is left bare, and ends the row for who reads it.
        (quoted if any("\r" in cell for cell in cells) else bare).writerow(cells)


def read_rows(stream: Iterable[str], **dialect: Any) -> Iterator[list[str]]:
    """Read rows of a CSV, opened with `newline=""`, that `write_rows` or another program wrote.

    Args:
        stream: the file; its lines need not be rows.
        dialect: as `csv.reader` takes it.
    """
    for row in csv.reader(stream, **dialect):
        yield [restored(unguarded(cell)) for cell in row]


def require_space(folder: Path, needed: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises:
        OutputUnwritable: fewer bytes are free in the folder than needed.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OutputUnwritable(
            f"{folder} has {free / 1e6:,.0f} MB free and the run needs {needed / 1e6:,.0f} MB: free some or choose "
            "another --out"
        )
