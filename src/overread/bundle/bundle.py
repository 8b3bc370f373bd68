"""What a study hands over: one directory (or its zip) that reads new images, with a hash of every file.

    bundle.json         what the network is, how it was trained, how its input is made and its output is read
    network.onnx        the graph: uint8 image -> logits, activation map, features; an ensemble has several
    network.weights.h5  the Keras weights, for further training
    attention.npz       which frames of an exam matter, where they do not all count alike
    reference.npz       what the network made of validation images: when an image is unfamiliar, and drift
    evaluations.jsonl   when it was evaluated, on what and with which result
    card.md             the model card, for a human to complete

Nothing in it is ever unpickled or executed. `bundle.json` lists the SHA-256 of graphs, weights, references and itself,
and `evaluations.jsonl` ends with a seal (see `openings`): one altered bit in any of these is refused. Not sealed are
the card, which may be edited, and what a zip says beside the content of its files, such as dates. Hashes tell damage
and careless changes; against who writes all of them anew, compare `fingerprint` with one that was published elsewhere.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overread.bundle.archive import MAX_TEXT_BYTES, add_file, has_file, pack, read_file
from overread.bundle.description import (
    DESCRIPTION,
    EXAMS_VERSION,
    FORMAT_VERSION,
    KINDS_VERSION,
    UNSEALED_VERSION,
    check_facts,
    damaged,
    fingerprint_of,
    from_bytes,
    to_bytes,
)
from overread.bundle.member import Member
from overread.bundle.openings import RECORD, Opening, read_openings, write_openings
from overread.bundle.reference import Reference
from overread.cases.exams.gathering import Gathering
from overread.decision import OperatingPoint, Referral, Task
from overread.decision.pooling import Attention
from overread.decision.task import HALF
from overread.errors import InvalidBundle, InvalidData, MissingPath, OverreadError
from overread.images import Preprocessing
from overread.machine.clock import now
from overread.machine.files import read_regular, replace_file
from overread.machine.remote import is_remote, place
from overread.machine.temporary import put_back, replacing_folder
from overread.run.folder import RunFolder

CARD = "card.md"
# What tells how an image looks needs as many pixels.
_SMALLEST_SIDE = 8


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Bundle:
    """A verified bundle, or the description of one to be written.

    Args:
        task: what is told apart, with the classes in the order of the probabilities.
        preprocessing: how `images.prepare` makes the graph's input.
        members: the networks, whose calibrated probabilities are averaged; one, unless it is an ensemble.
        operating_points: thresholds frozen on the `chosen_on` images, by judged question: the positive class of two, or
            each of more; of several findings and the like some may be missing, see `unplaced`.
        referral: thresholds of the prediction sets, frozen on the same images.
        network: the arguments of `networks.build.NetworkSpec`.
        recipe: how it was trained.
        data: fingerprint, counts and patients of what it was trained on, and the id of the study.
        versions: of the libraries that trained it.
        created: when its training began, in UTC, ISO 8601.
        exams: which files belong to one exam, of a bundle that reads exams; None of one that reads images.
        files: SHA-256 of each file.
        format_version: of its files; the evaluations of one of format 3 are not sealed.
        path: where it was loaded from.

    Raises:
        InvalidBundle: the parts do not fit together, or a fact is missing.
    """

    task: Task
    preprocessing: Preprocessing
    members: tuple[Member, ...]
    operating_points: Mapping[str, OperatingPoint]
    referral: Referral
    network: Mapping[str, Any]
    recipe: Mapping[str, Any]
    data: Mapping[str, Any]
    versions: Mapping[str, str]
    created: str = dataclasses.field(default_factory=now)
    exams: Gathering | None = None
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    format_version: int = FORMAT_VERSION
    path: Path | None = None

    def __post_init__(self) -> None:
        check_facts({name: getattr(self, name) for name in _PLAIN})
        try:
            for member in self.members:
                member.calibration.require_outputs(self.task.outputs)
        except InvalidData as error:
            raise InvalidBundle(f"the parts of the bundle do not fit together: {error}") from None
        preprocessing = self.preprocessing
        pixels = preprocessing.channels is not None and min(preprocessing.height, preprocessing.width) >= _SMALLEST_SIDE
        judged = {*([self.positive] if self.positive else ())} <= {*self.operating_points} <= {*self.task.judged}
        if not (self.members and pixels and judged and (*self.referral.thresholds,) == self.task.answers):
            raise InvalidBundle("the parts of the bundle do not fit together: get it again from its source")

    def __repr__(self) -> str:
        network, networks = self.network.get("name", "network"), len(self.members)
        several = f" of {networks} networks" if networks > 1 else ""
        return f"Bundle({' / '.join(self.classes)}: {network}{several}, {self.fingerprint[:12]})"

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, in the order of the probabilities."""
        return self.task.classes

    @property
    def positive(self) -> str | None:
        """The positive class of two; None when there are more."""
        return self.task.positive

    @property
    def operating_point(self) -> OperatingPoint | None:
        """The threshold on the positive probability of two classes; None when there are more."""
        return self.operating_points[self.positive] if self.positive else None

    @property
    def thresholds(self) -> dict[str, float]:
        """The threshold of each judged question, as `Task.decide` takes them; 0.5 of those that are `unplaced`."""
        points = {name: point.threshold for name, point in self.operating_points.items()}
        return dict.fromkeys(self.task.questions, HALF) | points

    @property
    def unplaced(self) -> tuple[str, ...]:
        """The questions of which the images had one answer only, so that no operating point could be chosen."""
        return tuple(name for name in self.task.questions if name not in self.operating_points)

    @property
    def chosen_on(self) -> str:
        """The images on which all was chosen, in words: out-of-fold where each of several networks read its own."""
        return "validation images" if len(self.members) == 1 else "out-of-fold images"

    @functools.cached_property
    def fingerprint(self) -> str:
        """The SHA-256 that stands for the whole bundle."""
        return fingerprint_of(self._description())

    @property
    def is_sealed(self) -> bool:
        """Whether the record of evaluations is sealed as a whole, as it is but in bundles of format 3."""
        return self.format_version != UNSEALED_VERSION

    def read_file(self, name: str) -> bytes:
        """The bytes of one file, checked against its hash.

        Raises:
            InvalidBundle: the file is missing, too large or not the one that was written.
        """
        data = read_file(self._root(), name)
        if hashlib.sha256(data).hexdigest() != self.files.get(name):
            raise InvalidBundle(f"{name} of the bundle was altered or damaged: get the bundle again from its source")
        return data

    def references(self) -> tuple[Reference, ...]:
        """What each network made of validation images, in the order of the members.

        Raises:
            InvalidBundle: a file is missing, was altered or is none of this task.
        """
        return tuple(Reference.from_bytes(self.read_file(member.reference), self.task) for member in self.members)

    def attention(self, member: Member) -> Attention | None:
        """What says which frames of an exam matter to one of the networks; None where all count alike.

        Raises:
            InvalidBundle: its file is missing, was altered or is damaged.
        """
        if member.attention is None:
            return None
        try:
            return Attention.from_bytes(self.read_file(member.attention))
        except (KeyError, TypeError, ValueError) as error:
            raise error if isinstance(error, InvalidBundle) else damaged() from None

    @classmethod
    def load(cls, bundle: Bundle | str | Path) -> Bundle:
        """Open a directory or zip, or the bundle in the folder of a run, and verify every file; a bundle is given back.

        Raises:
            MissingPath: nothing is there, or a run that has no bundle yet.
            InvalidBundle: no bundle, an unknown version, or a file that was altered.
        """
        if isinstance(bundle, Bundle):
            return bundle
        path = _bundle_in(place(bundle))
        content = read_file(path, DESCRIPTION, MAX_TEXT_BYTES)
        description = from_bytes(content)
        try:
            found = cls._from_description(description, path)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise error if isinstance(error, InvalidBundle) else damaged() from None
        if found.is_sealed and to_bytes(found._description()) != content:
            raise InvalidBundle(f"{DESCRIPTION} was altered or damaged: get the bundle again from its source")
        for name in found.files:
            found.read_file(name)
        found.openings()
        return found

    @classmethod
    def _from_description(cls, description: Mapping[str, Any], path: Path) -> Bundle:
        task = Task.from_dict(description)
        points = description["operating_points"].items()
        return cls(
            task=task,
            preprocessing=Preprocessing.from_dict(description["preprocessing"]),
            members=tuple(Member.from_dict(member) for member in description["members"]),
            operating_points={name: OperatingPoint.from_dict(point) for name, point in points},
            referral=Referral.from_dict(description["referral"], task.answers),
            exams=Gathering.from_dict(description["exams"]) if "exams" in description else None,
            **{name: description[name] for name in (*_PLAIN, "format_version")},
            path=path,
        )

    def write(self, folder: Path, files: Mapping[str, Path]) -> Bundle:
        """Write the bundle's directory; it appears complete or not at all. `pack` makes the zip.

        Args:
            folder: the bundle's directory, replaced if it is there.
            files: where each file lies now, by its name in the bundle.
        """
        hashes = {name: hashlib.sha256(read_regular(path)).hexdigest() for name, path in files.items()}
        version = FORMAT_VERSION if self.task.kind is None else KINDS_VERSION
        version = version if self.exams is None else EXAMS_VERSION
        written = dataclasses.replace(self, files=hashes, format_version=version, path=folder)
        with replacing_folder(folder) as temporary:
            for name, path in files.items():
                shutil.copyfile(path, temporary / name)
            replace_file(temporary / DESCRIPTION, to_bytes(written._description()))
            replace_file(temporary / RECORD, write_openings((), origin=written.fingerprint, sealed=True))
            written._zip().unlink(missing_ok=True)  # which would be of another bundle
        return written

    def pack(self) -> Path:
        """Write the bundle's directory as `<directory>.zip`; it appears complete or not at all."""
        return pack(self._root(), self._zip())

    def write_card(self, text: str) -> None:
        """Put the model card into the bundle, in place of an earlier one."""
        add_file(self._root(), CARD, text.encode("utf-8", "backslashreplace"))

    def read_card(self) -> str:
        """The model card as Markdown; empty where there is none."""
        root = self._root()
        if not has_file(root, CARD):
            return ""
        return read_file(root, CARD, MAX_TEXT_BYTES).decode("utf-8", "replace")

    def openings(self) -> tuple[Opening, ...]:
        """Each evaluation of the bundle, oldest first.

        Raises:
            InvalidBundle: the record was altered, or is missing where it is sealed.
        """
        return self._openings_in(self._root())

    def record(self, opening: Opening) -> None:
        """Add an evaluation to the record of the bundle, and to that of its directory or zip beside it.

        Raises:
            OutputUnwritable: the bundle stands where nothing can be written.
            InvalidBundle: its record was altered, or what stands beside it is damaged.
        """
        root, damage = self._root(), None
        twin = root.with_suffix("") if root.is_file() else self._zip()
        openings, of_twin = list(self.openings()), None
        try:
            of_twin = self._openings_in_twin(twin)
        except OverreadError as error:
            damage = error
        # What an evaluation that was ended between the two could write to one of them only.
        openings += [other for other in of_twin or () if other not in openings]
        content = write_openings([*openings, opening], origin=self.fingerprint, sealed=self.is_sealed)
        add_file(root, RECORD, content)
        if of_twin is not None:
            add_file(twin, RECORD, content)
        if damage is not None:
            raise damage

    def _zip(self) -> Path:
        return self._root().with_name(self._root().name + ".zip")

    def _openings_in(self, root: Path) -> tuple[Opening, ...]:
        if not (self.is_sealed or has_file(root, RECORD)):
            return ()
        content = read_file(root, RECORD, MAX_TEXT_BYTES)
        return read_openings(content, origin=self.fingerprint, sealed=self.is_sealed)

    def _openings_in_twin(self, twin: Path) -> tuple[Opening, ...] | None:
        """The evaluations in what stands beside the bundle; None where it is not the same bundle."""
        if twin == self._root() or not twin.exists():
            return None
        is_same = read_file(twin, DESCRIPTION) == read_file(self._root(), DESCRIPTION)
        return self._openings_in(twin) if is_same else None

    def _description(self) -> dict[str, Any]:
        return {
            "format": "overread bundle",
            "format_version": self.format_version,
            **self.task.to_dict(),
            "preprocessing": self.preprocessing.to_dict(),
            "members": [member.to_dict() for member in self.members],
            "operating_points": {name: point.to_dict() for name, point in self.operating_points.items()},
            "referral": self.referral.to_dict(),
            **({} if self.exams is None else {"exams": self.exams.to_dict()}),
            **{name: getattr(self, name) for name in _PLAIN},
        }

    def _root(self) -> Path:
        if self.path is None:
            raise InvalidBundle("the bundle is not written yet: call write first")
        return self.path


def _bundle_in(path: Path) -> Path:
    """Where the bundle lies: here, or in the run whose folder this is."""
    run = RunFolder(path)
    if not is_remote(path):
        for folder in (path, run.bundle):
            put_back(folder)
    if run.bundle.exists():
        return run.bundle
    if run.is_ours:
        raise MissingPath(f"{path} is a run without a bundle: expected one that overread train has finished")
    if not path.exists():
        raise MissingPath(f"{path} is not there: expected a bundle directory or bundle.zip")
    if not (path.is_dir() or path.is_file()):
        raise InvalidBundle(f"{path} is no regular file: expected a bundle directory or bundle.zip")
    return path


_PLAIN = ("network", "recipe", "data", "versions", "created", "files")
