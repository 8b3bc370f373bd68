"""Files: which cannot be read, are not what their names say, or are stored otherwise than their fellows."""

from overread.auditing.rules.files.findings import RULE, find_file_problems

__all__ = ["RULE", "find_file_problems"]
