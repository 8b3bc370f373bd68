"""Rules of the audit: what they declare, a user's own beside those of the house, and what is refused of them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overread import auditing, study
from overread.auditing import (
    Audit,
    Finding,
    FindingKind,
    Material,
    Rule,
    audit_manifest,
    draft_plan,
    examine,
    examine_once,
    gather,
    known_codes,
)
from overread.auditing.rules import house_rules
from overread.cases import Manifest
from overread.errors import InvalidData, InvalidOption, RuleFailed
from overread.images import DataSet, Preprocessing
from support.image_files import write_images

CODES = Path(__file__).resolve().parents[1] / "docs" / "reference" / "audit_codes.md"
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)
KIND = FindingKind("small-image", "warn", "an image of fewer than 50 pixels a side")


def small(material: Material, **changes: Any) -> Finding:
    """A finding on every image of fewer than 50 pixels."""
    positions = np.flatnonzero([header.width < 50 for header in material.headers])
    facts = {
        "code": "small-image",
        "severity": "warn",
        "sentence": f"{len(positions)} images are small.",
        "fix": "Export them again.",
        "count": positions.size,
        "evidence": tuple({"image": material.manifest.cases[i].name, "width": np.int64(40)} for i in positions),
        "groups": tuple((i,) for i in positions),
    }
    return Finding(**{**facts, **changes})


def rule(find: Callable[[Material], Any], *kinds: FindingKind) -> Rule:
    return Rule(name="size of the images", kinds=kinds or (KIND,), find=find)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    folder = write_images(tmp_path_factory.mktemp("rules") / "data", {"normal": 6, "ill": 6})
    return study.read_manifest(folder, patient_pattern=r"^\w\d+")


@pytest.fixture(scope="module")
def data_set(manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return DataSet.open(manifest, Preprocessing(height=32, width=32), folder=tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def material(manifest: Manifest, data_set: DataSet) -> Material:
    return gather(manifest, data_set)


def codes(audit: Audit) -> set[str]:
    return {finding.code for finding in audit.findings}


def test_no_two_rules_of_the_house_declare_one_code_and_all_codes_are_known() -> None:
    declared = [code for rule in house_rules() for code in rule.codes]
    assert len(declared) == len(set(declared)) > 50
    assert known_codes() == set(declared)
    assert {"patient-across-splits", "near-duplicate-within-class", "shortcut-header"} <= known_codes()


def test_the_page_of_the_codes_lists_each_with_its_severity_and_meaning() -> None:
    rows = [line for line in CODES.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    kinds = [kind for rule in house_rules() for kind in rule.kinds]
    assert sorted(rows) == sorted(f"| `{kind.code}` | {kind.severity} | {kind.meaning} |" for kind in kinds)


def test_a_rule_of_ones_own_is_asked_besides_those_of_the_house(material: Material) -> None:
    own = rule(lambda material: [small(material)])
    assert known_codes([own]) == known_codes() | {"small-image"}
    result = examine(material, rules=[own])
    assert codes(result) == codes(examine(material)) | {"small-image"}
    (finding,) = (finding for finding in result.findings if finding.code == "small-image")
    assert finding.count == 12 and finding.groups[:2] == ((0,), (1,))
    severities = [finding.severity for finding in result.findings]
    assert severities == sorted(severities, key=["block", "warn", "info"].index)


def test_a_generator_is_as_good_as_a_list_and_nothing_found_is_no_finding(material: Material) -> None:
    def find(material: Material) -> Any:
        yield small(material)

    assert "small-image" in codes(examine(material, rules=[rule(find)]))
    assert examine(material, rules=[rule(lambda material: [])]) == examine(material)


def test_what_numpy_counts_is_written_as_json(material: Material) -> None:
    result = examine(material, rules=[rule(lambda material: [small(material)])])
    assert Audit.from_dict(json.loads(json.dumps(result.to_dict()))) == result


def test_a_recalled_audit_hides_no_rule_of_ones_own(manifest: Manifest, data_set: DataSet) -> None:
    asked = []

    def find(material: Material) -> list[Finding]:
        asked.append(material)
        return [small(material, sentence=f"Asked {len(asked)} times.")]

    assert "small-image" not in codes(examine_once(manifest, data_set))
    for times in (1, 2):
        result = examine_once(manifest, data_set, rules=[rule(find)])
        (finding,) = (finding for finding in result.findings if finding.code == "small-image")
        assert finding.sentence == f"Asked {times} times."
    assert "small-image" not in codes(examine_once(manifest, data_set))


def test_a_finding_of_ones_own_stands_in_the_report_and_in_the_json(manifest: Manifest, tmp_path: Path) -> None:
    own = rule(lambda material: [small(material)])
    result = study.audit(manifest, tmp_path / "out", rules=[own], store=tmp_path / "store")
    assert "small-image" in codes(result)
    assert "12 images are small." in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert '"small-image"' in (tmp_path / "out" / "audit.json").read_text()


@pytest.mark.parametrize(("mending", "kept"), [(None, 12), ("leave-out", 10), ("keep-one", 9), ("one-side", 12)])
def test_a_kind_of_finding_says_what_a_cleaned_manifest_leaves_out(material: Material, mending: Any, kept: int) -> None:
    kind = FindingKind("small-image", "warn", "small", mending)
    own = rule(lambda material: [small(material, groups=((0, 1), (4, 5, 3)))], kind)
    plan = draft_plan(examine(material, rules=[own]), material, rules=[own])
    assert len(plan.kept) == kept
    assert set(plan.dropped.values()) <= {"small-image"}


def test_a_rule_that_fails_is_named_without_what_its_error_quotes(material: Material) -> None:
    def find(material: Material) -> list[Finding]:
        return [{"a": small(material)}["Erika Mustermann"]]

    with pytest.raises(
        RuleFailed, match=r"'size of the images' failed with KeyError in test_audit_rules\.py"
    ) as failure:
        examine(material, rules=[rule(find)])
    assert "Erika" not in str(failure.value)
    assert isinstance(failure.value.__cause__, KeyError)


def test_a_failure_within_a_library_is_placed_in_the_rule(material: Material) -> None:
    with pytest.raises(RuleFailed, match=r"ValueError in test_audit_rules\.py"):
        examine(material, rules=[rule(lambda material: np.stack([]))])


def test_an_error_of_overread_passes_through_a_rule(material: Material) -> None:
    def find(material: Material) -> list[Finding]:
        raise InvalidData("the table of scanners lacks a row")

    with pytest.raises(InvalidData, match="table of scanners"):
        examine(material, rules=[rule(find)])


@pytest.mark.parametrize(
    ("find", "sentence"),
    [
        (lambda material: None, "gave NoneType: it must give a list of Finding objects"),
        (lambda material: ["small-image"], "gave str"),
        (lambda material: [small(material, code="tiny")], "gave the code 'tiny' and declares small-image"),
        (lambda material: [small(material, severity="block")], "severity 'block', graver than the declared 'warn'"),
        (lambda material: [small(material, groups=((0, 12),))], "images below 0 or from 12 on"),
    ],
)
def test_a_rule_is_held_to_what_it_declares(material: Material, find: Callable[..., Any], sentence: str) -> None:
    with pytest.raises(RuleFailed, match=sentence):
        examine(material, rules=[rule(find)])


def test_a_code_that_is_taken_is_refused_before_anything_is_decoded(manifest: Manifest, tmp_path: Path) -> None:
    taken = rule(lambda material: [], FindingKind("very-small", "warn", "small"))
    with pytest.raises(InvalidOption, match="'files' and 'size of the images' both declare the code 'very-small'"):
        audit_manifest(manifest, rules=[taken], folder=tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_what_is_no_list_of_rules_is_refused() -> None:
    own = rule(lambda material: [])
    for wrong in (own, [own.find], "rules"):
        with pytest.raises(InvalidOption, match=r"rules=\[RULE\]"):
            known_codes(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["", "Small", "small image", "small-", "small_image"])
def test_a_code_of_another_form_is_refused(code: str) -> None:
    with pytest.raises(InvalidOption, match="lower case with hyphens"):
        FindingKind(code, "warn", "small")


def test_a_rule_without_codes_or_with_one_twice_is_refused() -> None:
    for kinds in ((), (KIND, KIND)):
        with pytest.raises(InvalidOption, match="declares no code, or one twice"):
            Rule(name="x", kinds=kinds, find=lambda material: [])


def test_no_finding_speaks_of_a_part_of_the_body_that_nobody_measured() -> None:
    body = re.compile(r"\b(lung|chest|skin|breast|brain|bone|heart|retina|organ|lesion|tumou?r|radiograph|consolidat)")
    for path in Path(auditing.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docs = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, _DOCUMENTED)}
        said = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        assert [text for text in said if text not in docs and body.search(text.lower())] == [], path.name
