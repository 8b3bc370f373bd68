"""Layouts in which people have their images, made in code: each is a function of an empty folder."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

from support.layouts import files, folders, reported, sides, tables
from support.layouts.expected import Expected as Expected
from support.layouts.judge import shortcomings as shortcomings

Layout = Callable[[Path], Expected]

LAYOUTS: dict[str, Layout] = {
    name: function
    for module in (folders, tables, sides, files, reported)
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if not name.startswith("_") and function.__module__ == module.__name__
}
