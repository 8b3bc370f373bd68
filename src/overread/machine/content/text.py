r"""Text that every file can hold: names of files and classes may be no Unicode, and are given back as they were.

Python reads a byte of a name that is no UTF-8, as in a GBK archive unpacked on Linux, as a lone surrogate, which no
UTF-8 file can hold. All that overread writes for programs (CSV, JSON, databases, hashes) holds the six characters
`\udcXX` in its place. Two that stand for no byte of a name are signs: `\udc5c` is the backslash of a name that holds
such a group itself, and `\udc00` holds blanks at an end. So every file is UTF-8 that anything opens, and what is read
back names the file again. Text without these is written as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_UNSTORABLE = re.compile(r"\\(?=ud[89a-f][0-9a-f]{2})|[\ud800-\udfff]")
_STORED = re.compile(r"\\u(d[89a-f][0-9a-f]{2})")
_SIGNS = {"dc5c": "\\", "dc00": ""}
_END = "\udc00"


def storable(text: str) -> str:
    r"""Write lone surrogates as `\udcXX`, so that the text can be encoded; `restored` takes it back."""
    return _UNSTORABLE.sub(_as_stored, text)


def restored(text: str) -> str:
    """Give back what `storable` was given."""
    return _STORED.sub(_as_given, text)


def with_ends(text: str) -> str:
    """Have the blanks at the ends of a cell outlast readers of tables, which take them away, once it is stored."""
    before, after = (_END if text != stripped else "" for stripped in (text.lstrip(), text.rstrip()))
    return f"{before}{text}{after}"


def storable_values(value: Any) -> Any:
    """Make every text in JSON values storable, keys among them."""
    return _in_all_texts(storable, value)


def restored_values(value: Any) -> Any:
    """Give back the JSON values that `storable_values` was given."""
    return _in_all_texts(restored, value)


def _as_stored(found: re.Match[str]) -> str:
    return r"\udc5c" if found[0] == "\\" else f"\\u{ord(found[0]):04x}"


def _as_given(found: re.Match[str]) -> str:
    return _SIGNS.get(found[1], chr(int(found[1], 16)))


def _in_all_texts(change: Callable[[str], str], value: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {_in_all_texts(change, name): _in_all_texts(change, each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_in_all_texts(change, each) for each in value]
    return value
