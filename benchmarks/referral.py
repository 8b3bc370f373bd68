"""What does not belong is referred: endoscopy, other radiographs, noise, blank and inverted images sent to a bundle.

    python benchmarks/referral.py runs/cxr/bundle

The bundle is one of `overread train chest_xray`; its test side is beside it for comparison. Nothing was chosen on the
images here: the measure of familiarity was chosen on corrupted validation images.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from table import data_folder, options

from overread import Reader
from overread.decision import UNCERTAIN, UNFAMILIAR, Abstentions
from overread.errors import OverreadError
from overread.evaluation import wilson
from overread.images import prepare

_MADE = 200
HEADER = ("images", "n", "unfamiliar", "uncertain", "referred", "95 % interval", "median unfamiliarity")


def main() -> None:
    """Read each kind and print how many are referred."""
    parser = options(str(__doc__).splitlines()[0])
    parser.add_argument("bundle", type=Path, help="bundle directory or zip, trained on chest_xray")
    arguments = parser.parse_args()
    reader = Reader.load(arguments.bundle)
    rows = [_row(name, _read(reader, pixels)) for name, pixels in _kinds(reader).items() if len(pixels)]
    lines = [HEADER, ("---",) * len(HEADER), *(tuple(str(cell) for cell in row) for row in rows)]
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))
    if arguments.json is not None:
        content = {"rows": [dict(zip(HEADER, row, strict=True)) for row in rows]}
        arguments.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _kinds(reader: Reader) -> Mapping[str, np.ndarray]:
    """Prepared images of each kind."""
    xray, endoscopy, dicom = data_folder(), data_folder("larynx_vocalfolds"), data_folder("dicom")
    with (xray / "images.csv").open(newline="") as stream:
        belongs = _prepared(reader, [xray / row["path"] for row in csv.DictReader(stream) if row["split"] == "test"])
    with (endoscopy / "images.csv").open(newline="") as stream:
        frames = _prepared(reader, [endoscopy / row["path"] for row in csv.DictReader(stream)])
    with (dicom / "index.csv").open(newline="") as stream:
        parts = {dicom / row["path"]: (row["modality"], row["body_part"]) for row in csv.DictReader(stream)}
    chest = [path for path, part in parts.items() if part == ("CR", "CHEST")]
    limbs = [path for path, part in parts.items() if part == ("CR", "EXTREMITY")]
    others = [path for path in parts if path not in {*chest, *limbs}]
    random, shape = np.random.default_rng(0), (_MADE, *belongs.shape[1:])
    noise = random.normal(128, random.uniform(10, 80, (_MADE, 1, 1, 1)), shape)
    return {
        "chest X-rays, test side": belongs,
        "DICOM, chest of an adult": _prepared(reader, chest),
        "DICOM, radiographs of limbs": _prepared(reader, limbs),
        "DICOM, CT, MR, ultrasound and others": _prepared(reader, others),
        "endoscopy": frames,
        "uniform noise": random.integers(0, 256, shape, dtype=np.uint8),
        "Gaussian noise": np.clip(noise, 0, 255).astype(np.uint8),
        "blank, black to white": np.broadcast_to(
            np.linspace(0, 255, _MADE).astype(np.uint8)[:, None, None, None], shape
        ),
        "inverted X-rays": 255 - belongs,
        "X-rays upside down": belongs[:, ::-1],
    }


def _prepared(reader: Reader, paths: list[Path]) -> np.ndarray:
    """The images that can be decoded."""
    found = []
    for path in paths:
        try:
            found.append(prepare(path, reader.bundle.preprocessing))
        except OverreadError:
            continue
    return np.stack(found) if found else np.zeros((0, 1, 1, 1), np.uint8)


def _read(reader: Reader, pixels: np.ndarray) -> Abstentions:
    answers = reader.answer(np.ascontiguousarray(pixels))
    return reader.abstentions(answers.probabilities, answers.unfamiliarity)


def _row(name: str, found: Abstentions) -> tuple[str | int, ...]:
    n = len(found.referred)
    interval = wilson(int(found.referred.sum()), n)
    reasons = [sum(reason in each for each in found.reasons) / n for reason in (UNFAMILIAR, UNCERTAIN)]
    rates = [f"{rate:.3f}" for rate in (*reasons, found.referred.mean())]
    return (name, n, *rates, f"{interval.low:.3f} to {interval.high:.3f}", f"{np.median(found.unfamiliarity):.2f}")


if __name__ == "__main__":
    main()
