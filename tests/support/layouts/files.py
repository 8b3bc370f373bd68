"""Layouts whose files are not what their names say, or not there at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from support.dicom_files import dataset, file_bytes
from support.layouts.expected import Expected
from support.layouts.pictures import Pictures

TWO = {"benign": 40, "malignant": 30}
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{:064x}\nsize 48213\n"


def _dicom(pictures: Pictures, shows: int, number: int, **elements: object) -> bytes:
    stored = pictures.pixels(shows)
    return file_bytes(dataset(stored, SOPInstanceUID=f"1.2.3.{number}", **elements))


def suffixes_of_scanners(folder: Path) -> Expected:
    """DICOM as .IMA, .img and without suffix, JPEG as .jfif and with a blank behind: content decides."""
    pictures = Pictures(folder)
    for shows, name in enumerate(("benign", "malignant")):
        for i in range(10):
            pictures.write(f"{name}/{i:03d}.IMA", _dicom(pictures, shows, 100 * shows + i))
            pictures.write(f"{name}/IM_{i:04d}", _dicom(pictures, shows, 1000 + 100 * shows + i))
            pictures.write(f"{name}/{i:03d}.img", _dicom(pictures, shows, 2000 + 100 * shows + i))
            pictures.draw(f"{name}/{i:03d}.jfif", shows, kind="JPEG")
            pictures.draw(f"{name}/trail{i}.jpeg ", shows, kind="JPEG")
            pictures.draw(f"{name}/plain{i}", shows)
    return Expected(classes={"benign": 60, "malignant": 60}, positive="malignant")


def suffixes_in_capitals_and_wrong(folder: Path) -> Expected:
    pictures = Pictures(folder)
    for shows, name in enumerate(("benign", "malignant")):
        for i in range(12):
            pictures.draw(f"{name}/a{i}.JPG", shows, kind="JPEG")
            pictures.draw(f"{name}/b{i}.Tif", shows, kind="TIFF")
            pictures.draw(f"{name}/c{i}.jpg", shows, kind="PNG")
    return Expected(classes={"benign": 36, "malignant": 36}, positive="malignant")


def disc_of_a_hospital(folder: Path) -> Expected:
    """DICOM images among a DICOMDIR, a structured report, a viewer and a log."""
    pictures = Pictures(folder)
    report = "1.2.840.10008.5.1.4.1.1.88.11"
    for shows, name in enumerate(("normal", "stroke")):
        for i in range(30):
            content = _dicom(pictures, shows, 100 * shows + i, PatientID=f"{name}{i // 2}")
            pictures.write(f"{name}/IM{i:05d}", content)
        for i, uid in enumerate((report, "1.2.840.10008.5.1.4.1.1.11.1", "1.2.840.10008.5.1.4.1.1.88.59")):
            other = dataset(pictures.pixels(), SOPClassUID=uid, SOPInstanceUID=f"1.2.9.{shows}.{i}")
            del other.PixelData
            other.file_meta.MediaStorageSOPClassUID = uid
            pictures.write(f"{name}/SR{i:05d}", file_bytes(other))
        directory = dataset(pictures.pixels(), SOPClassUID="1.2.840.10008.1.3.10")
        del directory.PixelData
        directory.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
        pictures.write(f"{name}/DICOMDIR", file_bytes(directory))
        pictures.write(f"{name}/VIEWER.EXE", b"MZ\x90\0")
    return Expected(classes={"normal": 30, "stroke": 30}, positive="stroke", patients=30, says=("DICOM.*left out",))


def volumes_only(folder: Path) -> Expected:
    """Class folders of a format that is not read: which it is, and which are read."""
    pictures = Pictures(folder)
    for name in ("AD", "CN"):
        for i in range(5):
            pictures.write(f"{name}/sub-{i}.nrrd", b"NRRD0004\n" + bytes(60))
    return Expected(refused=(r"\.nrrd", "PNG|DICOM"))


def annotations_only(folder: Path) -> Expected:
    """Labels in JSON as detection has them are not read: what is read is said."""
    pictures = Pictures(folder)
    pictures.draw_all(30, 0, "images/{:03d}.png")
    pictures.write("annotations/instances.json", '{"images": [], "annotations": []}')
    return Expected(refused=("class|table|label",))


def pointers_for_images(folder: Path) -> Expected:
    """A clone without its large files."""
    pictures = Pictures(folder)
    for name, count in TWO.items():
        for i in range(count):
            pictures.write(f"{name}/{i:03d}.png", POINTER.format(i))
    return Expected(refused=("LFS", "git lfs pull"))


def pointers_among_images(folder: Path) -> Expected:
    pictures = Pictures(folder)
    pictures.class_folders(TWO)
    for i in range(6):
        pictures.write(f"benign/late{i}.png", POINTER.format(i))
    return Expected(classes=TWO, positive="malignant", says=("LFS", r"\b6\b"))


def pipes_and_loops(folder: Path) -> Expected:
    """A FIFO, a link to itself and one to nothing, under names of images, hold nobody up."""
    pictures = Pictures(folder)
    pictures.class_folders(TWO)
    os.mkfifo(folder / "benign" / "pipe.png")
    (folder / "benign" / "self.png").symlink_to(folder / "benign" / "self.png")
    (folder / "malignant" / "gone.png").symlink_to(folder / "nowhere.png")
    (folder / "malignant" / "device.png").symlink_to("/dev/zero")
    return Expected(classes=TWO, positive="malignant", says=(r"\b[1-4]\b",))


def linked_images(folder: Path) -> Expected:
    """What a download cache makes: every image is a link to a file that has no suffix."""
    pictures = Pictures(folder)
    for shows, (name, count) in enumerate(TWO.items()):
        for drawn in pictures.draw_all(count, shows, f"blobs/{name}{{:03d}}"):
            link = folder / "set" / name / f"{Path(drawn).name}.png"
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(folder / drawn)
    return Expected(classes=TWO, positive="malignant", data="set")


def pixels_of_all_kinds(folder: Path) -> Expected:
    """16 bits, a palette, transparency, CMYK, one bit; and GIF, which is not read."""
    pictures = Pictures(folder)
    for shows, name in enumerate(("benign", "malignant")):
        for i in range(6):
            grey = Image.fromarray(pictures.pixels(shows))
            target = folder / name
            target.mkdir(exist_ok=True)
            Image.fromarray(pictures.pixels(shows).astype(np.uint16) * 200).save(target / f"deep{i}.png")
            grey.convert("P").save(target / f"palette{i}.png")
            grey.convert("RGBA").save(target / f"clear{i}.png")
            grey.convert("CMYK").save(target / f"print{i}.jpg")
            Image.fromarray(pictures.pixels(shows)).convert("1").save(target / f"bit{i}.png")
            grey.save(target / f"moving{i}.gif")
    return Expected(classes={"benign": 30, "malignant": 30}, positive="malignant", says=("12 .*gif",))


def archive_left_beside(folder: Path) -> Expected:
    """The download lies beside what was unpacked of it, with a licence and notes."""
    pictures = Pictures(folder)
    pictures.class_folders(TWO)
    shutil.make_archive(str(folder / "benign" / "download"), "zip", folder / "malignant")
    pictures.write("LICENSE", "CC BY 4.0")
    pictures.write("README.md", "# A set")
    pictures.write("notes.csv", "date,remark\n2024-01-01,first\n")
    return Expected(classes=TWO, positive="malignant", says=("1 .zip|\\.zip",))


def names_with_everything(folder: Path) -> Expected:
    """Blanks, per cent, brackets, markup, quotes, a line break and a very long name."""
    pictures = Pictures(folder)
    pictures.class_folders(TWO)
    for i, name in enumerate(
        ("a [b]", "[bold red]x[/]", "1%0", 'it\'s "so"', "line\nbreak", "\x1b[31mred", "\u2028", "é" * 100)
    ):
        for shows, label in enumerate(TWO):
            pictures.draw(f"{label}/{name}{i}.png", shows)
    return Expected(classes={"benign": 48, "malignant": 38}, positive="malignant")
