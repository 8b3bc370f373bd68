"""May these data be trained on: what spoils a study, found before it is trained."""

from overread.auditing.audit import UNREADABLE, Audit, audit_manifest, examine, examine_once, gather
from overread.auditing.brief import brief_lines, gravity, totals
from overread.auditing.finding import Finding, FindingKind, image_row
from overread.auditing.material import Material
from overread.auditing.plan import Plan, draft_plan, mended_codes
from overread.auditing.public import without_names
from overread.auditing.rule import Rule
from overread.auditing.rules import known_codes

__all__ = [
    "UNREADABLE",
    "Audit",
    "Finding",
    "FindingKind",
    "Material",
    "Plan",
    "Rule",
    "audit_manifest",
    "brief_lines",
    "draft_plan",
    "examine",
    "examine_once",
    "gather",
    "gravity",
    "image_row",
    "known_codes",
    "mended_codes",
    "totals",
    "without_names",
]
