"""Files that cannot be read, are not what their names say, or are stored otherwise than their fellows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from overread.auditing.finding import Finding, FindingKind
from overread.auditing.material import Material
from overread.auditing.rule import Rule
from overread.auditing.rules.files.file_table import FileTable
from overread.auditing.rules.files.transparency import find_transparency
from overread.auditing.wording import worded
from overread.formats import Header, format_named_by
from overread.words import listed

SMALLEST_SIDE = 64
MOST_ASPECT = 4.0
_SIZES_TRIED = 10
# A file may be named so, whatever it holds, though none that is so is read.
_NOT_READ = {".gif": "GIF"}


def find_file_problems(material: Material) -> list[Finding]:
    """Find unreadable, misnamed, tiny, elongated and many-framed files, and ways of storing that are mixed.

    A file of several frames gives no pixels either; it counts as `multi-frame`, and not as `unreadable` too. What the
    program evens out while reading (colour, depth, shape) is info, or warn where it goes with the class.
    """
    files = FileTable(material)
    finders = (
        _unreadable, _multi_frame, _wrong_extension, _mixed_depth, _mixed_colour, _small, _elongated,
        find_transparency, _mixed_sizes, _assumed,
    )  # fmt: skip
    return [finding for finder in finders if (finding := finder(files)) is not None]


RULE = Rule(
    name="files",
    kinds=(
        FindingKind("unreadable", "block", "a file that gives no pixels"),
        FindingKind("multi-frame", "block", "a file of several frames where one is expected"),
        FindingKind("wrong-extension", "warn", "a file that is not what its name says"),
        FindingKind("mixed-bit-depth", "warn", "some images with more than 8 bits a channel and others with up to 8"),
        FindingKind("mixed-colour", "warn", "some images in colour and others in grey"),
        FindingKind("very-small", "warn", "an image less than 64 pixels wide or high"),
        FindingKind("extreme-aspect", "warn", "an image more than 4 times as long as wide"),
        FindingKind("transparency", "info", "an image with a transparent layer that is not known to be opaque"),
        FindingKind("mixed-sizes", "warn", "images of very different sizes"),
        FindingKind("encoding-assumed", "info", "a DICOM file that does not say how its pixels are stored"),
    ),
    find=find_file_problems,
)


def _unreadable(files: FileTable) -> Finding | None:
    mask = files.failed & ~(files.frames > 1)
    kinds = Counter(_kind(files.headers[i]) for i in np.flatnonzero(mask).tolist())
    found = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    return files.finding(
        "unreadable", mask, severity="block",
        what=f"cannot be read ({found}).",
        fix="Copy or export these files again, or take them out of the data; --skip-unreadable leaves them out and "
        "counts them in the report.",
        cell=lambda i: files.failures[i],
    )  # fmt: skip


def _kind(header: Header) -> str:
    if header.format is not None:
        return "damaged, cut short or of a kind that is not read"
    return "no images, whatever their names" if header.size_bytes else "empty or missing"


def _multi_frame(files: FileTable) -> Finding | None:
    mask = files.failed & (files.frames > 1)
    return files.finding(
        "multi-frame", mask, severity="block",
        what=f"hold several frames, up to {files.frames.max():,}, where one is expected: it is not known which of them "
        "the label describes.",
        fix="Name the frame that shows what the label says in a CSV (column frame, counted from 1), or export it as a "
        "file of its own under the same patient id; --skip-unreadable leaves these files out and counts them in the "
        "report.",
        cell=lambda i: f"{files.headers[i].format}, {files.frames[i]} frames",
    )  # fmt: skip


def _wrong_extension(files: FileTable) -> Finding | None:
    named = [format_named_by(header.suffix) or _NOT_READ.get(header.suffix) for header in files.headers]
    pairs = list(zip(named, files.headers, strict=True))
    mask = np.array([None not in (name, header.format) and name != header.format for name, header in pairs])
    kinds = Counter(f"{files.headers[i].format} named as {named[i]}" for i in np.flatnonzero(mask).tolist())
    found = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common(3))
    return files.finding(
        "wrong-extension", mask, severity="warn",
        what=f"are not what their names say ({found}).",
        fix="Training reads the content and is not misled, but other programs are, and a JPEG named as PNG has lost "
        "detail all the same: find out how these files were made and give them their true extensions.",
        cell=lambda i: f"{files.headers[i].format} named {files.headers[i].suffix}",
    )  # fmt: skip


def _mixed_depth(files: FileTable) -> Finding | None:
    return files.mixed(
        # Volumes have a window of their own each, whatever their depth.
        "mixed-bit-depth", files.where(lambda header: header.bit_depth > 8 and not header.plane),
        words=("with more than 8 bits a channel", "with up to 8"),
        why="deep grey images are shown through a window of their own and the others as they are, so their contrast "
        "may differ.",
        fix="Export all images from the source in the same way, with the same window.",
    )  # fmt: skip


def _mixed_colour(files: FileTable) -> Finding | None:
    return files.mixed(
        "mixed-colour", files.where(lambda header: not header.is_grey),
        words=("in colour", "in grey"), why="they may come from different devices or exports.",
        fix="Find out where the rarer kind comes from, and export all images in the same way. Grey that is merely "
        "stored as colour is read as the same pixels and does no harm by itself.",
    )  # fmt: skip


def _small(files: FileTable) -> Finding | None:
    return files.finding(
        "very-small", files.known & (np.minimum(files.width, files.height) < SMALLEST_SIDE), severity="warn",
        what=f"are less than {SMALLEST_SIDE} pixels wide or high; fine detail cannot show in them.",
        fix="Take the originals if these are reduced copies, and take out icons; if the images were never larger, "
        "nothing needs doing.",
        cell=files.size,
    )  # fmt: skip


def _elongated(files: FileTable) -> Finding | None:
    longer, shorter = np.maximum(files.width, files.height), np.minimum(files.width, files.height)
    return files.finding(
        "extreme-aspect", files.known & (longer > MOST_ASPECT * shorter),
        what=f"are more than {MOST_ASPECT:g} times as long as wide; brought to a square, such an image is mostly the "
        "black around it, or distorted.",
        fix="Look whether these are strips, banners or failed crops; crop to the part that matters, or take them out.",
        cell=files.size,
    )  # fmt: skip


def _mixed_sizes(files: FileTable) -> Finding | None:
    """Sizes within a factor of two are usual and even out while reading."""
    positions = np.flatnonzero(files.known)
    areas = files.width[positions].astype(np.int64) * files.height[positions]
    if not len(areas) or areas.max() < 4 * areas.min():
        return None
    ends = [files.size(int(positions[place])) for place in (areas.argmin(), areas.argmax())]
    found = Counter(zip(files.width[positions].tolist(), files.height[positions].tolist(), strict=True))
    common = found.most_common(_SIZES_TRIED)
    told = _size_by_class(files, [size for size, _ in common])
    patients = f"{files.patients:,} {'patients' if files.has_patients else 'images'}"
    return Finding(
        code="mixed-sizes",
        severity="warn" if told else "info",
        sentence=f"The images come in {len(found):,} sizes, from {ends[0]} to {ends[1]} pixels; all are brought to one "
        f"size, so the detail that is left differs between them.{told}",
        fix=worded(
            "Find out why {the classes} differ in size, and bring all images to one size from their originals, by a "
            "rule that does not know the {class}."
            if told
            else f"Size was not seen to go with the {{class}} in {patients}; as long as that holds, nothing needs "
            "doing.",
            files.task,
        ),
        count=len(positions),
        evidence=tuple({"size": f"{width} x {height}", "images": f"{number:,}"} for (width, height), number in common),
    )


def _size_by_class(files: FileTable, sizes: Sequence[tuple[int, int]]) -> str:
    """Say which size goes with the class, or that larger images do; empty where none does."""
    areas = files.width.astype(np.int64) * files.height
    kinds = {
        f"are {width} x {height}": files.known & (files.width == width) & (files.height == height)
        for width, height in sizes
    }
    kinds["are larger than half of all images"] = files.known & (areas > np.median(areas[files.known]))
    said = next((f"{files.by_class(kind)} {words}" for words, kind in kinds.items() if files.goes_with_class(kind)), "")
    noun = files.task.noun[0]
    return said and f" The size goes with the {noun}, so a network may learn it instead: {said}."


def _assumed(files: FileTable) -> Finding | None:
    mask = files.where(lambda header: bool(header.assumed_tags))
    tags = sorted({tag for header in files.headers for tag in header.assumed_tags})
    return files.finding(
        "encoding-assumed", mask,
        what=f"are DICOM files without {listed(tags)}; what viewers take by default was taken.",
        fix="Look at some of them with overread explain. If they show what they should, nothing is to be done.",
        cell=lambda i: f"no {listed(files.headers[i].assumed_tags)}",
    )  # fmt: skip
