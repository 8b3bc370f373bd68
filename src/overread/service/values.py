"""What a value in a request can be, so that nothing behind the routes sees another."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Path, Query
from pydantic import StringConstraints

from overread.reading_log.rows import ID_PATTERN, MOST_IMAGES

_LONGEST_NAME = 200
LONGEST_LABEL = 1000
GivenName = Annotated[str, StringConstraints(max_length=LONGEST_LABEL)]
ReadingId = Annotated[str, Path(description="Of a reading, as its answer gave it.", pattern=f"^{ID_PATTERN}$")]
ImageIndex = Annotated[int, Path(description="Of an image in its reading, from 0.", ge=0, lt=MOST_IMAGES)]
BundleName = Annotated[str, Path(description="Id or fingerprint of a bundle.", max_length=_LONGEST_NAME)]
BundleId = Annotated[
    str | None,
    Query(description="Id of the bundle that reads; the first of /v1/bundles if none.", max_length=_LONGEST_NAME),
]
Key = Annotated[
    str | None,
    Header(
        description="Names the request, in printable ASCII: sent again, it is answered from the log.",
        min_length=1,
        max_length=255,
        pattern="^[ -~]+$",
    ),
]
