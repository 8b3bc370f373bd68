"""Places and addresses as a user, a table or a list on standard input names them."""

from __future__ import annotations

import os

from overread.errors import OverreadError
from overread.machine.remote import is_remote, place, public_name
from overread.machine.terminal import shown

TOKENS = (b"s3://", b"https://", b"file://", b"zip://", b"::", b"memory://", b"u:hunter2@", b"?sig=", b"%00", b"[::1]")
_PASSWORD = "://u:hunter2@"


def one_input(data: bytes) -> None:
    """Take one for a path, and see what is told of it."""
    name = os.fsdecode(data)
    try:
        found = place(name)
    except OverreadError as error:
        assert _PASSWORD not in str(error)
        return
    assert not (is_remote(name) and _PASSWORD in name)
    shown(public_name(found))
