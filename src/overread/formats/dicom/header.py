"""What a DICOM file says of its image and, without keeping a value of theirs, of persons."""

from __future__ import annotations

import contextlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from overread.errors import UnreadableImage
from overread.formats.dicom.dataset import read_dataset, without_detail
from overread.formats.dicom.deflated import inflated
from overread.formats.dicom.syntax import assume_missing
from overread.formats.header import Header, as_text
from overread.formats.source import opened

if TYPE_CHECKING:
    from pydicom import Dataset

# fmt: off
NAMING_TAGS = (
    "PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName", "PatientBirthDate",
    "PatientAddress", "PatientTelephoneNumbers", "OtherPatientIDs", "ResponsiblePerson", "ReferringPhysicianName",
    "PerformingPhysicianName", "RequestingPhysician", "PhysiciansOfRecord", "NameOfPhysiciansReadingStudy",
    "OperatorsName",
)
TRACING_TAGS = (
    "PatientID", "AccessionNumber", "AdmissionID", "PatientComments", "InstitutionName", "InstitutionAddress",
    "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate",
)
_IMAGE_TAGS = (
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "Manufacturer", "BurnedInAnnotation",
    "PatientIdentityRemoved",
)
# fmt: on
_ID_TAGS = ("PatientID", "IssuerOfPatientID")
# What de-identification leaves in a tag that must not be empty; such a value names nobody.
_PLACEHOLDER = re.compile(
    r"[\W_0]*|(anon|de-?ident|pseudonym|remov|redact).*|(unknown|research|subject|patient|phantom|test)(?![a-z]).*|none|"
    r"n/?a|x+|1[89]000101",
    re.IGNORECASE,
)


def header_of(stream: BinaryIO) -> Header:
    """Read a header; its image is left out where its elements cannot be used.

    Raises:
        UnreadableImage, MissingExtra: there is no readable header, or pydicom is not installed.
    """
    with without_detail("holds no readable DICOM header"):
        ds = read_dataset(inflated(stream), [*_IMAGE_TAGS, *NAMING_TAGS, *TRACING_TAGS], stop_before_pixels=True)
        person_tags = tuple(tag for tag in (*NAMING_TAGS, *TRACING_TAGS) if not _PLACEHOLDER.fullmatch(_text(ds, tag)))
        return Header(
            identifying_tags=len(person_tags),
            person_tags=person_tags,
            is_deidentified=_text(ds, "PatientIdentityRemoved") == "YES",
            has_burned_in_text=_text(ds, "BurnedInAnnotation") == "YES",
            manufacturer=as_text(_text(ds, "Manufacturer")),
            **_image_facts(ds),
        )


def read_patient_id(path: str | Path) -> str | None:
    """The id of the patient of a DICOM file; an IssuerOfPatientID keeps ids of two issuers apart. Never to be shown.

    Raises:
        MissingPath, MissingExtra: the path or pydicom is not there.
    """
    try:
        with opened(path) as stream, without_detail("holds no readable DICOM header"):
            ds = read_dataset(inflated(stream), _ID_TAGS, stop_before_pixels=True)
            raw = [bytes(_raw(ds, tag) or b"") for tag in _ID_TAGS]
    except UnreadableImage:
        return None
    patient_id, issuer = (value.decode("utf-8", "backslashreplace").strip(" \0") for value in raw)
    return f"{patient_id}^^^{issuer}" if patient_id and issuer else patient_id


def read_uid(path: str | Path, keyword: str) -> str | None:
    """A UID of the header of a DICOM file, such as that of its series; None where it names none. Never to be shown.

    Raises:
        MissingPath, MissingExtra: the path or pydicom is not there.
    """
    try:
        with opened(path) as stream, without_detail("holds no readable DICOM header"):
            return _text(read_dataset(inflated(stream), [keyword], stop_before_pixels=True), keyword) or None
    except UnreadableImage:
        return None


def _image_facts(ds: Dataset) -> dict[str, Any]:
    with contextlib.suppress(TypeError, ValueError, AttributeError, OverflowError):
        if "Rows" in ds and "Columns" in ds:
            return {
                "assumed_tags": assume_missing(ds),
                "width": int(ds.Columns),
                "height": int(ds.Rows),
                "mode": sys.intern(str(ds.get("PhotometricInterpretation") or "")),
                "bit_depth": int(ds.get("BitsStored") or 0),
                "frames": int(ds.get("NumberOfFrames") or 1),
            }
    return {}


def _text(ds: Dataset, keyword: str) -> str:
    value = _raw(ds, keyword)
    return value.decode("utf-8", "replace").strip(" \0") if isinstance(value, bytes) else ""


def _raw(ds: Dataset, keyword: str) -> Any:
    """An element as stored: pydicom's conversion would warn of an odd value by quoting it."""
    return ds.get_item(keyword).value if keyword in ds else None
