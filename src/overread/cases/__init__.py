"""Which images: each case with its label, patient and side, read from folder or table, split by patient.

Names are loaded on first use: the command line asks for the source alone.
"""

from typing import TYPE_CHECKING

from overread.lazy import on_first_use

_HOMES = {
    "SPLITS": "overread.cases.case",
    "Case": "overread.cases.case",
    "LeftOut": "overread.cases.folder",
    "Manifest": "overread.cases.manifest",
    "PublicNames": "overread.cases.public_names",
    "Source": "overread.cases.source",
    "Split": "overread.cases.split",
    "counts_as": "overread.cases.case",
    "fold_cases": "overread.cases.split",
    "images_below": "overread.cases.folder",
    "pseudonym": "overread.cases.case",
    "split_cases": "overread.cases.split",
    "without_test": "overread.cases.split",
}
__all__ = [*_HOMES]
__getattr__ = on_first_use(__name__, _HOMES)

if TYPE_CHECKING:
    from overread.cases.case import SPLITS as SPLITS
    from overread.cases.case import Case as Case
    from overread.cases.case import counts_as as counts_as
    from overread.cases.case import pseudonym as pseudonym
    from overread.cases.folder import LeftOut as LeftOut
    from overread.cases.folder import images_below as images_below
    from overread.cases.manifest import Manifest as Manifest
    from overread.cases.public_names import PublicNames as PublicNames
    from overread.cases.source import Source as Source
    from overread.cases.split import Split as Split
    from overread.cases.split import fold_cases as fold_cases
    from overread.cases.split import split_cases as split_cases
    from overread.cases.split import without_test as without_test
