"""Layouts whose folders say what an image shows."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from PIL import Image

from support.layouts.expected import Expected
from support.layouts.pictures import Pictures

TWO = {"benign": 40, "malignant": 30}


def plain_class_folders(folder: Path) -> Expected:
    Pictures(folder).class_folders(TWO)
    return Expected(classes=TWO, positive="malignant", says=("positive class is malignant",))


def sides_above_classes(folder: Path) -> Expected:
    pictures = Pictures(folder)
    for side, (normal, ill) in {"train": (30, 30), "val": (20, 20), "test": (12, 14)}.items():
        pictures.class_folders({"NORMAL": normal, "PNEUMONIA": ill}, f"{side}/")
    sides = {"train": 60, "val": 40, "test": 26}
    return Expected(classes={"NORMAL": 62, "PNEUMONIA": 64}, positive="PNEUMONIA", sides=sides)


def sides_below_classes(folder: Path) -> Expected:
    pictures = Pictures(folder)
    for side, count in {"train": 30, "test": 12}.items():
        pictures.draw_all(count, 0, f"NORMAL/{side}/{{:03d}}.png")
        pictures.draw_all(count, 1, f"PNEUMONIA/{side}/{{:03d}}.png")
    sides = {"train": 60, "test": 24}
    return Expected(classes={"NORMAL": 42, "PNEUMONIA": 42}, positive="PNEUMONIA", sides=sides)


def sides_with_other_names(folder: Path) -> Expected:
    """Four classes below Training and Testing."""
    pictures = Pictures(folder)
    for side, count in {"Training": 18, "Testing": 6}.items():
        pictures.class_folders(dict.fromkeys(("glioma", "meningioma", "notumor", "pituitary"), count), f"{side}/")
    classes = dict.fromkeys(("glioma", "meningioma", "notumor", "pituitary"), 24)
    return Expected(classes=classes, sides={"train": 72, "test": 24})


def sides_with_longer_names(folder: Path) -> Expected:
    """The kind of sides_with_other_names: what is plainly a side is one, whatever is written behind it."""
    pictures = Pictures(folder)
    pictures.class_folders({"benign": 28, "malignant": 28}, "train_set/")
    pictures.class_folders({"benign": 12, "malignant": 12}, "test_set/")
    return Expected(classes={"benign": 40, "malignant": 40}, positive="malignant", sides={"train": 56, "test": 24})


def test_side_without_labels(folder: Path) -> Expected:
    """A competition's download: its test images lie loose, and nobody knows what they show."""
    pictures = Pictures(folder)
    pictures.class_folders(TWO, "train/")
    pictures.draw_all(15, 0, "test/{:03d}.png")
    return Expected(classes=TWO, positive="malignant", sides={"train": 70}, says=(r"\b15\b",))


def patients_as_sub_folders(folder: Path) -> Expected:
    pictures = Pictures(folder)
    for patient in range(24):
        label, shows = ("benign", 0) if patient < 12 else ("malignant", 1)
        pictures.draw_all(3, shows, f"{label}/P{patient:03d}/{{:02d}}.png")
    return Expected(classes={"benign": 36, "malignant": 36}, positive="malignant", says=("sub-?folders",))


def one_class_in_two_spellings(folder: Path) -> Expected:
    Pictures(folder).class_folders({"NORMAL": 20, "PNEUMONIA": 30, "Normal": 20})
    options = {"--map": "Normal=NORMAL"}
    return Expected(classes={"NORMAL": 40, "PNEUMONIA": 30}, positive="PNEUMONIA", options=options)


def blank_behind_a_class(folder: Path) -> Expected:
    """A trailing blank that nobody sees makes no class."""
    pictures = Pictures(folder)
    pictures.class_folders({"Tumor": 30, "Healthy": 20}, "train/")
    pictures.class_folders({"Tumor ": 20, "Healthy": 20}, "test/")
    options = {"--map": "Tumor =Tumor"}
    sides = {"train": 50, "test": 40}
    return Expected(classes={"Healthy": 40, "Tumor": 50}, positive="Tumor", sides=sides, options=options)


def left_behind_by_systems(folder: Path) -> Expected:
    """macOS, Windows, Synology and Jupyter leave files and folders that look like images and classes."""
    pictures = Pictures(folder)
    pictures.class_folders(TWO)
    for name in TWO:
        pictures.write(f"__MACOSX/{name}/._000.png", b"\0\5\x16\7")
        pictures.write(f"{name}/._001.png", b"\0\5\x16\7")
        pictures.write(f"{name}/Thumbs.db", b"\xd0\xcf\x11\xe0")
        pictures.write(f"{name}/desktop.ini", "[.ShellClassInfo]")
        pictures.write(f"{name}/.DS_Store", b"\0\0\0\1Bud1")
        pictures.write(f"{name}/000.png:Zone.Identifier", "[ZoneTransfer]\r\nZoneId=3")
        pictures.draw(f"{name}/@eaDir/000.png/SYNOPHOTO_THUMB_M.jpg", kind="JPEG")
        pictures.draw(f"{name}/.ipynb_checkpoints/000-checkpoint.png")
    pictures.draw("@eaDir/000.png")
    pictures.draw(".ipynb_checkpoints/000-checkpoint.png")
    return Expected(classes=TWO, positive="malignant", says=("left out|skipped",))


def own_run_among_the_data(folder: Path) -> Expected:
    """A run of the program lies beside the class folders, with figures that are images."""
    pictures = Pictures(folder)
    pictures.class_folders(TWO)
    pictures.write("my_run/run.json", '{"kind": "train"}')
    pictures.draw_all(5, 0, "my_run/figures/{:03d}.png")
    return Expected(classes=TWO, positive="malignant", says=("run",))


def single_class(folder: Path) -> Expected:
    Pictures(folder).class_folders({"tumour": 40})
    return Expected(refused=("one class", "tumour"))


def archive_in_archive(folder: Path) -> Expected:
    """Folders that hold one folder, and what macOS adds beside the first."""
    pictures = Pictures(folder)
    pictures.class_folders(TWO, "archive/Dataset/Dataset/data/")
    pictures.write("__MACOSX/archive/._Dataset", b"\0\5\x16\7")
    return Expected(classes=TWO, positive="malignant")


def download_that_holds_itself(folder: Path) -> Expected:
    """The data lie in it twice, as in the best-known chest X-ray download: one copy is read, or the user is told."""
    pictures = Pictures(folder)
    for side, count in {"train": 25, "test": 10}.items():
        pictures.class_folders({"NORMAL": count, "PNEUMONIA": count}, f"chest_xray/{side}/")
    for side in ("train", "test"):
        shutil.copytree(folder / "chest_xray" / side, folder / "chest_xray" / "chest_xray" / side)
    pictures.write("chest_xray/__MACOSX/._train", b"\0\5\x16\7")
    return Expected(refused=("chest_xray",))


def masks_beside_images(folder: Path) -> Expected:
    """Ultrasound with a mask beside each image, told by its name."""
    pictures = Pictures(folder)
    for shows, (name, count) in enumerate({"normal": 30, "malignant": 30}.items()):
        for drawn in pictures.draw_all(count, shows, f"{name}/{name} ({{}}).png", first=1):
            mask = Image.new("L", (24, 24))
            mask.paste(255, (8, 8, 16, 16))
            mask.save(folder / drawn.replace(".png", "_mask.png"))
    classes = {"normal": 60, "malignant": 60}
    return Expected(classes=classes, positive="malignant", audit_blocks=True)


def images_and_masks_below_classes(folder: Path) -> Expected:
    """COVID/images and COVID/masks, with a table of each class: the folders that are merged are named."""
    pictures = Pictures(folder)
    for shows, name in enumerate(("Normal", "COVID")):
        drawn = pictures.draw_all(30, shows, f"{name}/images/{name}-{{}}.png", first=1)
        for image in drawn:
            path = folder / image.replace("/images/", "/masks/")
            path.parent.mkdir(exist_ok=True)
            Image.new("L", (24, 24), 255).save(path)
        pictures.table(
            f"{name}.metadata.csv", [["FILE NAME", "FORMAT"], *([Path(image).stem, "PNG"] for image in drawn)]
        )
    return Expected(classes={"Normal": 60, "COVID": 60}, positive="COVID", says=("masks",), audit_blocks=True)


def images_and_masks_as_siblings(folder: Path) -> Expected:
    """Storage is no class, though there are two folders."""
    pictures = Pictures(folder)
    pictures.class_folders({"images": 30, "masks": 30})
    return Expected(refused=("images", "masks"))


def folds_as_folders(folder: Path) -> Expected:
    pictures = Pictures(folder)
    for fold in range(1, 4):
        pictures.class_folders({"benign": 12, "malignant": 12}, f"fold_{fold}/")
    return Expected(classes={"benign": 36, "malignant": 36}, positive="malignant", says=("fold_",), refused=("fold_1",))


def class_in_the_file_name(folder: Path) -> Expected:
    pictures = Pictures(folder)
    for shows, (name, count) in enumerate(TWO.items()):
        pictures.draw_all(count, shows, f"{name}_{{:03d}}.png")
    return Expected(refused=("class", "70"))


def one_name_in_two_folders(folder: Path) -> Expected:
    """The plainest layout has 001.png in every class, and a table of cases that tells them apart by their folder."""
    pictures = Pictures(folder)
    pictures.class_folders({"a": 30, "b": 30})
    rows = [[f"{name}/{i:03d}.png", label] for name, label in (("a", "ill"), ("b", "normal")) for i in range(30)]
    pictures.table("labels.csv", [["file", "diagnosis"], *rows])
    return Expected(classes={"normal": 30, "ill": 30}, positive="ill", options={"--labels": "labels.csv"})


def copies_without_patients(folder: Path) -> Expected:
    """Each of ten images lies there three times: the copies are one group for the split."""
    pictures = Pictures(folder)
    pictures.class_folders(TWO)
    for name in TWO:
        for i in range(5):
            for copy in (1, 2):
                shutil.copy(folder / name / f"{i:03d}.png", folder / name / f"{i:03d} - Copy ({copy}).png")
    return Expected(classes={"benign": 50, "malignant": 40}, positive="malignant", audit_blocks=False)


def near_copies_without_patients(folder: Path) -> Expected:
    """Augmented beforehand: each of twelve images lies there as JPEG of lower quality and a little brighter too."""
    pictures = Pictures(folder)
    pictures.class_folders(TWO)
    for name in TWO:
        for i in range(6):
            with Image.open(folder / name / f"{i:03d}.png") as image:
                image.save(folder / name / f"{i:03d}_aug.jpg", quality=92)
                image.point(lambda value: value * 1.1).save(folder / name / f"{i:03d}_bright.png")
    return Expected(classes={"benign": 52, "malignant": 42}, positive="malignant", audit_blocks=False)


def copies_across_named_sides(folder: Path) -> Expected:
    pictures = Pictures(folder)
    for side, count in {"train": 30, "test": 15}.items():
        pictures.class_folders({"benign": count, "malignant": count}, f"{side}/")
    for name in ("benign", "malignant"):
        for i in range(4):
            shutil.copy(folder / "train" / name / f"{i:03d}.png", folder / "test" / name / f"copy{i}.png")
    return Expected(
        classes={"benign": 49, "malignant": 49},
        positive="malignant",
        sides={"train": 60, "test": 38},
        audit_blocks=True,
        options={"--ignore-sides": ""},
    )


def copies_across_classes(folder: Path) -> Expected:
    """The same image is called benign and malignant."""
    pictures = Pictures(folder)
    pictures.class_folders(TWO)
    for i in range(5):
        shutil.copy(folder / "benign" / f"{i:03d}.png", folder / "malignant" / f"copy{i}.png")
    return Expected(classes={"benign": 40, "malignant": 35}, positive="malignant", audit_blocks=True)


def names_that_are_no_text(folder: Path) -> Expected:
    """Names written in GBK and unpacked on Linux."""
    pictures = Pictures(folder)
    pictures.class_folders(TWO)
    for name in TWO:
        for i in range(5):
            path = folder / name / f"{i:03d}.png"
            path.rename(path.with_name(os.fsdecode(b"\xb2\xa1\xc0\xfd") + path.name))
    return Expected(classes=TWO, positive="malignant")


def classes_in_chinese(folder: Path) -> Expected:
    classes = {"正常": 30, "肺炎": 30}
    Pictures(folder).class_folders(classes)
    return Expected(classes=classes, says=("positive class",))


def classes_that_are_no_text(folder: Path) -> Expected:
    """The same folders as they come out of an archive made under Windows."""
    pictures = Pictures(folder)
    pictures.class_folders({"a": 30, "b": 30})
    for name, written in (("a", "正常"), ("b", "肺炎")):
        (folder / name).rename(folder / os.fsdecode(written.encode("gbk")))
    return Expected(classes={"normal": 30, "ill": 30}, exact_names=False)


def classes_as_digits(folder: Path) -> Expected:
    classes = {str(grade): 20 for grade in range(4)}
    Pictures(folder).class_folders(classes)
    return Expected(classes=classes)


def linked_folders(folder: Path) -> Expected:
    """A class folder is a link to a folder elsewhere, and a link leads back to the top."""
    pictures = Pictures(folder)
    pictures.class_folders({"data/benign": 30, "elsewhere/malignant": 30})
    (folder / "data" / "malignant").symlink_to(folder / "elsewhere" / "malignant", target_is_directory=True)
    (folder / "data" / "benign" / "loop").symlink_to(folder / "data", target_is_directory=True)
    return Expected(classes={"benign": 30, "malignant": 30}, positive="malignant", data="data")
