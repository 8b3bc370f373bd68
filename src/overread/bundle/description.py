"""`bundle.json`: its bytes, its own hash, and what every bundle has to say of itself."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from overread.bundle.archive import check_name
from overread.bundle.openings import check_time
from overread.decision.numbers import is_count, is_text
from overread.errors import InvalidBundle, InvalidData
from overread.machine.files import from_json, to_json

DESCRIPTION = "bundle.json"
FORMAT_VERSION = 4
# Of tasks that have a kind, such as several findings: what reads format 4 only would take one for damaged.
KINDS_VERSION = 5
# Of bundles that read exams, likewise.
EXAMS_VERSION = 6
# It seals neither the record of evaluations nor how numbers and spaces stand in bundle.json.
UNSEALED_VERSION = 3
_READ = (UNSEALED_VERSION, FORMAT_VERSION, KINDS_VERSION, EXAMS_VERSION)
_SHA256 = re.compile(r"[0-9a-f]{64}")
# What reading, evaluating and the server ask of every bundle.
_ALWAYS = {"network": ("name",), "data": ("fingerprint", "study")}


def fingerprint_of(description: Mapping[str, Any]) -> str:
    """SHA-256 of a description without its own hash, independent of spacing and key order."""
    content = {name: value for name, value in description.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def to_bytes(description: Mapping[str, Any]) -> bytes:
    """The content of the file, with its own hash."""
    return (to_json({**description, "sha256": fingerprint_of(description)}, indent=2) + "\n").encode()


def from_bytes(content: bytes) -> dict[str, Any]:
    """The description in a file, once its version and its hash are found to be right.

    Raises:
        InvalidBundle: it is damaged, was altered or has an unknown version.
    """
    try:
        description = from_json(content)
        version, said = description["format_version"], description["sha256"]
        actual = fingerprint_of(description)
    except (KeyError, TypeError, ValueError, RecursionError):
        raise damaged() from None
    if type(version) is not int or version not in _READ:
        raise InvalidBundle(
            f"the bundle has another format version than {FORMAT_VERSION} to {EXAMS_VERSION}, which this overread "
            "reads: train again, or install the overread that wrote it"
        )
    if said != actual:
        raise InvalidBundle(f"{DESCRIPTION} was altered or damaged: get the bundle again from its source")
    return dict(description)


def damaged() -> InvalidBundle:
    """The error that a description holds what no bundle says."""
    return InvalidBundle(f"{DESCRIPTION} is damaged: get the bundle again from its source")


def check_facts(facts: Mapping[str, Any]) -> None:
    """Refuse what is said of network, recipe, data, versions, files and time, where it could not be used.

    Raises:
        InvalidBundle: a fact is missing, or is nothing of its kind.
    """
    for name in ("network", "recipe", "data", "versions", "files"):
        if not isinstance(facts[name], Mapping) or not all(map(is_text, facts[name])):
            raise InvalidBundle(f"the bundle does not describe its {name}: get it again from its source")
    for name, texts in _ALWAYS.items():
        if not all(is_text(facts[name].get(text)) for text in texts):
            raise InvalidBundle(f"the bundle does not say {' and '.join(texts)} of its {name}: get it from its source")
    if not (is_count(facts["recipe"].get("seed")) and all(map(is_text, facts["versions"].values()))):
        raise InvalidBundle("the bundle does not say with which seed and versions it was trained: get it again")
    for name, digest in facts["files"].items():
        check_name(name)
        if not (is_text(digest) and _SHA256.fullmatch(digest)):
            raise InvalidBundle(f"the bundle does not give the SHA-256 of {name}: get it again from its source")
    try:
        check_time(facts["created"])
    except InvalidData:
        raise InvalidBundle("the bundle does not say when it was made: get it again from its source") from None
