"""What a study hands over: one directory (or its zip) that reads new images, with a hash of every file.

    bundle.json         what the network is, how it was trained, how its input is made and its output is read
    network.onnx        the graph: uint8 image -> logits, activation map, features; an ensemble has several
    network.weights.h5  the Keras weights, for further training
    reference.npz       what the network made of validation images: when an image is unfamiliar, and drift
    card.md             the model card, for a human to complete
    evaluations.jsonl   when it was evaluated, on what and with which result

Nothing in it is ever unpickled or executed. `bundle.json` lists the SHA-256 of graphs, weights, references and itself;
the card may be edited, and each line of the evaluations holds the hash of the one before.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overread.bundle.archive import add_file, has_file, pack, read_file
from overread.bundle.openings import RECORD, Opening, append_opening, read_openings
from overread.bundle.reference import Reference
from overread.decision import Calibration, OperatingPoint, Referral, Task
from overread.errors import InvalidBundle, MissingPath
from overread.images import Preprocessing
from overread.machine.clock import now
from overread.machine.files import from_json, read_regular, write_json
from overread.machine.remote import is_remote, place
from overread.machine.temporary import put_back, replacing_folder
from overread.run.folder import RunFolder

FORMAT_VERSION = 3
_DESCRIPTION = "bundle.json"
GRAPH = "network.onnx"
WEIGHTS = "network.weights.h5"
REFERENCE = "reference.npz"
CARD = "card.md"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Member:
    """One network of a bundle: the names of its files, and how its logits become probabilities."""

    graph: str = GRAPH
    weights: str = WEIGHTS
    reference: str = REFERENCE
    calibration: Calibration

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Member:
        """Rebuild what `dataclasses.asdict` gave."""
        return cls(**{**fields, "calibration": Calibration.from_dict(fields["calibration"])})


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Bundle:
    """A verified bundle, or the description of one to be written.

    Args:
        task: what is told apart, with the classes in the order of the probabilities.
        preprocessing: how `images.prepare` makes the graph's input.
        members: the networks, whose calibrated probabilities are averaged; one, unless it is an ensemble.
        operating_points: thresholds frozen on the `chosen_on` images, by class: the positive one of two, or each
            against the rest.
        referral: thresholds of the prediction sets, frozen on the same images.
        network: the arguments of `networks.build.NetworkSpec`.
        recipe: how it was trained.
        data: fingerprint, counts and patients of what it was trained on, and the id of the study.
        versions: of the libraries that trained it.
        created: when its training began, in UTC, ISO 8601.
        files: SHA-256 of each file.
        path: where it was loaded from.
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
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    path: Path | None = None

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
        """The threshold of each judged class, as `Task.decide` takes them."""
        return {name: point.threshold for name, point in self.operating_points.items()}

    @property
    def chosen_on(self) -> str:
        """The images on which all was chosen, in words: out-of-fold where each of several networks read its own."""
        return "validation images" if len(self.members) == 1 else "out-of-fold images"

    @functools.cached_property
    def fingerprint(self) -> str:
        """The SHA-256 that stands for the whole bundle."""
        return _self_hash(self._description())

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
            InvalidBundle: a file is missing or was altered.
        """
        return tuple(Reference.from_bytes(self.read_file(member.reference)) for member in self.members)

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
        try:
            found = cls._from_description(from_json(read_file(path, _DESCRIPTION)), path)
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, InvalidBundle):
                raise
            raise InvalidBundle(f"{_DESCRIPTION} is damaged: get the bundle again from its source") from None
        for name in found.files:
            found.read_file(name)
        found.openings()
        return found

    @classmethod
    def _from_description(cls, description: Mapping[str, Any], path: Path) -> Bundle:
        version = description["format_version"]
        if version != FORMAT_VERSION:
            raise InvalidBundle(
                f"the bundle has format version {version!r}; this overread reads version {FORMAT_VERSION}: train "
                "again, or install the overread that wrote it"
            )
        if description["sha256"] != _self_hash(description):
            raise InvalidBundle(f"{_DESCRIPTION} was altered or damaged: get the bundle again from its source")
        points = description["operating_points"].items()
        task = Task.from_dict(description)
        return cls(
            task=task,
            preprocessing=Preprocessing.from_dict(description["preprocessing"]),
            members=tuple(Member.from_dict(member) for member in description["members"]),
            operating_points={name: OperatingPoint.from_dict(point) for name, point in points},
            referral=Referral.from_dict(description["referral"], task.classes),
            **{name: description[name] for name in _PLAIN},
            path=path,
        )

    def write(self, folder: Path, files: Mapping[str, Path]) -> Bundle:
        """Write the bundle's directory; it appears complete or not at all. `pack` makes the zip.

        Args:
            folder: the bundle's directory, replaced if it is there.
            files: where each file lies now, by its name in the bundle.
        """
        hashes = {name: hashlib.sha256(read_regular(path)).hexdigest() for name, path in files.items()}
        written = dataclasses.replace(self, files=hashes, path=folder)
        description = written._description()
        with replacing_folder(folder) as temporary:
            for name, path in files.items():
                shutil.copyfile(path, temporary / name)
            write_json(temporary / _DESCRIPTION, {**description, "sha256": _self_hash(description)})
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
        return read_file(root, CARD).decode("utf-8", "replace") if has_file(root, CARD) else ""

    def openings(self) -> tuple[Opening, ...]:
        """Each evaluation of the bundle, oldest first.

        Raises:
            InvalidBundle: the record was altered.
        """
        return read_openings(self._record(), origin=self.fingerprint)

    def record(self, opening: Opening) -> None:
        """Add an evaluation to the record of the bundle, and to that of its directory or zip beside it.

        Raises:
            OutputUnwritable: the bundle stands where nothing can be written.
        """
        content = append_opening(self._record(), opening, origin=self.fingerprint)
        root = self._root()
        twin = root.with_suffix("") if root.is_file() else self._zip()
        add_file(root, RECORD, content)
        if twin != root and twin.exists() and read_file(twin, _DESCRIPTION) == read_file(root, _DESCRIPTION):
            add_file(twin, RECORD, content)

    def _zip(self) -> Path:
        return self._root().with_name(self._root().name + ".zip")

    def _record(self) -> bytes:
        return read_file(self._root(), RECORD) if has_file(self._root(), RECORD) else b""

    def _description(self) -> dict[str, Any]:
        return {
            "format": "overread bundle",
            "format_version": FORMAT_VERSION,
            **self.task.to_dict(),
            "preprocessing": self.preprocessing.to_dict(),
            "members": [{**vars(member), "calibration": member.calibration.to_dict()} for member in self.members],
            "operating_points": {name: point.to_dict() for name, point in self.operating_points.items()},
            "referral": self.referral.to_dict(),
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


def _self_hash(description: Mapping[str, Any]) -> str:
    """SHA-256 of a description without its own hash, independent of spacing and key order."""
    content = {name: value for name, value in description.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
