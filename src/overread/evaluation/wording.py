"""Numbers in words: how a report writes shares, metrics, intervals and counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from overread.evaluation import Estimate, Interval, Metric

SIDES = {"train": "training", "val": "validation", "test": "test"}


def percent(share: float) -> str:
    """Give a share of 1 as a percentage."""
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def level_of(level: float) -> str:
    """Give a share that was asked for, such as the level of an interval: "95 %"."""
    return f"{100 * level:g} %"


def moment(time: str) -> str:
    """Give a time in ISO 8601 to the minute."""
    return time[:16].replace("T", " ")


def clause(sentence: str | None) -> str:
    """Give a reason without capital and full stop, to stand inside a sentence."""
    text = (sentence or "").rstrip(".")
    return text[:1].lower() + text[1:]


def value_of(metric: Metric) -> str:
    """Give the value of a metric, or "undefined"."""
    return "undefined" if metric.reason else f"{metric.value:.3f}"


def ends_of(interval: Interval) -> str:
    """Give the ends of an interval, or why there are none."""
    return f"none: {interval.reason}" if interval.reason else f"{interval.low:.3f} to {interval.high:.3f}"


def in_cell(estimate: Estimate) -> str:
    """Give a metric with its interval in one cell of a table; an undefined one with the reason."""
    metric, interval = estimate
    if metric.reason:
        return f"undefined: {metric.reason}"
    return f"{value_of(metric)} (no interval: {interval.reason})" if interval.reason else _bracketed(metric, interval)


def in_words(estimate: Estimate, *, as_share: bool = False, with_level: bool = True) -> str:
    """Give a metric with its interval inside a sentence.

    Args:
        estimate: of a test.
        as_share: as a percentage.
        with_level: say what stands in the brackets.
    """
    metric, interval = estimate
    if metric.reason:
        return f"undefined ({clause(metric.reason)})"
    write = percent if as_share else "{:.3f}".format
    if interval.reason:
        return f"{write(metric.value)} (no interval: {clause(interval.reason)})"
    level = f"{level_of(interval.level)} interval " if with_level else ""
    return f"{write(metric.value)} ({level}{write(interval.low)} to {write(interval.high)})"


def methods_of(estimates: Mapping[str, Estimate]) -> str:
    """Name the methods of several intervals; where they differ, which is whose."""
    return _told_apart((label, interval.method) for label, (metric, interval) in estimates.items() if not metric.reason)


def _bracketed(metric: Metric, interval: Interval) -> str:
    return f"{value_of(metric)} ({ends_of(interval)})"


def _told_apart(pairs: Iterable[tuple[str, str]]) -> str:
    found: dict[str, list[str]] = {}
    for label, method in pairs:
        found.setdefault(method, []).append(label)
    if len(found) <= 1:
        return next(iter(found), "none")
    return "; ".join(f"{', '.join(labels)}: {method}" for method, labels in found.items())
