"""The bundle: graphs, preprocessing, calibration, operating points, hashes and its own history in one directory."""

from overread.bundle.bundle import GRAPH, REFERENCE, WEIGHTS, Bundle, Member
from overread.bundle.checklists import checklists
from overread.bundle.graph import BATCH_SIZE, Graph, Outputs, class_evidence
from overread.bundle.model_card import model_card
from overread.bundle.record import Opening, note_in_ledger, now, read_ledger
from overread.bundle.reference import Reference, referral_from
from overread.bundle.statements import CardFacts

__all__ = [
    "BATCH_SIZE",
    "GRAPH",
    "REFERENCE",
    "WEIGHTS",
    "Bundle",
    "CardFacts",
    "Graph",
    "Member",
    "Opening",
    "Outputs",
    "Reference",
    "checklists",
    "class_evidence",
    "model_card",
    "note_in_ledger",
    "now",
    "read_ledger",
    "referral_from",
]
