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
        if importlib.util.find_spec(module) is None:
            raise MissingExtra(f"this needs {module}, which is not installed: pip install 'overread[{extra}]'")
