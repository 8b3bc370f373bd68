"""Shortcuts: properties of the files, such as their size or border, that tell the class without the disease."""

from overread.auditing.rules.shortcuts.findings import RULE, find_shortcuts

__all__ = ["RULE", "find_shortcuts"]
