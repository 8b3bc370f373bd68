"""What ROC and precision-recall curves of one judged class or question are, apart from where they are drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from overread.decision.cuts import FloatArray
from overread.decision.task import BoolArray
from overread.evaluation import average_precision, precision_recall_curve, roc_auc, roc_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Rows = list[tuple[Any, ...]]


class ClassCurve(NamedTuple):
    """A class against the rest, or a question, of the cases that answer it, and how its curve is drawn."""

    name: str
    actual: BoolArray
    score: FloatArray
    style: dict[str, Any]

    @property
    def is_defined(self) -> bool:
        """Whether there are cases of both answers."""
        return bool(self.actual.any() and not self.actual.all())


class Placed(NamedTuple):
    """An operating point on a curve, and its rates in words."""

    point: tuple[float, float]
    rates: str


class CurveKind(ABC):
    """A kind of curve."""

    axes: ClassVar[tuple[str, str]]
    # What heads these axes in its CSV.
    columns: ClassVar[tuple[str, str]]
    # The short name of the area below it.
    area: ClassVar[str]

    @abstractmethod
    def draw(self, axis: Axes, one: ClassCurve, label: str) -> Rows:
        """Draw a curve that is defined; give its points, for the CSV."""

    @abstractmethod
    def measures(self, one: ClassCurve) -> tuple[str, ...]:
        """What is said of a curve beside its name."""

    @abstractmethod
    def place(self, one: ClassCurve, threshold: float) -> Placed | None:
        """Where a threshold lies on the curve, if it calls any case."""

    @abstractmethod
    def draw_chance(self, axis: Axes) -> None:
        """Draw, or explain, what chance would give."""


class Roc(CurveKind):
    """Sensitivity against 1 - specificity."""

    axes = ("1 - specificity", "sensitivity")
    columns = ("fpr", "tpr")
    area = "AUC"

    def draw(self, axis: Axes, one: ClassCurve, label: str) -> Rows:
        curve = roc_curve(one.actual, one.score)
        axis.plot(curve.fpr, curve.tpr, **one.style, label=label)
        return [(one.name, *point) for point in zip(*curve, strict=True)]

    def measures(self, one: ClassCurve) -> tuple[str, ...]:
        return (f"AUC {roc_auc(one.actual, one.score):.3f}",)

    def place(self, one: ClassCurve, threshold: float) -> Placed:
        called = one.score >= threshold
        sensitivity, specificity = called[one.actual].mean(), (~called[~one.actual]).mean()
        rates = f"sensitivity {sensitivity:.3f}, specificity {specificity:.3f}"
        return Placed((1 - specificity, sensitivity), rates)

    def draw_chance(self, axis: Axes) -> None:
        axis.plot([0, 1], [0, 1], color="0.5", linestyle=":", linewidth=1, label="chance")


class PrecisionRecall(CurveKind):
    """Precision against recall; chance gives the prevalence."""

    axes = ("recall (sensitivity)", "precision (PPV)")
    columns = ("recall", "precision")
    area = "AP"

    def draw(self, axis: Axes, one: ClassCurve, label: str) -> Rows:
        curve = precision_recall_curve(one.actual, one.score)
        axis.step(curve.recall, curve.precision, **one.style, where="post", label=label)
        axis.axhline(one.actual.mean(), color=one.style["color"], linestyle=":", linewidth=1)
        thresholds = [*curve.thresholds, ""]
        return [(one.name, *point) for point in zip(curve.recall, curve.precision, thresholds, strict=True)]

    def measures(self, one: ClassCurve) -> tuple[str, ...]:
        return (f"AP {average_precision(one.actual, one.score):.3f}", f"prevalence {one.actual.mean():.3f}")

    def place(self, one: ClassCurve, threshold: float) -> Placed | None:
        called = one.score >= threshold
        if not called.any():
            return None
        sensitivity, ppv = called[one.actual].mean(), one.actual[called].mean()
        return Placed((sensitivity, ppv), f"sensitivity {sensitivity:.3f}, PPV {ppv:.3f}")

    def draw_chance(self, axis: Axes) -> None:
        axis.plot([], [], color="0.5", linestyle=":", linewidth=1, label="chance: the prevalence")
