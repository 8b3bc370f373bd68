"""`bundle.json` with all hashes made anew: `Bundle.load` gives a bundle that decides, or `InvalidBundle`."""

from __future__ import annotations

import contextlib

import numpy as np
from scratch import FOLDER, written

from overread.bundle import Bundle
from overread.bundle.description import DESCRIPTION, fingerprint_of, to_bytes
from overread.bundle.openings import RECORD, write_openings
from overread.errors import InvalidBundle
from overread.machine.files import from_json

TOKENS = (
    b"null",
    b"true",
    b"1e308",
    b"NaN",
    b"Infinity",
    b"-1",
    b"9223372036854775808",
    b"[[",
    b"{}",
    b'"\\u0000"',
    b'"findings"',
    b'"grades"',
    b'"tasks"',
)
# What the corpus gives the hashes of; none is empty.
_FILES = {"network.onnx": b"graph", "network.weights.h5": b"weights", "reference.npz": b"arrays"}


def one_input(data: bytes) -> None:
    """Load the bundle and decide with it."""
    for name, content in _FILES.items():
        if not (FOLDER / name).exists():
            written(name, content)
    try:
        description = from_json(data)
        fingerprint, content = fingerprint_of(description), to_bytes(description)
    except (AttributeError, TypeError, ValueError, RecursionError):
        fingerprint, content = "", data
    written(DESCRIPTION, content)
    written(RECORD, write_openings((), origin=fingerprint, sealed=True))
    with contextlib.suppress(InvalidBundle):
        bundle = Bundle.load(FOLDER)
        logits = np.linspace(-9, 3e38, bundle.task.outputs)[None]
        y_prob = bundle.members[0].calibration.apply(logits, bundle.task)
        bundle.task.decide(y_prob, bundle.thresholds)
        bundle.referral.sets(y_prob, bundle.task)
        bundle.task.called(y_prob, bundle.thresholds)
        assert np.isfinite(y_prob).all()
        repr(bundle)
