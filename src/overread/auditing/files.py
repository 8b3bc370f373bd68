"""Files that cannot be read, are not what their names say, or are stored otherwise than their fellows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from overread.auditing.finding import Finding, Severity
from overread.auditing.material import Material
from overread.formats import Header, format_named_by

SMALLEST_SIDE = 64
MOST_ASPECT = 4.0
# A file may be named so, whatever it holds, though none that is so is read.
_NOT_READ = {".gif": "GIF"}
# Three standard errors and twice the odds: chance does not reach the first, nor a trifle in much data the second.
_STANDARD_ERRORS, _ODDS = 3.0, 2.0
_MOST_ROWS, _MOST_CLASSES = 50, 6


def find_file_problems(material: Material) -> list[Finding]:
    """Find unreadable, misnamed, tiny, elongated and many-framed files, and ways of storing that are mixed.

    A file of several frames gives no pixels either; it counts as `multi-frame`, and not as `unreadable` too. What the
    program evens out while reading (colour, depth, shape) is info, or warn where it goes with the class.
    """
    files = _Files(material)
    finders = (
        _unreadable, _multi_frame, _wrong_extension, _mixed_depth, _mixed_colour, _small, _elongated, _transparency,
        _mixed_sizes,
    )  # fmt: skip
    return [finding for finder in finders if (finding := finder(files)) is not None]


class _Files:
    """The headers as columns, and how a finding about some of the files is put together."""

    def __init__(self, material: Material) -> None:
        self.headers, self.cases = material.headers, material.manifest.cases
        self.failures, self.classes = material.failures, material.manifest.classes
        self.labels = material.manifest.y_true
        self.width = np.array([header.width for header in self.headers])
        self.height = np.array([header.height for header in self.headers])
        self.frames = np.array([header.frames for header in self.headers])
        self.failed = np.zeros(len(self.headers), bool)
        self.failed[list(self.failures)] = True
        self.known = (self.width > 0) & (self.height > 0) & ~self.failed

    def where(self, holds: Callable[[Header], bool]) -> np.ndarray:
        """`(n,)` whether a file is read and its header has a property."""
        return self.known & np.array([holds(header) for header in self.headers])

    def size(self, position: int) -> str:
        """Such as "640 x 480"."""
        return f"{self.width[position]} x {self.height[position]}"

    def finding(
        self,
        code: str,
        mask: np.ndarray,
        *,
        severity: Severity | None = None,
        what: str,
        fix: str,
        cell: Callable[[int], str],
    ) -> Finding | None:
        """A finding on the files of a mask; None when there are none.

        Args:
            code: of the finding.
            mask: `(n,)` the files that it concerns, each of which becomes a group of its own.
            severity: None decides on warn where they go with the class and info otherwise.
            what: continues "12 of 5,856 images" to a whole sentence.
            fix: of the finding.
            cell: from a position to what is the matter with that file.
        """
        positions = np.flatnonzero(mask).tolist()
        if not positions:
            return None
        goes_with_class = self._goes_with_class(mask)
        lead = " This goes with the class, so a network may learn it instead:" if goes_with_class else " By class:"
        cases = [(self.cases[i], cell(i)) for i in positions[:_MOST_ROWS]]
        return Finding(
            code=code,
            severity=severity or ("warn" if goes_with_class else "info"),
            sentence=f"{len(positions):,} of {len(mask):,} images {what}{lead} {self._by_class(mask)}.",
            fix=fix,
            count=len(positions),
            evidence=tuple(
                {"image": case.name, "class": case.label, "side": case.split or "", "what": text}
                for case, text in cases
            ),
            groups=tuple((i,) for i in positions),
        )

    def mixed(self, code: str, mask: np.ndarray, *, words: tuple[str, str], why: str, fix: str) -> Finding | None:
        """A finding on the rarer of two kinds of file; `words` name those in the mask and the others."""
        other = self.known & ~mask
        if not mask.any() or not other.any():
            return None
        is_rarer = np.count_nonzero(mask) <= np.count_nonzero(other)
        rarer, (name, remaining) = (mask, words) if is_rarer else (other, words[::-1])

        def stored(i: int) -> str:
            return f"{self.headers[i].format} {self.headers[i].mode}, {self.headers[i].bit_depth} bits"

        return self.finding(code, rarer, what=f"are stored {name}, the others {remaining}; {why}", fix=fix, cell=stored)

    def _by_class(self, mask: np.ndarray) -> str:
        """Such as "NORMAL 3 of 1,583, PNEUMONIA 9 of 4,273"; of many classes those with the largest shares."""
        found, total = self._counts(mask)
        order = range(len(found))
        if len(found) > _MOST_CLASSES:
            order = np.argsort(-found / np.maximum(total, 1), kind="stable")[:_MOST_CLASSES].tolist()
        listed = ", ".join(f"{self.classes[i]} {found[i]:,} of {total[i]:,}" for i in order)
        return (
            f"{listed} and {found.sum() - found[order].sum():,} of other classes" if len(order) < len(found) else listed
        )

    def _goes_with_class(self, mask: np.ndarray) -> bool:
        """Whether the share of these files differs between one class and the rest."""
        found, total = self._counts(mask)
        others, rest = found.sum() - found, total.sum() - total
        share = found.sum() / total.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            gap = found / total - others / rest
            score = np.abs(gap) / np.sqrt(share * (1 - share) * (1 / total + 1 / rest))
        odds = (found + 0.5) * (rest - others + 0.5) / ((total - found + 0.5) * (others + 0.5))
        return bool(np.any((score >= _STANDARD_ERRORS) & (np.maximum(odds, 1 / odds) >= _ODDS)))

    def _counts(self, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        classes = len(self.classes)
        return np.bincount(self.labels[mask], minlength=classes), np.bincount(self.labels, minlength=classes)


def _unreadable(files: _Files) -> Finding | None:
    mask = files.failed & ~(files.frames > 1)
    kinds = Counter(_kind(files.headers[i]) for i in np.flatnonzero(mask).tolist())
    listed = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    return files.finding(
        "unreadable", mask, severity="block",
        what=f"cannot be read ({listed}).",
        fix="Copy or export these files again, or take them out of the data: training refuses to start with them. "
        "--skip-unreadable leaves them out and names each in the report.",
        cell=lambda i: files.failures[i],
    )  # fmt: skip


def _kind(header: Header) -> str:
    if header.format is not None:
        return "damaged, cut short or of a kind that is not read"
    return "no images, whatever their names" if header.size_bytes else "empty or missing"


def _multi_frame(files: _Files) -> Finding | None:
    mask = files.failed & (files.frames > 1)
    return files.finding(
        "multi-frame", mask, severity="block",
        what=f"hold several frames, up to {files.frames.max():,}, where one is expected: it is not known which of them "
        "the label describes.",
        fix="Name the frame that shows what the label says in a CSV (column frame, counted from 1), or export it as a "
        "file of its own under the same patient id. "
        "Training refuses to start with these files; --skip-unreadable leaves them out and names each in the report.",
        cell=lambda i: f"{files.headers[i].format}, {files.frames[i]} frames",
    )  # fmt: skip


def _wrong_extension(files: _Files) -> Finding | None:
    named = [format_named_by(header.suffix) or _NOT_READ.get(header.suffix) for header in files.headers]
    pairs = list(zip(named, files.headers, strict=True))
    mask = np.array([None not in (name, header.format) and name != header.format for name, header in pairs])
    kinds = Counter(f"{files.headers[i].format} named as {named[i]}" for i in np.flatnonzero(mask).tolist())
    listed = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common(3))
    return files.finding(
        "wrong-extension", mask, severity="warn",
        what=f"are not what their names say ({listed}).",
        fix="Training reads the content and is not misled, but other programs are, and a JPEG named as PNG has lost "
        "detail all the same: find out how these files were made and give them their true extensions.",
        cell=lambda i: f"{files.headers[i].format} named {files.headers[i].suffix}",
    )  # fmt: skip


def _mixed_depth(files: _Files) -> Finding | None:
    return files.mixed(
        "mixed-bit-depth", files.where(lambda header: header.bit_depth > 8),
        words=("with more than 8 bits a channel", "with up to 8"),
        why="deep grey images are shown through a window of their own and the others as they are, so their contrast "
        "differs.",
        fix="Export all images from the source in the same way, with the same window.",
    )  # fmt: skip


def _mixed_colour(files: _Files) -> Finding | None:
    return files.mixed(
        "mixed-colour", files.where(lambda header: not header.is_grey),
        words=("in colour", "in grey"), why="they may come from different devices or exports.",
        fix="Find out where the rarer kind comes from, and export all images in the same way. Grey that is merely "
        "stored as colour is read as the same pixels and does no harm by itself.",
    )  # fmt: skip


def _small(files: _Files) -> Finding | None:
    return files.finding(
        "very-small", files.known & (np.minimum(files.width, files.height) < SMALLEST_SIDE), severity="warn",
        what=f"are less than {SMALLEST_SIDE} pixels wide or high; fine detail cannot show in them.",
        fix="Look whether these are thumbnails or icons, and take the originals, or take them out.",
        cell=files.size,
    )  # fmt: skip


def _elongated(files: _Files) -> Finding | None:
    longer, shorter = np.maximum(files.width, files.height), np.minimum(files.width, files.height)
    return files.finding(
        "extreme-aspect", files.known & (longer > MOST_ASPECT * shorter),
        what=f"are more than {MOST_ASPECT:g} times as long as wide; most of what the network sees of them is the black "
        "that fills them up to a square.",
        fix="Look whether these are strips, banners or failed crops; crop to the part that matters, or take them out.",
        cell=files.size,
    )  # fmt: skip


def _transparency(files: _Files) -> Finding | None:
    return files.finding(
        "transparency", files.where(lambda header: header.has_alpha), severity="info",
        what="have a transparent layer, which is read as black; it often comes from drawing on an image.",
        fix="Look at some of them: marks and cut-outs must go; otherwise nothing needs doing.",
        cell=lambda i: f"{files.headers[i].format} {files.headers[i].mode}",
    )  # fmt: skip


def _mixed_sizes(files: _Files) -> Finding | None:
    """Sizes within a factor of two are usual and even out while reading."""
    positions = np.flatnonzero(files.known)
    areas = files.width[positions].astype(np.int64) * files.height[positions]
    if not len(areas) or areas.max() < 4 * areas.min():
        return None
    ends = [files.size(int(positions[place])) for place in (areas.argmin(), areas.argmax())]
    found = Counter(zip(files.width[positions].tolist(), files.height[positions].tolist(), strict=True))
    return Finding(
        code="mixed-sizes",
        severity="info",
        sentence=f"The images come in {len(found):,} sizes, from {ends[0]} to {ends[1]} pixels; all are brought to one "
        "size with their shape kept, so the detail that is left differs between them.",
        fix="Nothing needs doing unless the size goes with the class, which a finding of its own would say.",
        count=len(positions),
        evidence=tuple(
            {"size": f"{width} x {height}", "images": f"{count:,}"} for (width, height), count in found.most_common(10)
        ),
    )
