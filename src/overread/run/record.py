"""What a run is: the kinds of run, and what the record `run.json` holds of each."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import platform
import uuid
from collections.abc import Mapping
from typing import Any, Self

from overread.machine.clock import now
from overread.machine.content.values import from_values
from overread.run.called import called
from overread.run.request import StudyRequest


def new_study_id() -> str:
    """A name for a study, which its runs and bundles carry."""
    return uuid.uuid4().hex


def _command() -> str:
    return called().shown


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in ("overread", "keras", "tensorflow", "tensorflow-cpu", "jax", "torch", "onnxruntime", "numpy", "pillow"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"


def _without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """Where a result comes from; a kind of run with more to tell has a class of its own.

    Args:
        kind: such as "audit".
        command: the command line that runs now, with words for its paths, or that there is none.
        versions: of what computes.
        machine: its kind.
        started: in UTC, ISO 8601.
    """

    kind: str
    command: str = dataclasses.field(default_factory=_command)
    versions: Mapping[str, str] = dataclasses.field(default_factory=_versions)
    machine: str = dataclasses.field(default_factory=_machine)
    started: str = dataclasses.field(default_factory=now)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def places(self) -> dict[str, Any]:
        """What `to_dict` leaves out because it names places on a user's computer, and with them often persons."""
        call = called()
        return {"typed": call.typed} if call.typed != call.shown else {}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The run that `to_dict` gave, with its places where they are known, from fields that this kind has."""
        known = {field.name for field in dataclasses.fields(cls)}
        return from_values(cls, {name: value for name, value in values.items() if name in known})


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluationRun(Run):
    """Labelled images, by the fingerprint of their content, were read with a bundle."""

    kind: str = "evaluation"
    bundle: str
    fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {**_without(super().to_dict(), "fingerprint"), "data": {"fingerprint": self.fingerprint}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The run that `to_dict` gave."""
        return super().from_dict({**values, **values["data"]})


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparisonRun(Run):
    """Two evaluations were compared.

    Args:
        first: what read the first, such as "bundle 0a1b2c3d4e5f".
        second: likewise.
        folders: of the two.
    """

    kind: str = "comparison"
    first: str
    second: str
    folders: tuple[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values, but for the folders."""
        return _without(super().to_dict(), "folders")

    def places(self) -> dict[str, Any]:
        """What `to_dict` leaves out."""
        return {**super().places(), "folders": list(self.folders)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExplanationRun(Run):
    """So many images were explained with a bundle."""

    kind: str = "explanation"
    bundle: str
    explained: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class MonitoringRun(Run):
    """The last days of a reading log, of one bundle or of all, or the readings of an archive were looked at."""

    kind: str = "monitor"
    bundle: str | None
    since_days: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingRun(Run):
    """A training run, from the moment its images are decoded.

    Args:
        request: what the user asked for.
        fingerprint: SHA-256 over content, label, side and patient of the images.
        images: how many of each class on each side.
        patients: how many on each side.
        study: the id of the study that the run belongs to.
        left_out: by the number of the image, why it was left out.
        copies: how many groups of copies were kept together; None where they were not looked for before the split.
        backend: of Keras, which computed.
        hosts: how many trained together.
    """

    kind: str = "training"
    request: StudyRequest
    fingerprint: str
    images: Mapping[str, Mapping[str, int]]
    patients: Mapping[str, int]
    study: str
    left_out: Mapping[str, str]
    copies: int | None = None
    backend: str = "tensorflow"
    hosts: int = 1

    @property
    def data(self) -> dict[str, Any]:
        """What a bundle records of its data."""
        return {name: getattr(self, name) for name in ("fingerprint", "images", "patients", "study")}

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {**_without(super().to_dict(), "request", *self.data), **self.request.to_dict(), "data": self.data}

    def places(self) -> dict[str, Any]:
        """What `to_dict` leaves out."""
        return {**super().places(), **self.request.places()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The run that `to_dict` gave."""
        return super().from_dict({**values, **values["data"], "request": StudyRequest.from_dict(values)})


@dataclasses.dataclass(frozen=True, kw_only=True)
class FinishedTraining(TrainingRun):
    """A training run at its end.

    Args:
        precision: that it computed in.
        best_epoch: counted from 1; None where each of several networks has its own.
        seconds: of training.
        cut_short: whether a network still got better when its epochs ended.
    """

    precision: str
    best_epoch: int | None
    seconds: float
    cut_short: bool = False
    finished: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class CrossValidationRun(Run):
    """A cross-validation.

    Args:
        request: what the user asked for, with the number of folds.
        seeds: how many.
        ensemble: whether the networks are kept as one bundle.
        cases: SHA-256 over cases and folds.
        copies: how many groups of copies were kept together; None where they were not looked for before the split.
        study: the id that all its trainings share.
        finished: whether every fold is trained and pooled.
    """

    kind: str = "cross-validation"
    request: StudyRequest
    seeds: int
    ensemble: bool = False
    cases: str
    copies: int | None = None
    study: str = dataclasses.field(default_factory=new_study_id)
    finished: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {**_without(super().to_dict(), "request"), **self.request.to_dict()}

    def places(self) -> dict[str, Any]:
        """What `to_dict` leaves out."""
        return {**super().places(), **self.request.places()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The run that `to_dict` gave."""
        return super().from_dict({**values, "request": StudyRequest.from_dict(values)})
