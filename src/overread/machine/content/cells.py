r"""Cells of a CSV that no spreadsheet takes for a formula, and back.

A cell that begins with `=`, `+`, `-` or `@` is a formula for a spreadsheet, which may send what stands beside it
anywhere. An apostrophe before the sign makes it text (https://owasp.org/www-community/attacks/CSV_Injection). So it
does after whatever a spreadsheet may take for the end of a cell, and through blanks, which it may take away. Numbers
stay as they are.
"""

from __future__ import annotations

import re

# The signs in the width of Chinese characters count likewise where those are written.
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_BREAKS = "\t\r\n\x85\u2028\u2029"
_START = rf"((?:^|[,;|\"{_BREAKS}])[^\S{_BREAKS}]*)"
_FORMULA = re.compile(rf"{_START}('*)(?=[{_SIGNS}])")
_GUARDED = re.compile(rf"{_START}'('*)(?=[{_SIGNS}])")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)")


def guarded(cell: str) -> str:
    """Write an apostrophe before what would begin a formula; `unguarded` takes it back."""
    return cell if _NUMBER.fullmatch(cell) else _FORMULA.sub(r"\1'\2", cell)


def unguarded(cell: str) -> str:
    """Give back what `guarded` was given."""
    return _GUARDED.sub(r"\1\2", cell)
