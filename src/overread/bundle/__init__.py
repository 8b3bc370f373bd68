"""The bundle: graphs, preprocessing, calibration, operating points, hashes and its own history in one directory."""

from overread.bundle.bundle import Bundle
from overread.bundle.graph import Graph, Outputs
from overread.bundle.member import ATTENTION, GRAPH, REFERENCE, WEIGHTS, Member
from overread.bundle.openings import NO_RESULT, Opening
from overread.bundle.reference import Reference, referral_from

__all__ = [
    "ATTENTION",
    "GRAPH",
    "NO_RESULT",
    "REFERENCE",
    "WEIGHTS",
    "Bundle",
    "Graph",
    "Member",
    "Opening",
    "Outputs",
    "Reference",
    "referral_from",
]
