"""Documents of a study: model card and checklists."""

from overread.report.documents.checklists import checklists
from overread.report.documents.model_card import model_card
from overread.report.documents.statements import CardFacts

__all__ = [
    "CardFacts",
    "checklists",
    "model_card",
]
