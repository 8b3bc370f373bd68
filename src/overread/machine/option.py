"""A field of a dataclass that is at once an option of the command line: both read its text, type and default here."""

from __future__ import annotations

import dataclasses
from typing import Any


def option(default: Any, text: str, *, panel: str, flag: str | None = None, kind: Any = None) -> Any:
    """Declare a field that the command line offers too.

    Args:
        default: of the field.
        text: what it means, in a sentence that is shown as help.
        panel: the heading that it stands under in the help.
        flag: such as `--from`, or several with blanks between; by default made of the name of the field.
        kind: the type of its value on the command line; by default the type of the field.
    """
    return dataclasses.field(default=default, metadata={"text": text, "panel": panel, "flag": flag, "kind": kind})
