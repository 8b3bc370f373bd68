"""What the names of folders say: sides of a split, storage, patients, or classes."""

from __future__ import annotations

import dataclasses
import itertools
import re
import statistics
import unicodedata
from collections.abc import Collection, Mapping

from overread.cases.case import SPLIT_ALIASES

_SIDES = SPLIT_ALIASES
# fmt: off
# Words of places where files are kept, which say nothing of what they show.
_STORAGE = frozenset({
    "all", "archive", "archives", "augmented", "batch", "batches", "bmp", "cd", "chunk", "chunks", "color",
    "colour", "copy", "crop", "cropped", "crops", "data", "database", "dataset", "datasets", "dcm", "dicom",
    "dicoms", "dir", "disc", "disk", "download", "downloads", "dvd", "export", "exports", "extracted", "file", "files",
    "fold", "folder", "folders", "frame", "frames", "grayscale", "greyscale", "image", "images", "img", "imgs",
    "input", "inputs", "jpeg", "jpg", "original", "originals", "output", "part", "parts", "patch", "patches",
    "photo", "photos", "pic", "pics", "picture", "pictures", "png", "pngs", "preprocessed", "processed", "raw",
    "resized", "rgb", "scan", "scans", "set", "shard", "slice", "slices", "split", "subset", "tif", "tiff",
    "preview", "previews", "thumb", "thumbnail", "thumbnails", "thumbs", "tile", "tiles", "unzipped", "upload",
    "uploads", "vol", "volume", "volumes", "zip",
})
_MASKS = frozenset({
    "annotation", "annotations", "groundtruth", "gt", "label", "labels", "mask", "masks", "overlay", "overlays", "roi",
    "rois", "seg", "segmentation", "segmentations", "segmented", "truth",
})
# Beside names that are none of storage, only these are plainly some.
_PLAINLY_STORAGE = frozenset({
    "annotations", "crops", "data", "dataset", "datasets", "dcm", "dicom", "files", "frames", "image", "images", "img",
    "imgs", "jpeg", "jpg", "labels", "masks", "patches", "photos", "pics", "pictures", "png", "raw", "scans",
    "previews", "segmentations", "slices", "thumbnails", "thumbs", "tiles",
})
# Numbered, they are where images come from: a person, an exam, a place.
_ORIGINS = frozenset({
    "acc", "accession", "animal", "biopsy", "camera", "case", "center", "centre", "client", "clinic", "clip", "cohort",
    "device", "donor", "eye", "exam", "hospital", "id", "institution", "machine", "mouse", "participant", "pat",
    "patient", "person", "pid", "pt", "reader", "run", "sample", "scanner", "sequence", "series", "ses", "session",
    "site", "slide", "specimen", "study", "sub", "subj", "subject", "vendor", "video", "visit", "volunteer", "wsi",
})
# Numbered, they are what is told apart.
_GRADES = frozenset({
    "birads", "cat", "category", "cin", "class", "classe", "cls", "cluster", "degree", "density", "diagnosis",
    "finding", "gleason", "grade", "group", "isup", "kl", "klasse", "level", "pirads", "rads", "score", "severity",
    "stage", "stadium", "tirads", "type", "typ", "who",
})
# fmt: on
_DATE = re.compile(r"(19|20)\d\d[-_. ]?\d\d[-_. ]?\d\d.*|\d\d?[-_. ]\d\d?[-_. ](19|20)?\d\d")
_UID = re.compile(r"\d+(\.\d+){3,}|(?=.*\d)[0-9a-f]{8,}(-[0-9a-f]{4,})*", re.IGNORECASE)
_TOKEN = re.compile(r"[^\W\d_]+|\d+")
# Few images in each of many folders are patients or exams: a class of so few cannot be learnt.
_MANY_FEW = ((12, 3), (30, 10))
_HIGHEST_CLASS = 20


@dataclasses.dataclass(frozen=True)
class Doubt:
    """Why folders are no classes, as a clause, and whether they are storage or seem to be patients, exams or sites."""

    why: str
    is_storage: bool = False
    are_people: bool = False


def words_of(name: str) -> list[str]:
    """The words and numbers of a name, in lower case: "Train_Images01" is train, images, 01."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFKC", name))
    return [word.lower() for word in _TOKEN.findall(parted)]


def shared_words(names: Collection[str]) -> frozenset[str]:
    """The words that all of several names have, which are none of their own; none of a single name."""
    return frozenset.intersection(*(frozenset(words_of(name)) for name in names)) if len(names) > 1 else frozenset()


def side_of(name: str, shared: Collection[str] = ()) -> str | None:
    """The side of a split that a folder is named after; None for any other.

    Args:
        name: of the folder: a word for a side, with numbers or words of storage, as train_images and 01_test.
        shared: words that it has in common with all folders beside it; see `shared_words`.
    """
    words = [word for word in words_of(name) if not word.isdecimal() and word not in _STORAGE]
    own = [word for word in words if word in _SIDES or word not in shared]
    return _SIDES.get(own[0]) if len(own) == 1 else None


def doubt_classes(images: Mapping[str, int]) -> Doubt | None:
    """Tell why folders that lie side by side are no classes; None where they may be.

    No name decides alone: what is asked is whether all say only where files are kept, are numbered as patients, exams,
    sites or parts are, or are too many for what they hold. A few that differ in a small number, and all that differ in
    a number behind a word such as grade, are classes.

    Args:
        images: how many lie in each folder, by its name.
    """
    names = list(images)
    words = [[word for word in words_of(name) if not word.isdecimal()] for name in names]
    if all(map(_is_storage, words)):
        return Doubt("are named as places where files are kept", is_storage=True)
    plain = [name for name, found in zip(names, words, strict=True) if found and _PLAINLY_STORAGE.issuperset(found)]
    if plain:
        return Doubt(f"are no classes side by side: {plain[0]} is named as a place where files are kept")
    if any("train" in found for found in words):
        return Doubt("have a side of a split in their names")
    if all(len(name) > 3 and (_DATE.fullmatch(name) or _UID.fullmatch(name)) for name in names):
        return Doubt("are named by dates or identifiers", are_people=True)
    if len(names) > 1 and len({tuple(_stem(found)) for found in words}) == 1:
        return _doubt_grades(names, _stem(words[0]))
    if all(map(_is_of_origin, names)):
        return Doubt("are numbered as patients, exams or sites are", are_people=True)
    if len(names) > 1 and sum(map(_is_identifier, names)) >= 0.8 * len(names):
        return Doubt("are named by identifiers", are_people=True)
    typical = statistics.median(images.values())
    if any(len(names) >= many and typical <= few for many, few in _MANY_FEW):
        return Doubt(f"are {len(names)} with few images each, as patients or exams are", are_people=True)
    return None


def are_called_storage(names: Collection[str]) -> bool:
    """Whether all of some names have a word of storage in them, as lung_images and colon_images."""
    return all(_PLAINLY_STORAGE.intersection(words_of(name)) for name in names)


def _is_storage(words: list[str]) -> bool:
    known = [word in _STORAGE or word in _MASKS or word in _SIDES for word in words]
    # Of "set-a", the letter counts the sets.
    return any(known) and all(is_known or len(word) == 1 for is_known, word in zip(known, words, strict=True))


def _stem(words: list[str]) -> list[str]:
    """The words that letters count on: of "type a", the word type."""
    return [word for word in words if len(word) > 1] or words


def _doubt_grades(names: list[str], stem: list[str]) -> Doubt | None:
    """Tell why names that differ in their numbers, or single letters, are no classes."""
    if _GRADES.intersection(stem):
        return None
    if _ORIGINS.intersection(stem) or stem == ["p"]:
        return Doubt("are numbered as patients, exams or sites are", are_people=True)
    numbers = [number for name in names for number in words_of(name) if number.isdecimal()]
    is_padded = any(len(number) > (1 if stem else 2) and number.startswith("0") for number in numbers)
    if numbers and (is_padded or len(names) > _HIGHEST_CLASS or max(map(int, numbers)) > _HIGHEST_CLASS):
        return Doubt("differ in a running number only", are_people=True)
    return None


def _is_of_origin(name: str) -> bool:
    """Whether a word such as study stands before a number in a name, whatever follows: study1_positive."""
    words = words_of(name)
    return any(word in _ORIGINS and after.isdecimal() for word, after in itertools.pairwise(words))


def _is_identifier(name: str) -> bool:
    """Whether a name is a long number, with or without short letters around it."""
    words = words_of(name)
    return any(word.isdecimal() and len(word) > 2 for word in words) and all(
        word.isdecimal() or len(word) < 3 or word in _ORIGINS for word in words
    )
