"""Files that cost a reader far more than their pixels warrant: each is refused, or read, within a second."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Callable, Sequence

import pytest
from PIL import Image

from overread.errors import UnreadableImage
from overread.formats import open_picture, read_header
from support.malformed import GREY_TIFF, LOOPED, PNG_MAGIC, SMALL_TIFF, png_chunk, saved, tiff

PAGE = [*SMALL_TIFF, (273, 4, 1, 8), (278, 4, 1, 4), (279, 4, 1, 16)]


def pages(count: int, tags: Sequence[tuple[int, int, int, int]] = PAGE) -> bytes:
    """So many pages of 4 x 4 pixels that share them."""
    body = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHLL", *tag) for tag in tags)
    start, size = 24, len(body) + 4
    following = (start + size * (i + 1) if i + 1 < count else 0 for i in range(count))
    return b"II*\0" + struct.pack("<L", start) + bytes(16) + b"".join(body + struct.pack("<L", at) for at in following)


def strips(count: int) -> bytes:
    tags = [(256, 4, 1, 1), (257, 4, 1, count), *GREY_TIFF, (273, 4, count, 200), (278, 4, 1, 1), (279, 4, count, 200)]
    return tiff(*tags).ljust(200, b"\0") + bytes(4 * count)


def big_tiff(tags: int) -> bytes:
    return b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, tags) + struct.pack("<HHQQ", 256, 4, 1, 4) * 100_000


def tile(side: int) -> bytes:
    tags = [(256, 4, 1, 16), (257, 4, 1, 16), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1), (277, 3, 1, 1)]
    return tiff(*tags, (322, 4, 1, side), (323, 4, 1, side), (324, 4, 1, 8), (325, 4, 1, 100)) + bytes(300)


def comments(count: int) -> bytes:
    content = saved("JPEG")
    return content[:2] + b"\xff\xfe\0\2" * count + content[2:]


def chunks(kind: bytes, content: bytes, count: int) -> bytes:
    start = saved("PNG")
    return start[:33] + png_chunk(kind, content) * count + start[33:]


def animation(count: int) -> bytes:
    """An animated PNG of 2000 x 2000 pixels, of whose pictures each repeats the second."""
    stream = io.BytesIO()
    first, second = (Image.new("L", (2000, 2000), level) for level in (0, 9))
    first.save(stream, "PNG", save_all=True, append_images=[second])
    content = stream.getvalue()
    start = content.rindex(b"fcTL") - 4
    control, data = content[start + 8 : start + 34], content[start + 46 : content.index(b"IEND") - 8]
    more = b"".join(
        png_chunk(b"fcTL", struct.pack(">L", 2 * i + 1) + control[4:])
        + png_chunk(b"fdAT", struct.pack(">L", 2 * i + 2) + data[4:])
        for i in range(count)
    )
    told = content.index(b"acTL")
    head = content[: told - 4] + png_chunk(b"acTL", struct.pack(">LL", count + 1, 0)) + content[told + 16 : start]
    return head + more + png_chunk(b"IEND", b"")


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "pages": (lambda: pages(100_000), "more than 10,000 pages"),
    "strips": (lambda: strips(1_000_000), "1000000 strips"),
    "tags": (lambda: big_tiff(2**60), "TIFF tags"),
    "few tags": (lambda: tiff(*SMALL_TIFF * 1000), "TIFF tags"),
    "tags of many pages": (lambda: pages(9000, [*PAGE, *[(65000, 3, 1, 0)] * 100]), "TIFF tags"),
    "large tile": (lambda: tile(40_000), "tiles far larger"),
    "page outside": (lambda: tiff(*PAGE, following=2**31), "outside the file"),
    "no page": (lambda: tiff(start=0), "holds no page"),
    "text": (lambda: chunks(b"zTXt", b"a\0\0" + zlib.compress(bytes(10_000_000)), 100), "too large"),
    "profile": (lambda: chunks(b"iCCP", b"a\0\0" + zlib.compress(bytes(100_000_000)), 1), "too large"),
    "short": (lambda: PNG_MAGIC + png_chunk(b"tEXt", b"a\0b") * 200_000, "pieces"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_costs_far_more_than_its_pixels_warrant_is_refused_at_once(name: str) -> None:
    make, said = REFUSED[name]
    content = make()
    start = time.process_time()
    with pytest.raises(UnreadableImage, match=said), open_picture(content) as picture:
        picture.pixels()
    assert time.process_time() - start < 1


def test_a_header_in_countless_pieces_gives_no_header_and_takes_no_time(tmp_path) -> None:
    (tmp_path / "comments.jpg").write_bytes(comments(1_000_000))
    (tmp_path / "pages.tif").write_bytes(pages(100_000))
    start = time.process_time()
    assert [read_header(path).width for path in sorted(tmp_path.iterdir())] == [0, 0]
    assert time.process_time() - start < 2


def test_many_pages_are_counted_and_each_is_read_and_a_loop_of_them_ends() -> None:
    content = pages(3000)
    with pytest.raises(UnreadableImage, match="holds 3000 frames"), open_picture(content):
        pass
    with open_picture(content, frame=2999) as picture:
        assert picture.pixels().shape == (4, 4)
    looped = LOOPED + tiff(*SMALL_TIFF, (273, 4, 1, 8), following=8)[8:]
    with pytest.raises(UnreadableImage, match="holds 2 frames"), open_picture(looped):
        pass


def test_a_late_picture_of_an_animation_is_refused_for_what_is_decoded_before_it() -> None:
    content = animation(400)
    with open_picture(content, frame=3) as picture:
        assert picture.pixels().shape == (2000, 2000)
    with pytest.raises(UnreadableImage, match="300 pictures before"), open_picture(content, frame=301):
        pass
