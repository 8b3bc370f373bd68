"""Which images are copies of one another: found by their bytes, their pixels and what they show."""

from overread.images.copies.find import Copies, find_copies
from overread.images.copies.frames import Shared, find_shared_frames
from overread.images.copies.groups import Group
from overread.images.copies.join import join_copies, long_chains

__all__ = ["Copies", "Group", "Shared", "find_copies", "find_shared_frames", "join_copies", "long_chains"]
