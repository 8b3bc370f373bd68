"""Files that a server must refuse, made in code: truncated, lying, oversized, disguised, or bombs."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, RLELossless

from support.dicom_files import dataset, file_bytes

PIXELS = np.random.default_rng(0).integers(0, 256, (64, 48), dtype=np.uint8)
PIXEL_DATA = b"\xe0\x7f\x10\0OB"
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def saved(kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, kind, **options)
    return stream.getvalue()


def frames(kind: str) -> bytes:
    pages = [Image.fromarray(np.roll(PIXELS, 9 * i, axis=0)).convert("RGB") for i in range(3)]
    stream = io.BytesIO()
    pages[0].save(stream, kind, save_all=True, append_images=pages[1:])
    return stream.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))


def png(width: int, height: int, rows: bytes = b"", *, bits: int = 8) -> bytes:
    header = struct.pack(">LLBBBBB", width, height, bits, 0, 0, 0, 0)
    return PNG_MAGIC + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")


def tiff(*entries: tuple[int, int, int, int], following: int = 0, start: int = 8) -> bytes:
    body = b"".join(struct.pack("<HHLL", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<LH", start, len(entries)) + body + struct.pack("<L", following)


GREY_TIFF = [(258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (277, 3, 1, 1)]

SMALL_TIFF = [(256, 4, 1, 4), (257, 4, 1, 4), *GREY_TIFF]
LOOPED = tiff(*SMALL_TIFF, (273, 4, 1, 8), following=98)


def bmp(width: int, height: int) -> bytes:
    header = struct.pack("<LllHHLLllLL", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<LHHL", 54 + 12, 0, 0, 54) + header + bytes(12)


def changed(content: bytes, offset: int, new: bytes) -> bytes:
    return content[:offset] + new + content[offset + len(new) :]


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def dicom(**elements: object) -> Dataset:
    return dataset(PIXELS, **elements)


def without(keyword: str) -> bytes:
    ds = dicom()
    delattr(ds, keyword)
    return file_bytes(ds)


def compressed(syntax: str, frame: bytes, **elements: object) -> bytes:
    ds = dicom(**elements)
    ds.file_meta.TransferSyntaxUID = syntax
    ds.PixelData = encapsulate([frame])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return file_bytes(ds)


def rle_bomb() -> bytes:
    # One segment in which every two bytes give 128 zeros.
    segment = struct.pack("<16L", 1, 64, *[0] * 14) + b"\x81\x00" * 200_000
    return compressed(RLELossless, segment, Rows=60000, Columns=60000)


def nested_sequences() -> bytes:
    """A sequence within an item within a sequence, two thousand deep."""
    content = file_bytes(dicom())
    start = b"\0\x52\x29\x92SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    at = content.index(PIXEL_DATA)
    return content[:at] + start * 2000 + end * 2000 + content[at:]


def deflated() -> bytes:
    ds = dicom()
    head = file_bytes(ds)
    return head.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99\0\0")


def long_pixel_data() -> bytes:
    content = file_bytes(dicom())
    at = content.index(PIXEL_DATA)
    return changed(content, at + 8, b"\xfe\xff\xff\xff")


def zipped(files: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return stream.getvalue()


def directories() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.mkdir("a")
        archive.mkdir("a/b")
    return stream.getvalue()


def encrypted() -> bytes:
    content = zipped([("a.png", saved("PNG"))])
    central = content.index(b"PK\1\2")
    return changed(changed(content, 6, b"\1\0"), central + 8, b"\1\0")


def link() -> bytes:
    entry = zipfile.ZipInfo("a.png")
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    return stream.getvalue()


def overlapping() -> bytes:
    """Fifty entries of the directory that all stand for one file, as in the bombs without nesting."""
    content = zipped([("a.bin", np.random.default_rng(0).bytes(1000) * 200)])
    start = content.index(b"PK\1\2")
    end = content.index(b"PK\5\6")
    directory = content[start:end] * 15
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 15, 15, len(directory), start, 0)
    return content[:start] + directory + tail


def lying_zip() -> bytes:
    """A directory that says 10 bytes of a file of 64 KiB."""
    content = zipped([("a.png", saved("PNG") + bytes(65536))])
    return changed(content, content.index(b"PK\1\2") + 24, struct.pack("<L", 10))


def wrong_sum() -> bytes:
    content = zipped([("a.png", saved("PNG"))], zipfile.ZIP_STORED)
    return changed(content, content.index(b"IDAT") + 8, b"\0\0\0\0\0\0")


PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><rect width="9" height="9"/></svg>'
# By name, which is also the name that the file is sent under.
FILES: dict[str, Callable[[], bytes]] = {
    "empty.png": lambda: b"",
    "one byte.png": lambda: b"\x89",
    "text.txt": lambda: b"Doe^John",
    "page.html.png": lambda: HTML,
    "vector.svg.png": lambda: SVG,
    "script.js.png": lambda: b"alert(1)",
    "object.json": lambda: b'{"files": []}',
    "paper.pdf": lambda: PDF,
    "picture.gif": lambda: saved("GIF"),
    "moving.gif": lambda: frames("GIF"),
    "icon.ico": lambda: saved("ICO"),
    "map.ppm": lambda: saved("PPM"),
    "old.tga": lambda: saved("TGA"),
    "program.exe.jpg": lambda: b"MZ" + bytes(500),
    "program.elf.png": lambda: b"\x7fELF" + bytes(500),
    "packed.gz": lambda: b"\x1f\x8b\x08" + bytes(100),
    "seven.7z": lambda: b"7z\xbc\xaf\x27\x1c" + bytes(100),
    "roshal.rar": lambda: b"Rar!\x1a\x07\x01\0" + bytes(100),
    "pickle.png": lambda: b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    "array.npy": lambda: b"\x93NUMPY\x01\0" + bytes(100),
    "scan.nii": lambda: struct.pack("<L", 348) + bytes(340) + b"n+1\0",
    "moving.png": lambda: frames("PNG"),
    "pages.tiff": lambda: frames("TIFF"),
    "moving.webp": lambda: frames("WEBP"),
    "half.png": lambda: half(saved("PNG")),
    "half.jpeg": lambda: half(saved("JPEG")),
    "half.tiff": lambda: half(saved("TIFF")),
    "half.bmp": lambda: half(saved("BMP")),
    "half.webp": lambda: half(saved("WEBP", lossless=True)),
    "half.dcm": lambda: half(file_bytes(dicom())),
    "magic.png": lambda: PNG_MAGIC,
    "magic.jpeg": lambda: b"\xff\xd8\xff",
    "magic.tiff": lambda: b"II*\0",
    "magic.webp": lambda: b"RIFF\x10\0\0\0WEBP",
    "noise.png": lambda: PNG_MAGIC + np.random.default_rng(1).bytes(2000),
    "noise.jpeg": lambda: b"\xff\xd8\xff\xe0" + np.random.default_rng(2).bytes(2000),
    "noise.tiff": lambda: b"MM\0*" + np.random.default_rng(3).bytes(2000),
    "sum.png": lambda: changed(saved("PNG"), 29, b"\0\0\0\0"),
    "declared.png": lambda: png(2**31 - 1, 2**31 - 1),
    "no width.png": lambda: png(0, 10),
    "bomb.png": lambda: png(20000, 20000, bytes(20000 * 2501), bits=1),
    "declared.jpeg": lambda: saved("JPEG").replace(b"\x08\0\x40\0\x30", b"\x08\xff\xdc\xff\xdc", 1),
    "declared.bmp": lambda: bmp(2**30, 2**30),
    "negative.bmp": lambda: bmp(-5, 5),
    "declared.tiff": lambda: tiff((256, 4, 1, 2**31), (257, 4, 1, 2**31), *GREY_TIFF, (273, 4, 1, 8), (279, 4, 1, 8)),
    "loop.tiff": lambda: LOOPED + tiff(*SMALL_TIFF, (273, 4, 1, 8), following=8)[8:],
    "outside.tiff": lambda: tiff(
        (256, 4, 1, 64), (257, 4, 1, 64), *GREY_TIFF, (273, 4, 1, 2**31), (278, 4, 1, 64), (279, 4, 1, 4096)
    ),
    "no directory.tiff": lambda: tiff(start=2**31),
    "chopped.dcm": lambda: file_bytes(dicom())[:140],
    "noise.dcm": lambda: bytes(128) + b"DICM" + np.random.default_rng(4).bytes(2000),
    "no pixels.dcm": lambda: without("PixelData"),
    "no rows.dcm": lambda: without("Rows"),
    "frames.dcm": lambda: file_bytes(dicom(NumberOfFrames=30)),
    "declared.dcm": lambda: file_bytes(dicom(Rows=60000, Columns=60000)),
    "long.dcm": long_pixel_data,
    "short.dcm": lambda: file_bytes(dicom(Rows=640)),
    "bomb.dcm": rle_bomb,
    "deflated.dcm": deflated,
    "nested.dcm": nested_sequences,
    "syntax.dcm": lambda: file_bytes(dicom()).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.9.9.9\0"),
    "codestream.dcm": lambda: compressed(
        JPEG2000Lossless, b"\xff\x4f\xff\x51\0\x29\0\0" + struct.pack(">8LH", 60000, 60000, 0, 0, 60000, 60000, 0, 0, 1)
    ),
    "nothing.zip": lambda: zipped([]),
    "directories.zip": directories,
    "texts.zip": lambda: zipped([("a.txt", b"a"), ("b.txt", b"b")]),
    "slip.zip": lambda: zipped([("../../etc/cron.d/x", HTML), ("/etc/passwd", b"x"), ("C:\\x.png", b"x")]),
    "nameless.zip": lambda: zipped([("n", b"text")]).replace(b"n", b"\0"),
    "nested.zip": lambda: zipped([("inner.zip", zipped([("a.png", saved("PNG"))]))]),
    "encrypted.zip": encrypted,
    "link.zip": link,
    "ratio.zip": lambda: zipped([("zeros.bmp", bytes(1_900_000))]),
    "many.zip": lambda: zipped([(f"{i}.png", b"x") for i in range(21)]),
    "entries.zip": lambda: zipped([(str(i), b"") for i in range(5000)], zipfile.ZIP_STORED),
    "large.zip": lambda: zipped([(f"{i}.bmp", np.random.default_rng(i).bytes(20_000) * 90) for i in range(3)]),
    "method.zip": lambda: zipped([("a.png", saved("PNG"))], zipfile.ZIP_LZMA),
    "half.zip": lambda: half(zipped([("a.png", saved("PNG"))])),
    "noise.zip": lambda: b"PK\3\4" + np.random.default_rng(5).bytes(2000),
    "overlapping.zip": overlapping,
    "lying.zip": lying_zip,
    "sum.zip": wrong_sum,
    "gif and zip.gif": lambda: saved("GIF") + zipped([("a.png", saved("PNG"))]),
    "pdf and jpeg.jpeg": lambda: PDF + saved("JPEG"),
    "jpeg and html.jpeg": lambda: b"\xff\xd8\xff" + HTML,
    "png and zip.png": lambda: PNG_MAGIC + zipped([("a.png", saved("PNG"))]),
    "dicom and pdf.dcm": lambda: PDF.ljust(128, b"\0") + b"DICM" + PDF,
    "zip and exe.exe": lambda: b"MZ" + zipped([("a.png", saved("PNG"))]),
    "too large.bmp": lambda: b"BM" + bytes(2 * 2**20 + 1),
}
