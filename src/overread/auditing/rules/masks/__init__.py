"""Masks: images that somebody drew or drew upon, found by their names, grey levels and coloured marks."""

from overread.auditing.rules.masks.findings import RULE, find_masks

__all__ = ["RULE", "find_masks"]
