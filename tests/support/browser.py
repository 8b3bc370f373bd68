"""The reading room in Chromium: a server in a thread, and pages of which nothing was complained of."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from overread import Reader
from overread.reading_log import ReadingLog
from overread.service.app import create_app
from overread.service.settings import Settings

CHROMIUM = os.environ.get("PLAYWRIGHT_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
NO_CHROMIUM = "no Chromium here: apt-get install chromium, or name one in PLAYWRIGHT_CHROMIUM"
DESK, PHONE = (1280, 860), (375, 760)
_QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextlib.contextmanager
def serving(readers: Mapping[str, Reader], settings: Settings, log: ReadingLog) -> Iterator[str]:
    """Where the reading room answers."""
    app = create_app(dict(readers), settings, log)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.05)
        assert thread.is_alive()
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join()


@contextlib.contextmanager
def launched() -> Iterator[Any]:
    """The browser."""
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        yield browser
        browser.close()


@contextlib.contextmanager
def opening(browser: Any, url: str) -> Iterator[Callable[..., Any]]:
    """Opens the page at a width and theme; in the end nothing was complained of, and nothing left the server."""
    complaints: list[str] = []
    contexts = []

    def opened(size: tuple[int, int] = DESK, theme: str = "light", *, script: bool = True, path: str = "") -> Any:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=theme,
            java_script_enabled=script,
            accept_downloads=True,
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.on(
            "request", lambda found: found.url.startswith((url, "data:", "blob:")) or complaints.append(found.url)
        )
        context.on("console", lambda said: complaints.extend([said.text] * _is_complaint(said)))
        context.on("weberror", lambda found: complaints.append(str(found.error)))
        page = context.new_page()
        page.goto(url + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(said: Any) -> bool:
    # That a server is busy is said by the browser itself, and meant to be.
    return said.type in ("error", "warning") and "status of 503" not in said.text


def upload(page: Any, *paths: Path) -> None:
    """Give the page files, and wait until they are read."""
    page.set_input_files("#files", [str(path) for path in paths])
    page.locator("#status", has_text="not readable").wait_for(state="attached")


def assert_accessible(page: Any) -> None:
    """Nothing keeps anybody from using the page, as far as axe can tell."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
