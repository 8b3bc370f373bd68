"""Traces of persons in headers and paths: counted, and neither a value nor such a path is ever shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from overread.auditing.every_header import joined_headers
from overread.auditing.finding import Finding, FindingKind
from overread.auditing.material import Material
from overread.auditing.rule import Rule
from overread.auditing.rules.privacy.paths import NAMING_KINDS, kinds_in_paths
from overread.cases import Manifest
from overread.formats import Header
from overread.formats.dicom.header import NAMING_TAGS
from overread.words import count, first_of

_MOST_ROWS = 50


def find_personal_data(material: Material) -> list[Finding]:
    """Find DICOM tags and burned-in text, GPS positions, and columns and paths that tell who the patients are.

    Names, dates and numbers in paths are guessed at, on the cautious side: a surname alone is not known as one.
    Evidence shows an image by its place in the manifest where its own path may name a person.
    """
    kinds = kinds_in_paths(material.manifest.cases)
    headers = material.once(joined_headers) if material.has_exams else material.headers
    return [
        *_dicom_identity(headers, kinds),
        *_volume_identity(headers, kinds),
        *_marked_images(material, headers, kinds),
        *_personal_columns(material.manifest),
        *_personal_paths(kinds),
    ]


RULE = Rule(
    name="personal data",
    kinds=(
        FindingKind("dicom-identity", "warn", "DICOM files with identifying tags"),
        FindingKind("volume-identity", "warn", "volumes whose headers hold text that may name a person"),
        FindingKind("gps-position", "warn", "images that carry the place where they were taken"),
        FindingKind("burned-in-text", "warn", "images that say of themselves that text is burned in"),
        FindingKind("slide-label", "warn", "slides that come with a picture of their label"),
        FindingKind("personal-columns", "warn", "columns of a table that tell who the patients are"),
        FindingKind("names-in-paths", "warn", "paths that look as if they named a person"),
        FindingKind("numbers-in-paths", "info", "paths with a date or a long number"),
    ),
    find=find_personal_data,
)


def _volume_identity(headers: Sequence[Header], kinds: Sequence[frozenset[str]]) -> list[Finding]:
    """Volumes whose headers have texts of their own, of which nobody knows whether they name a person."""
    told = [header for header in headers if header.identifying_tags and header.plane]
    if not told:
        return []
    counts = Counter(field for header in told for field in header.person_tags)
    return [
        Finding(
            code="volume-identity",
            severity="warn",
            sentence=f"{_of_all(told, kinds)} are volumes whose headers hold text that may name or date a person "
            f"({', '.join(f'{field} in {number:,}' for field, number in counts.most_common())}). The network sees "
            "voxels only, but whoever is given these files is given the text.",
            fix="Look at the texts, as with nifti_tool -disp_hdr or nib-ls, and blank those that tell who it is before "
            "the files are copied or shared.",
            count=len(told),
            evidence=tuple({"field": field, "images": f"{number:,}"} for field, number in counts.most_common()),
        )
    ]


def _dicom_identity(headers: Sequence[Header], kinds: Sequence[frozenset[str]]) -> list[Finding]:
    tagged = [header for header in headers if header.identifying_tags and not header.plane]
    if not tagged:
        return []
    counts = Counter(tag for header in tagged for tag in header.person_tags)
    removed = sum(header.is_deidentified for header in tagged)
    naming = sum(
        not header.is_deidentified and not frozenset(NAMING_TAGS).isdisjoint(header.person_tags) for header in tagged
    )
    said = [f"{naming:,} of them give a person's name, birth date, address or telephone number"] if naming else []
    said += [f"{removed:,} of them declare the identity removed"] if removed else []
    remark = "; ".join(said) or "none gives a name or birth date, but a person can be traced by an id or a date"
    sentence = f"{_of_all(tagged, kinds)} are DICOM files with identifying tags ({remark})."
    return [
        Finding(
            code="dicom-identity",
            severity="warn" if naming else "info",
            sentence=f"{sentence} The network sees pixels only, but whoever is given these files is given the tags.",
            fix="Have the files de-identified (DICOM PS3.15 Annex E) before they are copied or shared. Keep a "
            "pseudonym as PatientID, for it holds a patient's images together on one side of the split.",
            count=len(tagged),
            evidence=tuple({"tag": tag, "images": f"{count:,}"} for tag, count in counts.most_common()),
        )
    ]


def _marked_images(material: Material, headers: Sequence[Header], kinds: Sequence[frozenset[str]]) -> list[Finding]:
    """Images whose headers have a position, a picture of a label, or say that text is burned in."""
    found = []
    for code, field, what, fix in (
        (
            "gps-position", "has_position",
            "carry the place where they were taken (GPS in EXIF or XMP), which may be a patient's home.",
            "Remove it before the files are copied or shared, for example with exiftool -gps:all= -xmp:all= FOLDER; "
            "the pixels stay as they are.",
        ),
        (
            "burned-in-text", "has_burned_in_text",
            "say of themselves that text is burned into their pixels (DICOM Burned In Annotation). It may name the "
            "patient, and the network sees it too.",
            "Look at these images and blank the text, or take them out; removing tags does not help here.",
        ),
        (
            "slide-label", "has_label_image",
            "are whole slides that come with a picture of their label or of the whole glass, on which the patient's "
            "name or number may stand. It is never read, shown or stored, but whoever is given the files is given it.",
            "Have the label and macro pictures taken out of the files before they are copied or shared, by the "
            "scanner's own program or an anonymiser of slides; the tiles stay as they are.",
        ),
    ):  # fmt: skip
        positions = [i for i, header in enumerate(headers) if getattr(header, field)]
        if positions:
            cases = material.manifest.cases
            rows = [
                {"image": f"number {i + 1:,}" if kinds[i] else cases[i].full_name, "class": cases[i].label}
                for i in positions[:_MOST_ROWS]
            ]
            sentence = f"{_of_all(positions, kinds)} {what}"
            found.append(
                Finding(
                    code=code, severity="warn", sentence=sentence, fix=fix, count=len(positions), evidence=tuple(rows)
                )
            )
    return found


def _personal_columns(manifest: Manifest) -> list[Finding]:
    columns = manifest.personal
    if not columns:
        return []
    said = [f"{column.heading} ({column.kind}, of {count(column.images, 'image')})" for column in columns]
    verb = "column of the table tells" if len(columns) == 1 else "columns of the table tell"
    return [
        Finding(
            code="personal-columns",
            severity="warn",
            sentence=f"{len(columns):,} {verb} who the patients are: {first_of(said)}. Nothing is made of them: no "
            "file that is written has what they say.",
            fix="Take these columns out of the table before it is copied or shared, or go on with the CSV that --fix "
            "writes, which lacks them. Where the months or years matter, keep an age instead of a date of birth.",
            count=len(columns),
            evidence=tuple(
                {"column": column.heading, "holds": column.kind, "images": f"{column.images:,}"} for column in columns
            ),
        )
    ]


def _personal_paths(kinds: Sequence[frozenset[str]]) -> list[Finding]:
    naming = [own & NAMING_KINDS for own in kinds if own & NAMING_KINDS]
    tracing = [own for own in kinds if own and not own & NAMING_KINDS]
    found = []
    if naming:
        found.append(
            Finding(
                code="names-in-paths",
                severity="warn",
                sentence=f"{_of_all(naming, kinds)} have a path that looks as if it named a person: {_listed(naming)}. "
                "Paths stand in the tables of a run and in logs; its report and documents have numbers instead.",
                fix="Rename these files and folders to study numbers before going on, and keep the key apart.",
                count=len(naming),
                evidence=_tabled(naming),
            )
        )
    if tracing:
        found.append(
            Finding(
                code="numbers-in-paths",
                severity="info",
                sentence=f"{_of_all(tracing, kinds)} have a path with a date or a long number: {_listed(tracing)}. It "
                "may be a day of examination or a hospital's number of a patient, or merely the study's own count.",
                fix="If a hospital could trace a patient by it, rename these files and folders to study numbers; "
                "otherwise nothing needs doing.",
                count=len(tracing),
                evidence=_tabled(tracing),
            )
        )
    return found


def _of_all(some: Sequence[object], kinds: Sequence[object]) -> str:
    return f"{len(some):,} of {len(kinds):,} images"


def _listed(kinds: Iterable[frozenset[str]]) -> str:
    return ", ".join(f"{row['images']} with {row['kind']}" for row in _tabled(kinds))


def _tabled(kinds: Iterable[frozenset[str]]) -> tuple[dict[str, str], ...]:
    counts = Counter(kind for own in kinds for kind in sorted(own))
    return tuple({"kind": kind, "images": f"{count:,}"} for kind, count in counts.most_common())
