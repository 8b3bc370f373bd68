"""What the soak sends: sound pictures of several formats, zips of them, and files that no server should read."""

from __future__ import annotations

import io

import numpy as np
from jpeg_ls import encode_array
from PIL import Image
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless

from support import malformed
from support.dicom_files import dataset, file_bytes
from support.mutations import mutations

_LARGEST_MALFORMED = 2_000_000


def sound_pictures(number: int = 12) -> list[bytes]:
    """Pictures of 256 to 768 pixels: PNG, JPEG, DICOM uncompressed, as JPEG 2000 and as JPEG-LS."""
    rng, found = np.random.default_rng(0), []
    for at in range(number):
        side = 256 * (1 + at % 3)
        ramp = np.linspace(0, 150, side)[None, :] + rng.integers(0, 100, (side, 1))
        pixels = (ramp + rng.integers(0, 6, (side, side))).astype(np.uint8)
        image = Image.fromarray(pixels)
        found += [_saved(image, "PNG"), _saved(image, "JPEG", quality=90), file_bytes(dataset(pixels))]
        size = {"Rows": side, "Columns": side}
        jpeg_2000 = _saved(image, "JPEG2000", no_jp2=True)
        found.append(malformed.compressed(JPEG2000Lossless, jpeg_2000, **size))
        found.append(malformed.compressed(JPEGLSLossless, bytes(encode_array(pixels)), **size))
    return found


def zips_of(pictures: list[bytes], number: int = 8) -> list[bytes]:
    """Zips of four pictures each."""
    return [malformed.zipped([(f"{i}.bin", pictures[(at + i) % len(pictures)]) for i in range(4)])
            for at in range(number)]  # fmt: skip


def bad_files(pictures: list[bytes], number: int = 400) -> list[bytes]:
    """Every malformed file of the tests that is not large, and changed pictures, some of which may still be read."""
    made = [content for make in malformed.FILES.values() if len(content := make()) < _LARGEST_MALFORMED]
    changed = mutations(pictures, seed=1)
    return made + [next(changed) for _ in range(number)]


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()
