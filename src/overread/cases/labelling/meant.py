"""Of the files below a folder those that a table is about, where studies of volumes have several of each person.

References:
    The Brain Imaging Data Structure, https://bids-specification.readthedocs.io
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from overread.cases.folder import LeftOut
from overread.cases.labelling.files import Files
from overread.cases.labelling.matched import Matched
from overread.cases.source import Source
from overread.errors import InvalidData, Undecided
from overread.formats import OtherFile
from overread.words import listed

_DERIVED = OtherFile(
    noun="derivative", remark="programs made them of the images; --images with the folder derivatives takes them"
)
_NOT_MEANT = OtherFile(noun="other image", remark="their names do not fit the pattern of --images")
_BIDS = re.compile(r"sub-[A-Za-z0-9]+_(?:.*_)?(?P<suffix>[A-Za-z0-9]+)(?P<end>\.nii(?:\.gz)?)")


def meant(paths: Sequence[Path], root: Path, source: Source, left_out: LeftOut) -> list[Path]:
    """The files that fit the pattern of the source, and are not derivatives of others.

    Raises:
        InvalidData: none fits.
    """
    kept = list(paths)
    if pattern := source.image_pattern:
        kept = [path for path in paths if path.match(pattern)]
        if not kept:
            raise InvalidData(f"no image below {root} fits --images {pattern!r}: expected as in '*_T1w.nii.gz'")
        for path in paths:
            if not path.match(pattern):
                left_out.add_file(path, _NOT_MEANT)
    first = [path for path in kept if "derivatives" not in path.relative_to(root).parts]
    if not any(_BIDS.fullmatch(path.name) for path in first):
        return kept
    for path in kept:
        if "derivatives" in path.relative_to(root).parts:
            left_out.add_file(path, _DERIVED)
    return first


def require_one_kind(matched: Matched, files: Files) -> None:
    """Have it said which volumes are meant, where rows name persons of whom there are several kinds, as T1w and bold.

    Raises:
        Undecided: it is not.
    """
    kinds: Counter[tuple[str, str]] = Counter()
    several = False
    for positions in matched.images.found if matched.images.names_several else ():
        names = [found for at in positions if (found := _BIDS.fullmatch(files.paths[at].name))]
        own = {(name["suffix"], name["end"]) for name in names}
        several |= len({suffix for suffix, _ in own}) > 1
        kinds.update(own)
    if several:
        suffixes = dict.fromkeys(suffix for (suffix, _), _ in kinds.most_common())
        raise Undecided(
            f"{matched.table.name} names persons of whom there are several kinds of volumes, {listed([*suffixes])}",
            option="images",
            choices=[f"*_{suffix}{end}" for (suffix, end), _ in kinds.most_common()],
        )
