"""An audit as others may read it."""

from __future__ import annotations

import dataclasses

from overread.auditing.audit import Audit
from overread.auditing.finding import Finding
from overread.cases import PublicNames


def without_names(audit: Audit, names: PublicNames) -> Audit:
    """Give the same audit with the numbers of images in place of their names, which may name patients."""
    return dataclasses.replace(audit, findings=tuple(_numbered(found, names) for found in audit.findings))


def _numbered(found: Finding, names: PublicNames) -> Finding:
    rows = tuple({name: names.hide(cell) for name, cell in row.items()} for row in found.evidence)
    return dataclasses.replace(found, sentence=names.hide(found.sentence), fix=names.hide(found.fix), evidence=rows)
