"""SYNTHETIC demo data: laryngeal endoscopy phantoms, drawn by formula; no patient was ever involved.

A phantom is a relief and a colour map in the anatomy's own coordinates (u across the glottis, v along it), lit and
photographed. Papilloma differs from Normal by its grape-like relief; all the rest varies in both classes.
"""

from __future__ import annotations

import cmath
import dataclasses
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageDraw, ImageFilter, PngImagePlugin

from overread.errors import InvalidOption, OutputExists, OutputUnwritable

Plane = NDArray[Any]
_NOTICE = "SYNTHETIC: computer-made phantoms, not patients; results on them say nothing about medical performance.\n"
_SAVING: dict[str, Any] = {"comment": "synthetic", "quality": 90, "pnginfo": PngImagePlugin.PngInfo()}
_SAVING["pnginfo"].add_text("Comment", "synthetic")
LOOK_RANGES = {
    "redness": (-0.04, 0.16), "yellowness": (-0.12, 0.10), "exposure": (0.8, 1.3), "opening": (0.08, 0.3),
    "fold_width": (0.14, 0.26), "length": (0.95, 1.4), "vascularity": (0.2, 1.0), "site": (-1.0, 1.0),
}  # fmt: skip
_MUCOSA, _FOLD, _LESION = np.array(((0.80, 0.40, 0.33), (0.93, 0.66, 0.54), (0.95, 0.62, 0.55)), np.float32)
_MUCUS, _VESSEL, _TRACHEA = np.array(((0.88, 0.78, 0.58), (0.50, 0.10, 0.10), (0.24, 0.09, 0.07)), np.float32)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PatientLook:
    """What the images of one patient share.

    The first two are gains about 0; half opening, fold_width and length are in half image widths; site says where the
    mucosa changes: its sign the side, its size the place along the fold. Raises InvalidOption outside LOOK_RANGES.
    """

    redness: float
    yellowness: float
    exposure: float
    opening: float
    fold_width: float
    length: float
    vascularity: float
    site: float

    def __post_init__(self) -> None:
        for name, (low, high) in LOOK_RANGES.items():
            if not low <= (value := getattr(self, name)) <= high:
                raise InvalidOption(f"{name}={value!r} is outside {low:g} to {high:g}: choose a value in it")

    @classmethod
    def draw(cls, rng: np.random.Generator) -> PatientLook:
        """Draw a patient at random."""
        return cls(**{name: rng.uniform(*limits) for name, limits in LOOK_RANGES.items()})


class _Scene:
    """A larynx as one image sees it: distance from the glottis in fold widths, relief, colour and wetness by pixel."""

    def __init__(self, rng: np.random.Generator, look: PatientLook, size: int) -> None:
        self.rng, self.look, self.size, self.opening = rng, look, size, look.opening * rng.uniform(0.6, 1.25)
        self.y, self.x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
        zoom, angle, x0, y0 = (rng.standard_normal(4) * (0.16, math.radians(22), 0.16, 0.16)).tolist()
        turned = (self.x - x0 + 1j * (self.y - y0)) * cmath.rect(math.exp(zoom), angle)
        self.u, self.v = turned.real + 0.035 * self.noise(5), turned.imag + 0.035 * self.noise(5)
        across, beyond = np.abs(self.u) - self.half_opening(self.v), np.abs(self.v) - look.length / 2
        self.distance = np.where(beyond > 0, np.hypot(np.maximum(across, 0), beyond), across) / look.fold_width
        ridges = 0.07 * np.exp(-((2 * self.distance - 0.9) ** 2)) + 0.16 * np.exp(-((self.distance - 2.4) ** 2))
        self.relief, self.wetness = ridges + 0.012 * self.noise(9) + 0.004 * self.noise(28), np.full_like(self.x, 0.35)
        self.colour = _MUCOSA * (1 + 0.05 * self.noise(6) + 0.05 * self.noise(22))[..., None]
        self.paint(_FOLD, 0.45 - 0.45 * np.tanh(2 * (self.distance - 1) + 0.25 * self.noise(12)))
        self.paint(_VESSEL, self._vessels())
        self.colour *= 1 - 0.35 * np.exp(-((4 * self.distance - 5) ** 2))[..., None]

    def noise(self, cells: int) -> Plane:
        """Smooth noise of about unit variance with `cells` features a side."""
        coarse = Image.fromarray(1.4 * self.rng.standard_normal((cells, cells), np.float32))
        return np.asarray(coarse.resize((self.size, self.size), Image.Resampling.BICUBIC))

    def half_opening(self, v: Plane | float) -> Any:
        """Half width of the glottis at a place along it: a V, rounded at its open end."""
        along = np.clip(v / self.look.length + 0.5, 0, 1)
        return self.opening * along * np.sqrt(1 - along**8)

    def lump(self, radius: float) -> tuple[Plane, float, float]:
        """Squared distance (1 at the uneven rim) from a new place near a fold, often the patient's site; its centre."""
        site = self.look.site if self.rng.random() < 0.6 else self.rng.uniform(-1, 1)
        v = self.look.length * (min(0.9, max(0.1, abs(site) + self.rng.normal(0, 0.1))) - 0.5)
        u = math.copysign(self.half_opening(v) + self.rng.uniform(-0.2, 1.6) * self.look.fold_width, site)
        return ((self.u - u) ** 2 + (self.v - v) ** 2) / radius**2 * np.exp(0.3 * self.noise(7)), u, v

    def paint(self, colour: Plane, cover: Plane) -> None:
        """Lay a colour over the scene, opaque where `cover` is 1."""
        self.colour += cover[..., None] * (colour - self.colour)

    def grow(self, height: Plane, cover: Plane) -> None:
        """Raise the mucosa and turn it pale where `cover` is 1; over the glottis it hides the dark behind."""
        self.relief += height
        self.paint(_LESION, cover * self.rng.uniform(0.6, 1))
        self.distance += cover * np.maximum(0.3 - self.distance, 0)

    def add_bulge(self) -> None:
        """A smooth, nodule-like bulge, as pale and as large as a papilloma: the hard negative."""
        radius = self.rng.uniform(0.14, 0.34)
        inside = np.clip(1 - self.lump(radius)[0], 0, 1)
        self.grow(0.6 * radius * inside**2 * (3 - 2 * inside), np.clip(3 * inside, 0, 1))

    def add_mucus(self) -> None:
        """A glossy, half transparent film."""
        film = np.clip(1.5 - 1.5 * self.lump(self.rng.uniform(0.08, 0.24))[0] - 0.5 * self.noise(9), 0, 1)
        self.relief, self.wetness = self.relief + 0.025 * film, self.wetness + 0.6 * film
        self.paint(_MUCUS, film * self.rng.uniform(0.2, 0.75))

    def add_papilloma(self) -> None:
        """A cluster of small domes with dark clefts between them."""
        radius, grain = self.rng.uniform(0.2, 0.36), self.rng.uniform(0.058, 0.08)
        squared, u, v = self.lump(radius)
        domes = np.zeros_like(squared)
        for reach, turn, scale in self.rng.random((int(1.7 * (radius / grain) ** 2) + 3, 3)).tolist():
            at, size = cmath.rect(radius * math.sqrt(reach), 2 * math.pi * turn), 0.75 + 0.55 * scale
            apart = (self.u - u - at.real) ** 2 + (self.v - v - at.imag) ** 2
            domes = np.maximum(domes, size * np.sqrt(np.clip(1 - apart / (size * grain) ** 2, 0, 1)))
        cover = np.clip(2.5 * domes, 0, 1)
        self.grow(0.4 * radius * np.clip(1 - squared, 0, 1) + 0.9 * grain * domes, cover)
        self.colour *= 1 - 0.7 * (cover * np.clip(1.1 - domes, 0, 1))[..., None]

    def lit(self) -> Plane:
        """Light from the endoscope: diffuse reflection, fall-off, glints and the dark of the trachea."""
        dy, dx = np.gradient(self.relief, 2 / self.size)
        light_x, light_y = self.rng.normal(0, 0.28, 2).tolist()
        upright = np.sqrt((1 + dx**2 + dy**2) * (1 + light_x**2 + light_y**2))
        facing = np.clip((1 - light_x * dx - light_y * dy) / upright, 0, 1)
        tissue = self.colour * (0.35 + 0.75 * facing)[..., None]
        rings = (1 + 0.3 * np.sin(38 * self.v + 3 * self.noise(4))) * np.exp(np.minimum(self.distance, 0))
        trachea = _TRACHEA * rings[..., None]
        solid = 0.5 + 0.5 * np.tanh(5 * self.distance)
        falloff = 1 / (1 + self.rng.uniform(0.2, 0.7) * ((self.x - light_x) ** 2 + (self.y - light_y) ** 2))
        glint = solid * np.clip(facing**40 * (self.noise(20) + 2 * self.wetness - 2.4), 0, 1)
        return (trachea + solid[..., None] * (tissue - trachea)) * falloff[..., None] + 0.9 * glint[..., None]

    def photograph(self) -> NDArray[np.uint8]:
        """Pass the light through a camera: exposure, white balance, blur, round field of view and sensor noise."""
        rng, light, exposure = self.rng, self.lit(), self.look.exposure * self.rng.uniform(0.8, 1.2)
        red, yellow = self.look.redness + rng.normal(0, 0.03), self.look.yellowness + rng.normal(0, 0.03)
        light *= np.array((1 + red, 1 - red / 2 + yellow / 2, 1 - red / 2 - yellow), np.float32) * np.float32(exposure)
        exposed = Image.fromarray((255 * np.clip(light, 0, 1) ** rng.uniform(0.75, 1.05)).astype(np.uint8))
        blurred = np.asarray(exposed.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.8) * self.size / 128)))
        radius = np.hypot(self.x - rng.normal(0, 0.05), self.y - rng.normal(0, 0.05)) / rng.uniform(0.92, 1.15)
        field = (np.clip((1 - radius) * 30, 0, 1) * (1 - 0.35 * np.clip(radius, 0, 1) ** 4))[..., None]
        noise = rng.standard_normal(light.shape, np.float32) * (0.25 + 0.75 * field) * rng.uniform(1, 7)
        return np.clip(blurred * field + noise + 4, 0, 255).astype(np.uint8)

    def _vessels(self) -> Plane:
        canvas = Image.new("L", (2 * self.size, 2 * self.size))
        for _ in range(self.rng.poisson(28 * self.look.vascularity)):
            heading = self.rng.uniform(0, 2 * math.pi) + np.cumsum(self.rng.normal(0, 0.35, 14))
            way = self.rng.uniform(0.015, 0.05) * np.cumsum((np.cos(heading), np.sin(heading)), 1).T
            path = (self.size * (self.rng.uniform(0, 2, 2) + way)).ravel().tolist()
            ImageDraw.Draw(canvas).line(path, int(self.rng.integers(90, 220)), max(1, self.size // 60))
        return np.asarray(canvas.resize((self.size, self.size), Image.Resampling.BOX), np.float32) / 255


def photograph_phantom(
    rng: np.random.Generator, *, papilloma: bool, patient: PatientLook, size: int = 128
) -> NDArray[np.uint8]:
    """Draw one SYNTHETIC endoscopic view of a larynx, `(size, size, 3) uint8` RGB, with or without papillomas.

    What differs between images of a patient comes from `rng`. Raises InvalidOption for a size below 32 pixels.
    """
    if size < 32:
        raise InvalidOption(f"size={size} is too small to show a lesion: choose 32 pixels or more")
    scene = _Scene(rng, patient, size)
    for _ in range(rng.choice(3, p=(0.75, 0.2, 0.05) if papilloma else (0.35, 0.45, 0.2))):
        scene.add_bulge()
    for _ in range(rng.choice(4, p=(0.5, 0.3, 0.15, 0.05))):
        scene.add_mucus()
    for _ in range(rng.choice(4, p=(0, 0.6, 0.3, 0.1)) if papilloma else 0):
        scene.add_papilloma()
    return scene.photograph()


def write_phantoms(
    folder: Path,
    *,
    patients: int = 60,
    images_per_patient: int = 6,
    size: int = 128,
    seed: int = 0,
    defects: bool = True,
) -> Path:
    """Write a SYNTHETIC data set: Normal/ and Papilloma/ with files named by patient, such as P017_03.png.

    Half of the patients have papillomas, which most of their images show; the same arguments give the same bytes.
    With `defects` five files are spoilt or odd, as in real folders, and defects.csv (path, defect) lists them.
    `images_per_patient` is the average. The folder appears only when everything is written. Raises InvalidOption for
    less than 4 patients, 3 images, 32 pixels or seed 0, OutputExists and OutputUnwritable as their names say.
    """
    if patients < 4 or images_per_patient < 3 or size < 32 or seed < 0:
        given = f"{patients=}, {images_per_patient=}, {size=}, {seed=}"
        raise InvalidOption(f"{given} are out of range: choose at least 4, 3, 32 and 0")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise OutputExists(f"{folder} is not empty, but a new or empty folder was expected: choose another")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".phantoms-") as scratch:
            draft = Path(scratch, "draft")
            for label in ("Normal", "Papilloma"):
                (draft / label).mkdir(parents=True)
            (draft / "SYNTHETIC.txt").write_text(_NOTICE, encoding="utf-8", newline="\n")
            ill = np.random.default_rng(seed).permutation(patients) < patients // 2
            for number, is_ill in enumerate(ill.tolist(), start=1):
                rng = np.random.default_rng((seed, number))
                _write_patient(draft, rng, number=number, images=images_per_patient, size=size, is_ill=is_ill)
            if defects:
                _plant_defects(draft)
            if folder.exists():
                folder.rmdir()
            draft.rename(folder)
    except OSError as error:
        raise OutputUnwritable(f"{folder} cannot be written ({error}): choose another folder") from error
    return folder


def _write_patient(draft: Path, rng: np.random.Generator, *, number: int, images: int, size: int, is_ill: bool) -> None:
    look, count = PatientLook.draw(rng), int(rng.integers(images - images // 2, images + images // 2 + 1))
    shown = is_ill & ((rng.random(count) < 0.85) | (np.arange(count) == rng.integers(count)))
    for index, papilloma in enumerate(shown.tolist()):
        label, suffix = "Papilloma" if papilloma else "Normal", "png" if (number + index) % 3 else "jpg"
        image = Image.fromarray(photograph_phantom(rng, papilloma=papilloma, patient=look, size=size))
        image.save(draft / label / f"P{number:03d}_{index:02d}.{suffix}", **_SAVING)


def _plant_defects(draft: Path) -> None:
    """Spoil five files and list them; even the smallest data set allowed has enough of each format."""
    (twin, truncated, *_, grey), turned = sorted(draft.glob("*/*.png")), min(draft.glob("*/*.jpg"))
    copy, text = (draft / label / f"{max((draft / label).iterdir()).stem}b.png" for label in ("Normal", "Papilloma"))
    copy.write_bytes(twin.read_bytes())
    text.write_text("SYNTHETIC: a text file that is named like an image.\n", encoding="utf-8", newline="\n")
    truncated.write_bytes(truncated.read_bytes()[: truncated.stat().st_size // 2])
    Image.open(grey).convert("L").save(grey, **_SAVING)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.open(turned).transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif, **_SAVING)
    truth = {truncated: "truncated", text: "not an image", copy: "copy", grey: "grey", turned: "EXIF orientation"}
    rows = "".join(f"{path.relative_to(draft).as_posix()},{defect}\n" for path, defect in truth.items())
    (draft / "defects.csv").write_text(f"path,defect\n{rows}", encoding="utf-8", newline="\n")
