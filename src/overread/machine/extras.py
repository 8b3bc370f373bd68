"""Libraries that come with an extra of the package."""

from __future__ import annotations

import importlib.util

from overread.errors import MissingExtra


def require_extra(extra: str, modules: tuple[str, ...]) -> None:
    """Refuse to begin without the libraries of an extra.

    Raises:
        MissingExtra: one of the modules is not installed.
    """
    for module in modules:
        if not is_installed((module,)):
            raise MissingExtra(f"this needs {module}, which is not installed: pip install 'overread[{extra}]'")


def is_installed(modules: tuple[str, ...]) -> bool:
    """Whether all of these modules could be imported; none is."""
    return all(importlib.util.find_spec(module) is not None for module in modules)
