"""Make the pictures of the documentation from a run of the demonstration: `overread demo --out demo`, then this.

    python docs/make_pictures.py demo

Takes playwright and a Chromium (PLAYWRIGHT_CHROMIUM, or the one of the system). None of the images shows a patient.
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

PICTURES = Path(__file__).parent / "pictures"
FIGURES = (
    "figures/samples", "figures/augmented", "figures/training", "figures/mean_maps", "test/figures/roc",
    "test/figures/precision_recall", "test/figures/confusion", "test/figures/reliability", "test/figures/net_benefit",
)  # fmt: skip
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


def photograph_reading_room(browser: Browser, address: str, images: list[Path]) -> None:
    """The reading room with an image in it."""
    page = browser.new_page(viewport={"width": 1180, "height": 1010})
    page.goto(address)
    page.set_input_files("#files", images)
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


def main(demo: Path) -> None:
    """Make all of them."""
    run = demo / "run"
    for figure in FIGURES:
        save(Image.open(run / f"{figure}.png"), Path(figure).name)
    mistakes = Image.open(run / "test" / "figures" / "mistakes.png")
    save(mistakes.crop((0, 0, mistakes.width, mistakes.height // 2)), "mistakes")
    images = sorted((demo / "images" / "Papilloma").glob("P008_02.*"))
    with sync_playwright() as started, reading_room(run) as address:
        browser = started.chromium.launch(
            executable_path=os.environ.get("PLAYWRIGHT_CHROMIUM") or shutil.which("chromium"), args=["--no-sandbox"]
        )
        photograph_report(browser, run)
        photograph_reading_room(browser, address, images)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
