"""Documents of a study, in Markdown: the model card that travels with a bundle, and the checklists of its paper.

Both say what `statements` makes of the bundle, its test and the facts of its training run.
"""

from overread.report.documents.checklists import checklists
from overread.report.documents.model_card import model_card
from overread.report.documents.statements import CardFacts

__all__ = [
    "CardFacts",
    "checklists",
    "model_card",
]
