"""Make the pictures of the documentation, from a training on phantoms: `python docs/make_pictures.py`.

Takes playwright and a Chromium (the one of the system, or PLAYWRIGHT_CHROMIUM). No image shows a patient.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from overread import Augmentation, Recipe, Source, train
from overread.demo.phantom import write_phantoms

PICTURES = Path(__file__).parent / "pictures"
FIGURES = (
    "figures/samples", "figures/augmented", "figures/training", "figures/mean_maps", "figures/robustness",
    "test/figures/roc", "test/figures/precision_recall", "test/figures/confusion", "test/figures/reliability",
    "test/figures/net_benefit",
)  # fmt: skip
RECIPE = Recipe(
    network="compact",
    size=96,
    epochs=7,
    batch_size=16,
    seed=2,
    precision="float32",
    augmentation=Augmentation(rotation_degrees=25, horizontal_flip=True),
)
WIDTH, COLOURS = 720, 128


def save(picture: Image.Image, name: str) -> None:
    """Save a picture no wider than a page, in few colours, so that it stays small."""
    picture = picture.convert("RGB")
    if picture.width > WIDTH:
        picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURES / f"{name}.png", optimize=True)


def photograph_report(browser: Browser, run: Path) -> None:
    """The first screen of the report."""
    page = browser.new_page(viewport={"width": 1000, "height": 860})
    page.goto((run / "report.html").resolve().as_uri())
    save(Image.open(io.BytesIO(page.screenshot())), "report")


def photograph_reading_room(browser: Browser, address: str, image: Path) -> None:
    """The reading room with an image in it."""
    page = browser.new_page(viewport={"width": 1180, "height": 1010})
    page.goto(address)
    page.set_input_files("#files", image)
    page.locator("#status", has_text="not readable").wait_for(state="attached")
    save(Image.open(io.BytesIO(page.screenshot())), "reading_room")


@contextmanager
def reading_room(run: Path) -> Iterator[str]:
    """A reading room on this machine while it is photographed, with a log that is thrown away."""
    with TemporaryDirectory() as folder:
        options = ["--port", "0", "--log-url", f"sqlite:///{folder}/log.sqlite"]
        command = [sys.executable, "-m", "overread.cli", "serve", str(run), *options]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
            yield next(word for line in server.stderr or () for word in line.split() if word.startswith("http"))
            server.terminate()


def main() -> None:
    """Train, with some mistakes to show, and make all pictures of that run."""
    with TemporaryDirectory() as folder, sync_playwright() as started:
        images = write_phantoms(Path(folder, "images"))
        cases = Source(data=str(images), patient_pattern=r"^(P\d+)_")
        run = train(cases, Path(folder, "run"), RECIPE, skip_unreadable=True).out
        for figure in FIGURES:
            save(Image.open(run / f"{figure}.png"), Path(figure).name)
        mistakes = Image.open(run / "test" / "figures" / "mistakes.png")
        save(mistakes.crop((0, 0, mistakes.width, mistakes.height // 2)), "mistakes")
        browser = started.chromium.launch(
            executable_path=os.environ.get("PLAYWRIGHT_CHROMIUM") or shutil.which("chromium"), args=["--no-sandbox"]
        )
        photograph_report(browser, run)
        with reading_room(run) as address:
            photograph_reading_room(browser, address, images / "Papilloma" / "P008_02.png")
        browser.close()


if __name__ == "__main__":
    main()
