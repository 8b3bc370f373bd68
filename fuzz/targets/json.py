"""JSON of strangers and of ours: what is written is read as it was."""

from __future__ import annotations

from overread.machine.files import from_json, to_json

TOKENS = (b"\\ud800", b"\\\\udc5c", b"\\u0000", b"[[[[", b'{"a":', b"1e999", b"NaN", b"-0", b"true", b"\xe2\x80\xa8")


def one_input(data: bytes) -> None:
    """Write and read a value again; what looks like a sign of ours in it is one from the first time on."""
    try:
        value = from_json(to_json(from_json(data)))
    except ValueError:
        return
    again = from_json(to_json(value))
    assert again == value or repr(again) == repr(value)  # NaN is not itself
