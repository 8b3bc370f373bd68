"""The bundle: graphs, preprocessing, calibration, operating points, hashes and its own history in one directory."""

from overread.bundle.bundle import GRAPH, REFERENCE, WEIGHTS, Bundle, Member
from overread.bundle.graph import Graph, Outputs
from overread.bundle.openings import NO_RESULT, Opening
from overread.bundle.reference import Reference, referral_from

__all__ = [
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
