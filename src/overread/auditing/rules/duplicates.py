"""Duplicates: the same picture twice, in one class or two, on one side of the split or two, of one patient or two."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from overread.auditing.contradictions import labels_contradict, said_of_contradictions
from overread.auditing.finding import Finding, FindingKind, Mending, Severity, image_row
from overread.auditing.material import Material
from overread.auditing.rule import Rule
from overread.auditing.rules.masks.recognise import recognise_masks
from overread.auditing.wording import worded
from overread.cases import Manifest, pseudonym
from overread.cases.leaks import said_of_leaks
from overread.images.copies import Copies, Group, find_copies, long_chains
from overread.words import count

_EXACT = "identical images (the same file or the same pixels)"
_NEAR = "near-identical images (resized, re-encoded, mirrored, turned, cropped, negative, bent, brighter or darker)"
_MOST_GROUPS = 50


@dataclasses.dataclass(frozen=True)
class _Words:
    """How grave it is, what it means, what to do about it, and what a cleaned manifest does."""

    severity: Severity
    meaning: str
    fix: str
    mending: Mending | None


@dataclasses.dataclass(frozen=True)
class _Relation:
    """How the images of a group stand to one another: in short, and what is said where they are identical or near.

    None is said where only near copies stand so. Where cases show any number of findings it may be put otherwise.
    """

    name: str
    where: str
    exact: _Words | None
    near: _Words
    where_of_findings: str = ""


# From the gravest to the least; a group is reported under the first that fits.
_ACROSS_CLASSES = _Relation(
    "across-classes",
    "with different labels",
    _Words(
        "block",
        "carry different labels: unless the labels tell more than the picture shows, at least one of each is wrong, "
        "and the network would learn a contradiction",
        "Let an expert decide which label is right and keep one copy with it; a cleaned table leaves all copies out.",
        "keep-one",
    ),
    _Words(
        "block",
        "carry different labels: unless the labels tell more than the picture shows, at least one of each group is "
        "wrong, and the network would learn a contradiction",
        "Let an expert decide which label is right and give it to all of the group; a cleaned table leaves the group "
        "out.",
        "keep-one",
    ),
)
_CHANGING = _Relation(
    "changing",
    "of one patient and side, with different labels",
    None,
    _Words(
        "warn",
        "are of one patient and on one side, and carry different labels: in a film around the moment when something "
        "comes into view all may be right; of copies of one picture at least one is wrong",
        "Look at each group, and correct the labels that are wrong.",
        None,
    ),
)
_ACROSS_SPLITS = _Relation(
    "across-splits",
    "on more than one side of the split",
    _Words(
        "block",
        "stand on more than one side of the split",
        "Keep each picture on one side only: leave out the copies in train of what is in val or test, and in val of "
        "what is in test.",
        "keep-one",
    ),
    _Words(
        "block",
        "stand on more than one side of the split",
        "Move each group to one side, together with the patients in it; none of the images needs leaving out.",
        "one-side",
    ),
)
_ACROSS_PATIENTS = _Relation(
    "across-patients",
    "under different patients",
    _Words(
        "warn",
        "stand under different patients: unless these merely look alike, a file was copied under another name or a "
        "patient id is wrong; sides that are carved keep the patients who share a picture together",
        "Find out whose picture it is, correct the id and keep one copy.",
        "keep-one",
    ),
    _Words(
        "warn",
        "stand under different patients: unless these merely look alike, a patient id is wrong; sides that are carved "
        "keep the patients who share a picture together",
        "Find out whose picture it is, and correct the id.",
        None,
    ),
)
_WITHIN_CLASS = _Relation(
    "within-class",
    "of one class, of which not each names its patient",
    _Words(
        "warn",
        "have {the same label}, but not each names its patient: sides that are carved keep copies together, but "
        "other images of their patients may be on another, and a picture that counts twice makes the intervals "
        "narrower than they are",
        "Keep one copy of each picture, and name the patients.",
        "keep-one",
    ),
    _Words(
        "warn",
        "have {the same label}, but not each names its patient: sides that are carved keep each group together, but "
        "other images of their patients may be on another, and intervals take each image for a patient of its own, so "
        "that they look narrower than they are",
        "Name the patients; none of the images needs leaving out.",
        None,
    ),
    "with labels that agree, of which not each names its patient",
)
_WITHIN_PATIENT = _Relation(
    "within-patient",
    "of one patient, class and side",
    _Words(
        "warn",
        "belong to one patient, one {label} and one side: nothing leaks, but each picture counts more than once",
        "Keep one copy of each picture.",
        "keep-one",
    ),
    _Words(
        "info",
        "belong to one patient, one {label} and one side, as neighbouring frames of a film do: nothing leaks, and "
        "intervals count patients",
        "Nothing needs doing.",
        None,
    ),
    "of one patient and side, with labels that agree",
)
_RELATIONS = (_ACROSS_CLASSES, _CHANGING, _ACROSS_SPLITS, _ACROSS_PATIENTS, _WITHIN_CLASS, _WITHIN_PATIENT)


def find_duplicates(material: Material) -> list[Finding]:
    """Find images that are there more than once, and images that show nothing.

    Copies are joined into groups, so that three copies are one group and not three pairs; near copies that pass into
    one another, as the frames of a film do, are cut where the picture changes. A group is reported once, under the
    gravest relation among its images. Blank images are copies of one another only if their files are, and
    masks, which are a finding of their own and mostly alike, are not looked at.

    Returns:
        Findings of the codes `duplicate-R` and `near-duplicate-R` with R one of `across-classes`, `across-splits`
        (block), `across-patients`, `within-class` (warn) and `within-patient` (warn, near ones info);
        `near-duplicate-changing` and `blank-image` (warn).
    """
    copies = material.once(copies_of)
    found = duplicates_among(material.manifest, copies, masks=material.once(recognise_masks))
    return [*found, *_blank(material.manifest, copies.blank)]


def copies_of(material: Material) -> Copies:
    """The copies among the images, or the overviews of exams; `Material.once` keeps them for rules that share them."""
    return find_copies(material.data_set, lambda: material.headers)


def duplicates_among(manifest: Manifest, copies: Copies, *, masks: Collection[int] = ()) -> list[Finding]:
    """The findings on copies alone.

    Args:
        manifest: whose positions the copies are.
        copies: what was found.
        masks: positions that are not looked at.
    """
    exact, alike = (
        [pictures for group in groups if len(pictures := tuple(i for i in group if i not in masks)) > 1]
        for groups in (copies.exact, copies.near)
    )
    return [
        finding
        for relation in _RELATIONS
        for near, groups in ((False, exact), (True, alike))
        if (finding := _finding(manifest, copies, relation, groups, near=near))
    ]


def _kind(relation: _Relation, words: _Words, what: str) -> FindingKind:
    of_findings = f"{what} {relation.where_of_findings}" if relation.where_of_findings else ""
    code = f"{'near-' * (words is relation.near)}duplicate-{relation.name}"
    return FindingKind(code, words.severity, f"{what} {relation.where}", words.mending, of_findings)


RULE = Rule(
    name="duplicates",
    kinds=(
        *(_kind(relation, relation.exact, "identical images") for relation in _RELATIONS if relation.exact),
        *(_kind(relation, relation.near, "near-identical images") for relation in _RELATIONS),
        FindingKind("blank-image", "warn", "an image without any detail"),
    ),
    find=find_duplicates,
)


def _finding(
    manifest: Manifest, copies: Copies, relation: _Relation, groups: Sequence[Group], *, near: bool
) -> Finding | None:
    words = relation.near if near else relation.exact
    groups = [group for group in groups if _relation(manifest, group, near=near) is relation]
    if words is None or not groups:
        return None
    images = sum(len(group) for group in groups)
    sentence = f"{count(len(groups), 'group')} of {_NEAR if near else _EXACT}, {images:,} images in all, "
    sentence += worded(words.meaning, manifest.task)
    if relation is _ACROSS_SPLITS:
        sentence += f" ({said_of_leaks(_sides(manifest, group) for group in groups)})"
    leaking = sum(len(_sides(manifest, group)) > 1 for group in groups)
    if relabelled := [group for group in groups if labels_contradict(manifest, group)]:
        sentence += said_of_contradictions(manifest, relabelled)
    if relation is _ACROSS_CLASSES and leaking:
        sentence += f"; {leaking:,} of the groups also stand{'s' * (leaking == 1)} on more than one side of the split"
    named_twice = sum(_differ(manifest, group, "patient_id") for group in groups)
    if relation is not _ACROSS_PATIENTS and named_twice:
        sentence += f"; {named_twice:,} of the groups {'is' if named_twice == 1 else 'are'} under different patients"
    if near and relation is _WITHIN_CLASS and (chains := _loose_chains(manifest, copies)):
        sentence += f"; {count(chains, 'chain')} of groups that pass into one another, as a film does, "
        sentence += f"hold{'s' * (chains == 1)} more than a fifth of a {manifest.task.noun[0]}, so that parts may "
        sentence += "stand on two sides"
    return Finding(
        code=f"{'near-' * near}duplicate-{relation.name}",
        severity=words.severity,
        sentence=f"{sentence}.",
        fix=words.fix,
        count=images,
        evidence=_rows(manifest, copies, groups),
        groups=tuple(groups),
    )


def _relation(manifest: Manifest, group: Group, *, near: bool) -> _Relation:
    relabelled = labels_contradict(manifest, group)
    if relabelled and not (near and (_may_be_a_film(manifest, group) or _look_alike(manifest, group))):
        return _ACROSS_CLASSES
    if len(_sides(manifest, group)) > 1:
        return _ACROSS_SPLITS
    if relabelled and _may_be_a_film(manifest, group):
        return _CHANGING
    if _differ(manifest, group, "patient_id"):
        return _ACROSS_PATIENTS
    return _WITHIN_PATIENT if _are_named(manifest, group) else _WITHIN_CLASS


def _sides(manifest: Manifest, group: Group) -> set[str]:
    return {side for i in group if (side := manifest.cases[i].split)}


def _differ(manifest: Manifest, group: Group, name: str) -> bool:
    """Whether the images have two values or more; none is no value."""
    return len({value for i in group if (value := getattr(manifest.cases[i], name))}) > 1


def _are_named(manifest: Manifest, group: Group) -> bool:
    return all(manifest.cases[i].patient_id for i in group)


def _may_be_a_film(manifest: Manifest, group: Group) -> bool:
    return _are_named(manifest, group) and not _differ(manifest, group, "patient_id")


def _look_alike(manifest: Manifest, group: Group) -> bool:
    """Whether patients and findings both say that these are different pictures, as two blurred eyes by one camera."""
    patients = {manifest.cases[i].patient_id for i in group}
    return not manifest.task.exclusive and _are_named(manifest, group) and len(patients) == len(group)


def _loose_chains(manifest: Manifest, copies: Copies) -> int:
    """How many chains no patient keeps together, and no side could take."""
    owners = ({manifest.cases[i].patient_id for i in chain} for chain in long_chains(copies, manifest))
    return sum(len(patients) > 1 or None in patients for patients in owners)


def _rows(manifest: Manifest, copies: Copies, groups: Sequence[Group]) -> tuple[dict[str, str], ...]:
    rows = []
    for number, group in enumerate(groups[:_MOST_GROUPS], start=1):
        for i in group:
            case = manifest.cases[i]
            origin, how = copies.origin.get(i, (i, ""))
            like = f"{how} {manifest.cases[origin].full_name}" if how else ""
            rows.append({"group": str(number), **image_row(case), "patient": pseudonym(case.patient_id), "is": like})
    return tuple(rows)


def _blank(manifest: Manifest, blank: Group) -> list[Finding]:
    if not blank:
        return []
    sentence = (
        f"{count(len(blank), 'image')} of {len(manifest):,} without any detail, such as an even grey: nothing can be "
        "learnt from what is blank; only the bytes of these files were compared with others."
    )
    return [
        Finding(
            code="blank-image",
            severity="warn",
            sentence=sentence,
            fix="Look at them; export them again or leave them out.",
            count=len(blank),
            evidence=tuple(image_row(manifest.cases[i]) for i in blank[:_MOST_GROUPS]),
        )
    ]
