"""Privacy: traces of persons in headers and paths, counted without showing one."""

from overread.auditing.rules.privacy.findings import RULE, find_personal_data

__all__ = ["RULE", "find_personal_data"]
