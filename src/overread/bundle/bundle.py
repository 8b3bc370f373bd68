"""What a study hands over: one directory (or its zip) that reads new images, with a hash of every file.

    bundle.json         what the network is, how it was trained, how its input is made and its output is read
    network.onnx        the graph: uint8 image -> logits, activation map, features
    network.weights.h5  the Keras weights, for further training

Nothing in it is ever unpickled or executed. `bundle.json` lists the SHA-256 of the other files and of itself.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overread.errors import InvalidBundle, MissingPath
from overread.evaluation import OperatingPoint
from overread.images import Preprocessing

FORMAT_VERSION = 1
_DESCRIPTION = "bundle.json"
GRAPH = "network.onnx"
WEIGHTS = "network.weights.h5"
# Far above any real network; a zip that declares more is a bomb.
_MAX_FILE_BYTES = 4 * 2**30


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bundle:
    """A verified bundle, or the description of one to be written.

    Args:
        classes: in the order of the probabilities; of two, the second is the positive one.
        preprocessing: how `images.prepare` makes the graph's input.
        operating_point: the threshold on the positive probability, frozen on validation; None with more than two.
        network: the arguments of `networks.zoo.NetworkSpec`.
        recipe: how it was trained.
        data: fingerprint, counts and patients of what it was trained on.
        versions: of the libraries that trained it.
        created: time in UTC, ISO 8601.
        files: SHA-256 of each file.
        path: where it was loaded from.
    """

    classes: tuple[str, ...]
    preprocessing: Preprocessing
    operating_point: OperatingPoint | None
    network: Mapping[str, Any]
    recipe: Mapping[str, Any]
    data: Mapping[str, Any]
    versions: Mapping[str, str]
    created: str = dataclasses.field(
        default_factory=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    )
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    path: Path | None = None

    @property
    def positive(self) -> str | None:
        """The positive class of two; None when there are more."""
        return self.classes[1] if len(self.classes) == 2 else None

    @property
    def fingerprint(self) -> str:
        """The SHA-256 that stands for the whole bundle."""
        return _self_hash(self._description())

    def read_file(self, name: str) -> bytes:
        """The bytes of one file, checked against its hash.

        Raises:
            InvalidBundle: the file is missing, too large or not the one that was written.
        """
        data = _read(self._root(), name)
        if hashlib.sha256(data).hexdigest() != self.files.get(name):
            raise InvalidBundle(f"{name} of the bundle was altered or damaged: get the bundle again from its source")
        return data

    @classmethod
    def load(cls, path: str | Path) -> Bundle:
        """Open a bundle directory or zip, and verify every file.

        Raises:
            MissingPath: nothing is there.
            InvalidBundle: no bundle, an unknown version, or a file that was altered.
        """
        path = Path(path)
        if not path.exists():
            raise MissingPath(f"{path} is not there: expected a bundle directory or bundle.zip")
        try:
            description = json.loads(_read(path, _DESCRIPTION))
            version = description["format_version"]
            if version != FORMAT_VERSION:
                raise InvalidBundle(
                    f"the bundle has format version {version!r}; this overread reads version {FORMAT_VERSION}: install "
                    "the overread that wrote it"
                )
            if description["sha256"] != _self_hash(description):
                raise InvalidBundle(f"{_DESCRIPTION} was altered or damaged: get the bundle again from its source")
            point = description["operating_point"]
            bundle = cls(
                classes=tuple(description["classes"]),
                preprocessing=Preprocessing.from_dict(description["preprocessing"]),
                operating_point=OperatingPoint.from_dict(point) if point else None,
                **{name: description[name] for name in _PLAIN},
                path=path,
            )
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, InvalidBundle):
                raise
            raise InvalidBundle(f"{_DESCRIPTION} is damaged: get the bundle again from its source") from None
        for name in bundle.files:
            bundle.read_file(name)
        return bundle

    def write(self, folder: Path, files: Mapping[str, Path]) -> Bundle:
        """Write the bundle and `<folder>.zip`; each appears complete or not at all.

        Args:
            folder: the bundle's directory, replaced if it is there.
            files: where each file lies now, by its name in the bundle.
        """
        hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
        written = dataclasses.replace(self, files=hashes, path=folder)
        description = written._description()
        temporary, temporary_zip = folder.with_name(folder.name + ".tmp"), folder.with_name(folder.name + ".zip.tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for name, path in files.items():
            shutil.copyfile(path, temporary / name)
        text = json.dumps({**description, "sha256": _self_hash(description)}, indent=2, ensure_ascii=False)
        (temporary / _DESCRIPTION).write_text(text + "\n", encoding="utf-8")
        with zipfile.ZipFile(temporary_zip, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(temporary.iterdir()):
                archive.write(path, path.name)
        shutil.rmtree(folder, ignore_errors=True)
        temporary.replace(folder)
        temporary_zip.replace(folder.with_name(folder.name + ".zip"))
        return written

    def _description(self) -> dict[str, Any]:
        point = self.operating_point
        return {
            "format": "overread bundle",
            "format_version": FORMAT_VERSION,
            "classes": list(self.classes),
            "positive": self.positive,
            "preprocessing": self.preprocessing.to_dict(),
            "operating_point": point.to_dict() if point else None,
            **{name: getattr(self, name) for name in _PLAIN},
        }

    def _root(self) -> Path:
        if self.path is None:
            raise InvalidBundle("the bundle is not written yet: call write first")
        return self.path


_PLAIN = ("network", "recipe", "data", "versions", "created", "files")


def _self_hash(description: Mapping[str, Any]) -> str:
    """SHA-256 of a description without its own hash, independent of spacing and key order."""
    content = {name: value for name, value in description.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _read(root: Path, name: str) -> bytes:
    if "/" in name or "\\" in name or name.startswith("."):
        raise InvalidBundle("the bundle names a file outside itself: it is refused")
    try:
        if root.is_dir():
            return (root / name).read_bytes()
        with zipfile.ZipFile(root) as archive:
            if archive.getinfo(name).file_size > _MAX_FILE_BYTES:
                raise InvalidBundle(f"{name} of the bundle declares more than 4 GiB: it is refused")
            return archive.read(name)
    except (FileNotFoundError, KeyError):
        raise InvalidBundle(f"{root.name} has no {name}: expected a bundle directory or bundle.zip") from None
    except zipfile.BadZipFile:
        raise InvalidBundle(f"{root.name} is no bundle: expected a bundle directory or bundle.zip") from None
