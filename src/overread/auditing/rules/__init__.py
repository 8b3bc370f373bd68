"""The rules of the house: each module or folder here has a `RULE`, and every audit asks all of them."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overread.auditing.rule import Rule


@functools.cache
def house_rules() -> tuple[Rule, ...]:
    """The `RULE` of each module here, by the names of the modules."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__, prefix=f"{__name__}."))
    return tuple(importlib.import_module(name).RULE for name in names)
