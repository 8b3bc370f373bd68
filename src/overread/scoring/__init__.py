"""Reading an archive: cut into parts that are read here or on a cluster, each whole or absent; names load on use."""

from typing import TYPE_CHECKING

from overread.lazy import on_first_use

_HOMES = {
    "Scored": "overread.scoring.archive",
    "ScoringOptions": "overread.scoring.archive",
    "score": "overread.scoring.archive",
}
__all__ = [*_HOMES]
__getattr__ = on_first_use(__name__, _HOMES)

if TYPE_CHECKING:
    from overread.scoring.archive import Scored as Scored
    from overread.scoring.archive import ScoringOptions as ScoringOptions
    from overread.scoring.archive import score as score
