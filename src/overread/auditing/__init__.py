"""May these data be trained on: what spoils a study, found before it is trained."""

from overread.auditing.audit import UNREADABLE, Audit, audit, examine, examine_once, gather
from overread.auditing.finding import Finding
from overread.auditing.material import Material
from overread.auditing.plan import Plan, draft_plan

__all__ = [
    "UNREADABLE",
    "Audit",
    "Finding",
    "Material",
    "Plan",
    "audit",
    "draft_plan",
    "examine",
    "examine_once",
    "gather",
]
