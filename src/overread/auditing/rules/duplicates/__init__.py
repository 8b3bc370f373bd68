"""Copies: images that show the same picture, found by their bytes, their pixels and their look."""

from overread.auditing.rules.duplicates.findings import RULE, find_duplicates

__all__ = ["RULE", "find_duplicates"]
