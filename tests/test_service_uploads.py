"""Uploads that are wrong in every way known: each a 4xx, and the server reads on."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from overread.errors import UnreadableImage
from overread.images import Preprocessing
from overread.service.room.decoding import DecodingPool, Undecodable
from overread.service.room.zips import Limits, unpack
from overread.service.settings import MIB, Settings
from support import malformed

BOUNDARY = "multipart/form-data; boundary=x"


def part(name: str = "files", file_name: str | None = "a.png", content: bytes = b"x", more: str = "") -> bytes:
    named = "" if file_name is None else f'; filename="{file_name}"'
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{named}\r\n{more}\r\n'.encode() + content + b"\r\n"


# (content type, body, the statuses that may come)
BODIES: dict[str, tuple[str | None, bytes, set[int]]] = {
    "nothing at all": (None, b"", {415}),
    "JSON": ("application/json", b'{"files": "a.png"}', {415}),
    "a form that is not multipart": ("application/x-www-form-urlencoded", b"files=a.png", {415}),
    "a bare image": ("image/png", malformed.saved("PNG"), {415}),
    "multipart of another kind": ("multipart/mixed; boundary=x", part() + b"--x--", {415}),
    "no boundary": ("multipart/form-data", part() + b"--x--", {400}),
    "an empty boundary": ("multipart/form-data; boundary=", part() + b"--x--", {400}),
    "an endless boundary": (f"multipart/form-data; boundary={'x' * 5000}", part() + b"--x--", {400}),
    "another boundary": ("multipart/form-data; boundary=y", part() + b"--x--", {400}),
    "no end": (BOUNDARY, part(), {400}),
    "the end in a part": (BOUNDARY, part()[:30], {400}),
    "no part": (BOUNDARY, b"--x--\r\n", {400, 422}),
    "noise": (BOUNDARY, bytes(range(256)) * 20, {400}),
    "an empty body": (BOUNDARY, b"", {400, 422}),
    "a part without a name": (BOUNDARY, b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--", {400}),
    "a part without a header": (BOUNDARY, b"--x\r\n\r\nx\r\n--x--", {400}),
    "a header without a colon": (BOUNDARY, b"--x\r\nContent-Disposition\r\n\r\nx\r\n--x--", {400}),
    "a header without end": (BOUNDARY, part(more=f"X: {'x' * 100_000}\r\n") + b"--x--", {400, 422}),
    "many headers": (BOUNDARY, part(more="X: x\r\n" * 5000) + b"--x--", {400, 422}),
    "a field and no file": (BOUNDARY, part(file_name=None) + b"--x--", {422}),
    "a large field": (BOUNDARY, part(file_name=None, content=b"x" * 100_000) + b"--x--", {400}),
    "many fields": (BOUNDARY, part(file_name=None) * 50 + b"--x--", {400}),
    "many files": (BOUNDARY, part() * 21 + b"--x--", {413}),
    "more bytes than allowed": (BOUNDARY, part(content=bytes(5 * MIB)) + b"--x--", {413}),
}
NAMES = {
    "of a folder above": "../../../../etc/passwd",
    "of a device": "CON",
    "with an escaped line end": "a%0D%0ASet-Cookie: x=1.png",
    "with NUL": "a\0.png",
    "with a tab": "a\tb.png",
    "that turns direction": "gpj.\N{RIGHT-TO-LEFT OVERRIDE}exe.png",
    "with markup": "<img src=x onerror=alert(1)>.png",
    "without end": "x" * 50_000 + ".png",
    "with nothing": "",
    "of other letters": "\N{LATIN SMALL LETTER E WITH ACUTE}\N{CJK UNIFIED IDEOGRAPH-5F71}.png",
}


@pytest.fixture(scope="module")
def reads(client: Any, two_classes: Path) -> Iterator[Any]:
    """Asks for a good reading, and whether it came."""
    content = next(two_classes.glob("Normal/*.png")).read_bytes()
    yield lambda: client.post("/v1/readings", files=[("files", ("good.png", content))]).status_code == 200


def refused(answer: Any, statuses: set[int]) -> None:
    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) >= {"type", "title", "status", "detail"}


def test_there_are_more_than_sixty_kinds() -> None:
    assert len(malformed.FILES) >= 60


@pytest.mark.parametrize("name", malformed.FILES)
def test_a_malformed_file_is_refused_and_the_server_reads_on(client: Any, reads: Any, name: str) -> None:
    answer = client.post("/v1/readings", files=[("files", (name, malformed.FILES[name]()))])
    refused(answer, {422})
    assert all(error["code"] in ("unreadable", "too-large") for error in answer.json()["errors"]), answer.text
    assert reads()


@pytest.mark.parametrize("name", BODIES)
def test_a_malformed_request_is_refused_and_the_server_reads_on(client: Any, reads: Any, name: str) -> None:
    kind, body, statuses = BODIES[name]
    refused(client.post("/v1/readings", content=body, headers={"content-type": kind} if kind else {}), statuses)
    assert reads()


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_does_no_harm(client: Any, reads: Any, name: str) -> None:
    body = part(file_name=NAMES[name], content=malformed.saved("PNG")) + b"--x--\r\n"
    answer = client.post("/v1/readings", content=body, headers={"content-type": BOUNDARY})
    assert answer.status_code in (200, 400, 422), answer.text
    if answer.status_code == 200:
        (item,) = answer.json()["images"]
        assert item["name"].isprintable() and len(item["name"]) <= 200
    assert reads()


def test_a_body_that_hides_its_length_is_cut_off(client: Any, reads: Any) -> None:
    def endless() -> Iterator[bytes]:
        yield part()[:-3]
        for _ in range(6):
            yield bytes(MIB)

    refused(client.post("/v1/readings", content=endless(), headers={"content-type": BOUNDARY}), {413})
    assert reads()


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [("/v1/readings?bundle=none", {}, 404), ("/v1/readings", {"Idempotency-Key": "k" * 300}, 422)],
)
def test_a_request_for_what_is_not_there_is_refused(
    client: Any, address: str, headers: dict[str, str], status: int
) -> None:
    refused(client.post(address, files=[("files", ("a.png", b"x"))], headers=headers), {status})


def test_small_bodies_are_enough_elsewhere(client: Any) -> None:
    refused(client.post("/v1/readings/x/images/0/review", json={"true_label": "x" * 100_000}), {413})


def test_a_zip_of_an_image_gives_the_image() -> None:
    limits = Limits(files=2, file_bytes=MIB, total_bytes=MIB, ratio=100)
    image = malformed.saved("PNG")
    assert unpack(malformed.zipped([("a/b.png", image)]), limits) == [("a/b.png", image)]
    with pytest.raises(UnreadableImage, match="3 files; 2 are taken"):
        unpack(malformed.zipped([(str(i), image) for i in range(3)]), limits)


def test_what_systems_leave_behind_in_a_zip_is_no_image() -> None:
    limits = Limits(files=2, file_bytes=MIB, total_bytes=MIB, ratio=100)
    image = malformed.saved("PNG")
    junk = [
        "__MACOSX/._b.png",
        "a/.DS_Store",
        "a/Thumbs.db",
        "a/desktop.ini",
        "a/@eaDir/b.png",
        "a/b.png:Zone.Identifier",
    ]
    zipped = malformed.zipped([(name, image) for name in [*junk, "../a/trail.png "]])
    assert unpack(zipped, limits) == [("../a/trail.png ", image)]


@pytest.fixture
def small_pool() -> Iterator[DecodingPool]:
    pool = DecodingPool(Settings(workers=1, timeout_s=1, memory_bytes=512 * MIB))
    yield pool
    pool.close()


def test_processes_that_the_system_ends_are_replaced(small_pool: DecodingPool) -> None:
    grey = Preprocessing(height=32, width=32, channels=1)

    async def read_after_a_kill() -> None:
        for _ in range(2):
            os.kill(await small_pool.run(os.getpid), signal.SIGKILL)
            await asyncio.sleep(0.5)
            found = await small_pool.decode(malformed.saved("PNG"), "", grey, to_show=False)
            assert found.pixels.shape == (32, 32, 1)

    asyncio.run(read_after_a_kill())


def test_what_hangs_crashes_or_swallows_memory_ends_alone(small_pool: DecodingPool) -> None:
    image, grey = malformed.saved("PNG"), Preprocessing(height=32, width=32, channels=1)

    async def side_by_side() -> list[Any]:
        return await asyncio.gather(
            small_pool.run(time.sleep, 600),
            small_pool.decode(image, "", grey, to_show=False),
            small_pool.run(os._exit, 3),
            small_pool.decode(image, "", grey, to_show=False),
            small_pool.run(bytearray, 2**40),
            small_pool.run(int, "x"),
            small_pool.decode(image, "", grey, to_show=True),
            return_exceptions=True,
        )

    hung, first, crashed, second, swallowed, failed, third = asyncio.run(side_by_side())
    codes = [error.code for error in (hung, crashed, swallowed, failed) if isinstance(error, Undecodable)]
    assert codes == ["timed-out", "crashed", "out-of-memory", "crashed"]
    assert all(found.pixels.shape == (32, 32, 1) for found in (first, second, third))
    assert third.rendition is not None
    assert asyncio.run(small_pool.answers())
