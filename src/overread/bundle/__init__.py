"""The bundle: graphs, preprocessing, calibration, operating points, hashes and its own history in one directory."""

from overread.bundle.bundle import GRAPH, WEIGHTS, Bundle, Member
from overread.bundle.graph import BATCH_SIZE, Graph, Outputs, class_evidence
from overread.bundle.record import Opening, note_in_ledger, now, read_ledger

__all__ = [
    "BATCH_SIZE",
    "GRAPH",
    "WEIGHTS",
    "Bundle",
    "Graph",
    "Member",
    "Opening",
    "Outputs",
    "class_evidence",
    "note_in_ledger",
    "now",
    "read_ledger",
]
