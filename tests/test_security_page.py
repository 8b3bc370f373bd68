"""The page on security promises nothing that no test holds."""

from __future__ import annotations

import re

from support.doc_pages import DOCS, ROOT

NAMED = re.findall(r"`(test_\w+\.py)::(test_\w+)`", (DOCS / "security.md").read_text(encoding="utf-8"))


def test_every_test_that_the_page_names_is_there() -> None:
    assert len(NAMED) >= 30
    for file, name in NAMED:
        assert f"def {name}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), f"{file}::{name}"
