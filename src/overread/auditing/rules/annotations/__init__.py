"""Burned-in annotations: text, single letters, callipers, rulers and grey bars in the pixels, by class and place."""

from overread.auditing.rules.annotations.findings import RULE, find_burned_in

__all__ = ["RULE", "find_burned_in"]
