"""The text of a table, whatever it was saved as."""

from __future__ import annotations

import codecs
import re

from overread.errors import InvalidData

# UTF-32 begins as UTF-16 does.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_HIGH_BYTES = re.compile(rb"[\x80-\xff]+")
_MARKUP = re.compile(r"\s*([{<]|\[\s*[{\[])")
_CONTROLS = re.compile(r"[\x01-\x08\x0e-\x1f]")


def text_of(content: bytes, name: str) -> tuple[str, str | None]:
    """The text of a file, and the encoding where it is neither UTF-8 nor marked as another.

    Args:
        content: of the file.
        name: of the file, for the error.

    Raises:
        InvalidData: it is no text.
    """
    if content.startswith(_OLD_WORKBOOK):
        raise InvalidData(f"{name} is a workbook that is encrypted or of Excel before 2007: save it as .xlsx or CSV")
    encoding, guessed = _encoding_of(content)
    try:
        text = content.decode(encoding, "replace" if encoding.startswith("utf-") else "strict")
    except UnicodeDecodeError:  # bytes that Windows-1252 leaves undefined
        text = content.decode(encoding := "latin-1")
    text = text.replace("\0", "")
    if _MARKUP.match(text):
        raise InvalidData(f"{name} is JSON, XML or a web page, and no table: save it as 'CSV UTF-8' or .xlsx")
    if len(_CONTROLS.findall(text)) > 0.01 * len(text):
        raise InvalidData(f"{name} is no text, so it cannot be read as a table: save it as 'CSV UTF-8'")
    return text, encoding if guessed else None


def _encoding_of(content: bytes) -> tuple[str, bool]:
    """The encoding, and whether it was guessed."""
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return encoding, False
    # Every second byte of western text in UTF-16 is zero.
    even, odd = content[::2].count(0), content[1::2].count(0)
    if max(even, odd) > 0.3 * (len(content) / 2) and min(even, odd) < 0.1 * max(even, odd):
        return ("utf-16-le" if odd > even else "utf-16-be"), False
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return ("gb18030" if _looks_chinese(content) else "cp1252"), True
    return "utf-8", False


def _looks_chinese(content: bytes) -> bool:
    """True where bytes beyond ASCII stand in pairs, as in GBK; the accented letters of Europe stand alone."""
    runs = [len(run) for run in _HIGH_BYTES.findall(content)]
    if sum(length % 2 == 0 for length in runs) < 0.9 * len(runs):
        return False
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True
