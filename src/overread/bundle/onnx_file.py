"""What an ONNX file may be: standard operators, one after the other, with all their numbers in the file itself.

ONNX also knows numbers in other files (which ONNX Runtime looks for in the folder that the program runs in, or at an
address in memory), functions, branches and loops, operators of other makers, and training. A network that reads images
has none of these, so a file with any is refused before ONNX Runtime sees it.

The walk goes through protobuf by its wire format: every field is a number, a kind and a value, and the values of kind 2
are bytes of a declared length (https://protobuf.dev/programming-guides/encoding, onnx/onnx.proto).
"""

from __future__ import annotations

from collections.abc import Iterator

from overread.errors import InvalidBundle

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_FIXED = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}
_LONGEST_VARINT = 10
_STANDARD = (b"", b"ai.onnx")
# By message: the fields that hold a message to go into, and those that no file may have.
_MESSAGES = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 10: "tensor"},
    "tensor": {},
}
_REFUSED = {
    "model": {20: "training", 25: "functions"},
    "graph": {15: "sparse numbers"},
    "node": {},
    "attribute": {6: "branches or loops", 11: "branches or loops", 22: "sparse numbers", 23: "sparse numbers"},
    "tensor": {13: "numbers in other files"},
}
_DOMAIN, _LOCATION = 7, 14


def check_onnx(content: bytes) -> None:
    """Refuse an ONNX file that is more than operators and numbers.

    Raises:
        InvalidBundle: it is damaged, or holds what a network that reads images has no need of.
    """
    try:
        _check(memoryview(content), "model")
    except (IndexError, OverflowError):
        raise InvalidBundle("the network of the bundle is no ONNX file: get the bundle again from its source") from None


def _check(message: memoryview, name: str) -> None:
    for number, kind, value in _fields(message):
        if reason := _reason(name, number, kind, value):
            raise InvalidBundle(
                f"the network of the bundle has {reason}: expected standard operators and their numbers"
            )
        if inner := _MESSAGES[name].get(number):
            if not isinstance(value, memoryview):
                raise IndexError("no message where one belongs")
            _check(value, inner)


def _reason(name: str, number: int, kind: int, value: memoryview | int) -> str | None:
    """Why a field may not be there."""
    if name == "tensor" and number == _LOCATION:
        return "numbers in other files" if value else None
    if name == "node" and number == _DOMAIN and kind == _BYTES and value not in _STANDARD:
        return "operators of another maker"
    return _REFUSED[name].get(number)


def _fields(message: memoryview) -> Iterator[tuple[int, int, memoryview | int]]:
    """The fields of a message: number, kind, and a value of kind 0 or the bytes of another.

    Raises:
        IndexError: the message ends within a field, or has a kind that no field has.
    """
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, kind, value
            continue
        if kind == _BYTES:
            length, at = _varint(message, at)
        elif kind in _FIXED:
            length = _FIXED[kind]
        else:
            raise IndexError("a field of an unknown kind")
        if not number or length > end - at:
            raise IndexError("a field is longer than its message")
        yield number, kind, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(_LONGEST_VARINT):
        byte = message[at + shift]
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, at + shift + 1
    raise IndexError("a number without an end")
