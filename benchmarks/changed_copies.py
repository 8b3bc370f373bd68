"""Are copies found that were turned, cropped, negative, bent, sheared, zoomed or augmented: a row a kind and set.

    python benchmarks/changed_copies.py [NAME=FOLDER ...] [--each 40]

Of each folder's images some are taken as originals, and a copy of each is planted among them. Recall: copies in one
group with their original. Precision: of the pairs in groups, without those of two originals, those of one source; pairs
of two originals stand beside, for real sets hold copies of their own. Without arguments the sets are those beside the
checkout (OVERREAD_DATA, else ../shared/data).
"""

from __future__ import annotations

import argparse
import io
import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from table import data_folder

from overread.cases import Case, Manifest
from overread.decision import Task
from overread.formats import read_headers
from overread.images import DataSet, Preprocessing
from overread.images.copies import find_copies

SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".bmp"}
# Thresholds were chosen on the first four; the others were held out.
SETS = {
    "chest_xray": "chest_xray/test",
    "head_ct": "head_ct/head_ct",
    "idrid_grades": "idrid_grades/train",
    "larynx_vocalfolds": "larynx_vocalfolds/all",
    "odir_multilabel (held out)": "odir_multilabel/images",
    "blood_cells (held out)": "blood_cells/TEST_SIMPLE",
    "kather_tiles (held out)": "kather_tiles",
    "skin (held out)": "audit_cases/skin",
}
# An empty tile of a slide, or a slice beyond the body, shows nothing to tell it by.
LEAST_SPREAD = 8
Change = Callable[[Image.Image, np.random.Generator], Image.Image]


def turned(low: float, high: float) -> Change:
    """By an angle between these, to either side."""
    return lambda image, rng: affine(image, degrees=rng.uniform(low, high) * rng.choice([-1, 1]))


def affine(
    image: Image.Image, *, degrees: float = 0, zoom: float = 1, shear: float = 0, mirrored: bool = False
) -> Image.Image:
    """Around the middle, with black corners."""
    angle = np.deg2rad(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / zoom
    matrix = matrix @ np.array([[-1 if mirrored else 1, shear], [0, 1]])
    middle = np.array(image.size) / 2
    values = np.column_stack([matrix, middle - matrix @ middle]).ravel().tolist()
    return image.transform(image.size, Image.Transform.AFFINE, values, Image.Resampling.BICUBIC)


def cropped(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """By up to 15 % a side, by 15 % at one of them."""
    share = rng.uniform(0, 0.15, 4)
    share[rng.integers(4)] = 0.15
    left, top, right, bottom = share * np.tile(image.size, 2)
    return image.crop((round(left), round(top), image.width - round(right), image.height - round(bottom)))


def elastic(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Points on a grid of 12 x 12 move by one per cent of the side (standard deviation)."""
    pixels = np.asarray(image, np.float32)
    rows, columns = np.mgrid[: image.height, : image.width].astype(np.float32)
    shifts = (Image.fromarray(rng.standard_normal((12, 12)).astype(np.float32)).resize(image.size, 3) for _ in "yx")
    moved = [
        np.clip(where + size * 0.01 * np.asarray(shift), 0, size - 1.001)
        for where, shift, size in zip((rows, columns), shifts, pixels.shape, strict=True)
    ]
    top, left = (where.astype(int) for where in moved)
    low, right = moved[0] - top, moved[1] - left
    upper = pixels[top, left] * (1 - right) + pixels[top, left + 1] * right
    lower = pixels[top + 1, left] * (1 - right) + pixels[top + 1, left + 1] * right
    return Image.fromarray((upper * (1 - low) + lower * low).astype(np.uint8))


def augmented(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Turned by up to 20 degrees, half of them mirrored, zoomed, sheared, brightened and saved at quality 60."""
    changed = affine(
        image,
        degrees=rng.uniform(-20, 20),
        zoom=rng.uniform(0.9, 1.2),
        shear=rng.uniform(-0.08, 0.08),
        mirrored=bool(rng.integers(2)),
    )
    gain = rng.uniform(0.75, 1.3)
    file = io.BytesIO()
    changed.point(lambda value: value * gain).save(file, "JPEG", quality=60)
    return Image.open(file)


KINDS: dict[str, Change] = {
    **{f"turned by {angle}": turned(angle, angle) for angle in (1, 2, 3, 5, 10, 30)},
    "turned by any angle, larger canvas": lambda image, rng: image.rotate(rng.uniform(0, 360), 3, expand=True),
    "cropped by up to 15 %": cropped,
    "negative": lambda image, rng: ImageOps.invert(image),
    "negative and turned": lambda image, rng: turned(2, 20)(ImageOps.invert(image), rng),
    "elastic": elastic,
    "sheared": lambda image, rng: affine(image, shear=rng.uniform(0.04, 0.12) * rng.choice([-1, 1])),
    "zoomed": lambda image, rng: affine(image, zoom=rng.choice([0.85, 0.9, 1.1, 1.2])),
    "augmented": augmented,
}


def rows(folder: Path, each: int) -> Iterator[tuple[str, int, float, float, int]]:
    """Kind, planted copies, recall, precision, pairs of originals."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    shuffled = (Image.open(paths[i]).convert("L") for i in np.random.default_rng(0).permutation(len(paths)))
    originals = list(itertools.islice((image for image in shuffled if np.std(image) >= LEAST_SPREAD), each))
    for number, (kind, change) in enumerate(KINDS.items()):
        rng = np.random.default_rng(number)
        with tempfile.TemporaryDirectory() as made:
            groups = _groups([*originals, *(change(image, rng) for image in originals)], Path(made))
        pairs = [pair for group in groups for pair in itertools.combinations(group, 2)]
        planted = [pair for pair in pairs if pair[1] >= len(originals)]
        true = sum(one % len(originals) == other % len(originals) for one, other in planted)
        found = {other for one, other in pairs if other - one == len(originals)}
        recall, precision = len(found) / len(originals), true / len(planted) if planted else np.nan
        yield kind, len(originals), recall, precision, len(pairs) - len(planted)


def _groups(images: list[Image.Image], folder: Path) -> tuple[tuple[int, ...], ...]:
    cases = []
    for number, image in enumerate(images):
        path = folder / f"{number:04}.png"
        image.save(path)
        cases.append(Case(path=path, name=path.name, label="a"))
    manifest = Manifest(cases=tuple(cases), task=Task.of(("a", "b")))
    data_set = DataSet.open(manifest, Preprocessing(channels=1), folder=folder / "store")
    return find_copies(data_set, lambda: read_headers(manifest.paths)).pictures


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="NAME=FOLDER")
    parser.add_argument("--each", type=int, default=40, help="originals of a set")
    chosen = parser.parse_args()
    sets = dict(text.split("=", 1) for text in chosen.sets)
    sets = sets or {name: str(data_folder("") / folder) for name, folder in SETS.items()}
    print("| set | kind | planted | recall | precision | pairs of originals |\n|---|---|--:|--:|--:|--:|")
    for name, folder in sets.items():
        for kind, planted, recall, precision, beside in rows(Path(folder), chosen.each):
            print(f"| {name} | {kind} | {planted} | {recall:.3f} | {precision:.3f} | {beside} |", flush=True)


if __name__ == "__main__":
    main()
