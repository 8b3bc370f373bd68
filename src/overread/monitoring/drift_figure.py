"""Values over time against the band of the reference, and both distributions beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray
from overread.errors import InvalidData
from overread.machine.files import write_csv
from overread.report.figures.canvas import PALETTE, axes_at, drawing, new_figure, tidy, wrapped, write_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH_INCHES, _SIDE_INCHES, _HEIGHT_INCHES = 4.1, 1.5, 2.8
_SHARES = (5, 25, 50, 75, 95)
_BINS = 24
_DAYS_NAMED = 6
_NAME_CHARACTERS = 40  # as many as fit beside the axis


@drawing
def draw_drift(
    times: Sequence[datetime],
    values: npt.ArrayLike,
    expected: npt.ArrayLike,
    *,
    name: str,
    path: str | Path,
    limit: float | None = None,
) -> Path:
    """Draw the values of each day over the middle half and nine tenths of the reference; beside it, both histograms.

    Args:
        times: when each value was read, one or more.
        values: `(n,)` finite numbers.
        expected: `(m,)` finite numbers of the reference, one or more.
        name: of what is drawn.
        path: without a suffix; the CSV holds day, n and percentiles, the first row those of the reference.
        limit: a line to draw, such as that above which an image is unfamiliar.

    Raises:
        InvalidData: there is no value or no reference.
    """
    new, reference = np.asarray(values, dtype=float), np.asarray(expected, dtype=float)
    if not len(new) or not len(reference):
        raise InvalidData(f"there is nothing to draw of the {name}: give one value and one of the reference, or more")
    days = np.array([time.date() for time in times])
    by_day = [(day, new[days == day]) for day in sorted(set(days.tolist()))]
    low, high = (float(end([end(new), end(reference), *([limit] if limit else [])])) for end in (np.min, np.max))
    figure = new_figure(_WIDTH_INCHES + _SIDE_INCHES + 0.15, _HEIGHT_INCHES)
    over_time = axes_at(figure, (0, 0, _WIDTH_INCHES, _HEIGHT_INCHES))
    beside = axes_at(figure, (_WIDTH_INCHES + 0.15, 0, _SIDE_INCHES, _HEIGHT_INCHES))
    _draw_days(over_time, by_day, reference)
    _draw_distributions(beside, new, reference, np.linspace(low, max(high, low + 1e-9), _BINS + 1))
    if limit is not None:
        for axis in (over_time, beside):
            axis.axhline(limit, color=PALETTE[1], linestyle="--", linewidth=1.2, label="limit")
    room = 0.04 * (high - low or 1)
    for axis in (over_time, beside):
        axis.set_ylim(low - room, high + room)
        tidy(axis, "y")
    over_time.set_ylabel(wrapped(name, _NAME_CHARACTERS))
    beside.set(xticks=[], yticklabels=[], xlabel="distribution")
    figure.legend(
        *over_time.get_legend_handles_labels(), loc="upper center", bbox_to_anchor=(0.5, -0.24), ncols=2, fontsize=9,
        frameon=False,
    )  # fmt: skip
    rows = [("reference", reference), *((day.isoformat(), found) for day, found in by_day)]
    header = ("day", "n", *(f"p{share}" for share in _SHARES))
    write_csv(Path(f"{path}.csv"), header, ((day, len(found), *np.percentile(found, _SHARES)) for day, found in rows))
    return write_png(path, figure)


@drawing
def draw_distributions(
    values: npt.ArrayLike, expected: npt.ArrayLike, *, name: str, path: str | Path, limit: float | None = None
) -> Path:
    """Draw the distribution of values over that of the reference.

    Args:
        values: `(n,)` finite numbers, one or more.
        expected: `(m,)` likewise, of the reference.
        name: of what is drawn.
        path: without a suffix; the CSV holds the lower end of each bin and the share of both in it.
        limit: a line to draw, as of `draw_drift`.
    """
    new, reference = np.asarray(values, dtype=float), np.asarray(expected, dtype=float)
    bins = np.histogram_bin_edges(np.concatenate([new, reference, [limit] if limit else []]), _BINS)
    shares = [np.histogram(sample, bins)[0] / len(sample) for sample in (reference, new)]
    figure = new_figure(_WIDTH_INCHES, _HEIGHT_INCHES)
    axis = axes_at(figure, (0, 0, _WIDTH_INCHES, _HEIGHT_INCHES))
    axis.stairs(shares[0], bins, fill=True, color="0.8", label="reference")
    axis.stairs(shares[1], bins, color=PALETTE[0], linewidth=1.4, label="archive")
    if limit is not None:
        axis.axvline(limit, color=PALETTE[1], linestyle="--", linewidth=1.2, label="limit")
    tidy(axis, "y")
    axis.set(xlabel=wrapped(name, _NAME_CHARACTERS), ylabel="share of images")
    axis.legend(fontsize=9, frameon=False)
    write_csv(Path(f"{path}.csv"), ("from", "reference", "archive"), zip(bins[:-1], *shares, strict=True))
    return write_png(path, figure)


def _draw_distributions(axis: Axes, new: FloatArray, reference: FloatArray, bins: FloatArray) -> None:
    shape: dict[str, Any] = {"bins": bins, "density": True, "orientation": "horizontal"}
    axis.hist(reference, color="0.8", **shape)
    axis.hist(new, histtype="step", color=PALETTE[0], linewidth=1.4, **shape)


def _draw_days(axis: Any, by_day: Sequence[tuple[date, FloatArray]], reference: FloatArray) -> None:
    p5, p25, p50, p75, p95 = np.percentile(reference, _SHARES)
    axis.axhspan(p5, p95, color="0.92", label="reference, 90 %")
    axis.axhspan(p25, p75, color="0.82", label="reference, 50 %")
    axis.axhline(p50, color="0.45", linewidth=1, label="reference, median")
    days = [day for day, _ in by_day]
    found = np.array([np.percentile(values, _SHARES) for _, values in by_day])
    lengths = (found[:, 2] - found[:, 1], found[:, 3] - found[:, 2])
    axis.errorbar(
        days, found[:, 2], lengths, fmt="o", markersize=4.5, capsize=2, color=PALETTE[0], label="day: median, 50 %"
    )
    axis.set_xlim(days[0] - timedelta(days=1), days[-1] + timedelta(days=1))
    # Days that have values: of a few days, matplotlib would name hours, and of one, years.
    named = days[:: -(-len(days) // _DAYS_NAMED)]
    axis.set_xticks(named, [day.isoformat() for day in named], rotation=30, horizontalalignment="right")
