"""Groups of images that show one picture, cut where the picture changes.

Each frame of a film is a near copy of the next, and the last shows another picture than the first: pairs that are
joined one after the other make a chain. So each group has a centre with which its members were compared.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np

Group = tuple[int, ...]
# Which of pairs of images, the one and the other of each, show one picture.
Same = Callable[[np.ndarray, np.ndarray], np.ndarray]

# Of the pairs between two groups: among augmented copies of one source that is not there, a third to a half are alike;
# between two stretches of a film that follow one another, an eighth.
_LEAST_ALIKE = 0.25
_ASKED = 48


class Partition:
    """Positions below a count, joined into groups, each known by its first."""

    def __init__(self, count: int) -> None:
        self.parent = list(range(count))

    def root(self, position: int) -> int:
        while self.parent[position] != position:
            self.parent[position] = self.parent[self.parent[position]]
            position = self.parent[position]
        return position

    def join(self, first: int, second: int) -> bool:
        """Whether they were apart."""
        low, high = sorted((self.root(first), self.root(second)))
        self.parent[high] = low
        return low != high

    def groups(self) -> tuple[Group, ...]:
        members: dict[int, list[int]] = {}
        for position in range(len(self.parent)):
            members.setdefault(self.root(position), []).append(position)
        return tuple(tuple(group) for group in members.values() if len(group) > 1)


def cut_groups(pairs: Collection[tuple[int, int]], same: Same) -> list[Group]:
    """Group images by verified pairs, so that each shows the picture of its group's centre.

    The image with the most copies becomes the first centre. Its copies join it, and copies of theirs that prove to be
    its own too; then the next of the images that are left. Two groups of which a quarter of all pairs are alike become
    one: what augmentation made of one source stays whole, though some members overlap little.

    Args:
        pairs: of images that show one picture.
        same: asked of pairs that no search met.

    Returns:
        Groups of two or more, each sorted, in the order of their first members.
    """
    near: dict[int, set[int]] = {}
    for one, other in pairs:
        near.setdefault(one, set()).add(other)
        near.setdefault(other, set()).add(one)
    cores: list[list[int]] = []
    core_of: dict[int, int] = {}
    joined: list[list[int]] = []
    for members in _around_centres(near, same):
        home = _home(members, near, cores, core_of, same)
        if home is None:
            core_of |= dict.fromkeys(members, len(cores))
            cores.append(members)
            joined.append([*members])
        else:
            joined[home] += members
    return sorted(tuple(sorted(group)) for group in joined if len(group) > 1)


def _around_centres(near: dict[int, set[int]], same: Same) -> Iterator[list[int]]:
    """The images that show the picture of each centre; that of the centre with most copies comes first."""
    left = set(near)
    waiting = [(-len(copies), image) for image, copies in near.items()]
    heapq.heapify(waiting)
    while waiting:
        copies, centre = heapq.heappop(waiting)
        if centre not in left:
            continue
        still = len(near[centre] & left)
        if still != -copies:
            heapq.heappush(waiting, (-still, centre))
            continue
        members = _grow(centre, near, left, same)
        left.difference_update(members)
        yield members


def _grow(centre: int, near: dict[int, set[int]], left: set[int], same: Same) -> list[int]:
    """The images that are left and show the centre's picture, found from copy to copy."""
    members, tried = [centre], {centre}
    newest = sorted(near[centre] & left)
    while newest:
        members += newest
        tried.update(newest)
        beyond = sorted((set().union(*(near[image] for image in newest)) & left) - tried)
        tried.update(beyond)
        others = np.array(beyond, np.int64)
        newest = others[same(np.full_like(others, centre), others)].tolist()
    return members


def _home(
    members: Sequence[int], near: dict[int, set[int]], cores: Sequence[list[int]], core_of: dict[int, int], same: Same
) -> int | None:
    """Which of the earlier groups that a group touches is one with it; None for none of them."""
    touched = Counter(core_of[other] for image in members for other in near[image] if other in core_of)
    for core, _ in touched.most_common():
        pairs = np.array(list(itertools.product(members, cores[core])))
        pairs = pairs[np.unique(np.linspace(0, len(pairs) - 1, min(_ASKED, len(pairs))).astype(int))]
        known = np.array([other in near[one] for one, other in pairs.tolist()])
        known[~known] = same(*pairs[~known].T)
        if known.mean() >= _LEAST_ALIKE:
            return core
    return None
