"""The verdict of a page: the whole result in a few sentences, for each kind of task in its own words."""

from overread.report.verdict.chance import near_chance
from overread.report.verdict.compose import caution, design, verdict

__all__ = ["caution", "design", "near_chance", "verdict"]
