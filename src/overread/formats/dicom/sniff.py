"""Whether bytes start a DICOM data set, with or without the preamble that files are to have (PS3.10 7.1)."""

from __future__ import annotations

import struct

_PREFIX_AT, _PREFIX = 128, b"DICM"
_VRS = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV".split()
)
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
# Meta information, and what describes the exam: no data set without a preamble begins with another group.
_FIRST_GROUPS = (0x0002, 0x0008)
_LAST_GROUP = 0x0028
_ENOUGH = 3
_LONGEST = 65534


def starts_as_dicom(head: bytes) -> bool:
    """Whether a file that begins so has the prefix of DICOM, or elements in order from its first byte.

    Args:
        head: the first 512 bytes, or all there are.
    """
    if head[_PREFIX_AT : _PREFIX_AT + 4] == _PREFIX:
        return True
    return any(_has_elements(head, order, is_explicit) for order in "<>" for is_explicit in (True, False))


def _has_elements(head: bytes, order: str, is_explicit: bool) -> bool:
    """Whether three elements follow each other in rising order."""
    at, previous, count = 0, (0, 0), 0
    while at + 12 <= len(head) and count < _ENOUGH:
        tag = struct.unpack_from(f"{order}HH", head, at)
        if not previous < tag or tag[0] > _LAST_GROUP or tag[0] % 2 or (count == 0 and tag[0] not in _FIRST_GROUPS):
            return False
        length, value = _length(head, at, order, is_explicit)
        if not 0 <= length <= _LONGEST or length % 2:
            return False
        at, previous, count = value + length, tag, count + 1
    return count >= _ENOUGH


def _length(head: bytes, at: int, order: str, is_explicit: bool) -> tuple[int, int]:
    """The length of an element's value, -1 where there can be no element, and where it begins."""
    if not is_explicit:
        return struct.unpack_from(f"{order}L", head, at + 4)[0], at + 8
    vr = head[at + 4 : at + 6]
    if vr not in _VRS:
        return -1, at
    if vr in _LONG_VRS:
        return struct.unpack_from(f"{order}L", head, at + 8)[0], at + 12
    return struct.unpack_from(f"{order}H", head, at + 6)[0], at + 8
