"""Records of JSON with their digest, by which one that was damaged is told from one that was written."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from overread.machine.files import from_json


def digest_of(value: Any) -> str:
    """SHA-256 of JSON values, which must be as JSON gives them back: keys are strings."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def sealed(value: Any) -> dict[str, Any]:
    """The record that holds these values, to be written as JSON."""
    return {"digest": digest_of(value), "value": value}


def unsealed(content: bytes) -> Any:
    """The values of a record.

    Raises:
        ValueError: the record is damaged.
    """
    try:
        record = from_json(content)
        value = record["value"]
        if record["digest"] != digest_of(value):
            raise ValueError("the record is not as it was written")
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("it is no record") from error
    return value
