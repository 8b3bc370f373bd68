"""Names of files, classes and columns, of any bytes: shown without harm, and stored so that they come back."""

from __future__ import annotations

import io
import os

from overread.machine.content.text import restored, storable, with_ends
from overread.machine.files import from_json, read_rows, to_json, write_rows
from overread.machine.terminal import shown

TOKENS = (
    b"\\udc5c",
    b"\\udcff",
    b"\\ud800",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"\xe2\x80\xa8",
    b"\x1b[2J",
    b"\r\n",
    b'"',
)


def one_input(data: bytes) -> None:
    """Show and store one name."""
    name = os.fsdecode(data)
    assert not any(control in shown(name) for control in "\x1b\r\n\0\N{RIGHT-TO-LEFT OVERRIDE}")
    storable(name).encode()
    assert restored(storable(name)) == name
    assert from_json(to_json({name: [name, 1]})) == {name: [name, 1]}
    if "\0" not in name:  # which no file's name holds, and before Python 3.13 no CSV
        stream = io.StringIO(newline="")
        write_rows(stream, [[name, with_ends(name)], ["", name]])
        stream.seek(0)
        assert [row[0] for row in read_rows(stream)] == [name, ""]
