"""Metrics, intervals and p values in words: the one way in which reports, documents and pages write them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from overread.evaluation.estimates import Estimate
from overread.evaluation.metrics.definition import Metric
from overread.evaluation.uncertainty.interval import Interval
from overread.words import clause, level_of, low_to_high, percent


def value_of(metric: Metric) -> str:
    """Give the value of a metric, or "undefined"."""
    return "undefined" if metric.reason else f"{metric.value:.3f}"


def value_or_reason(metric: Metric, style: str = ".3f") -> str:
    """Give the value of a metric, or why it is undefined."""
    return f"undefined: {metric.reason}" if metric.reason else f"{metric.value:{style}}"


def ends_of(interval: Interval, style: str = ".3f") -> str:
    """Give the ends of an interval, or why there are none."""
    return f"none: {interval.reason}" if interval.reason else low_to_high(interval.low, interval.high, style)


def in_cell(estimate: Estimate) -> str:
    """Give a metric with its interval in one cell of a table, or the reason why either is missing."""
    metric, interval = estimate
    if metric.reason:
        return value_or_reason(metric)
    return f"{value_of(metric)} ({f'no interval: {interval.reason}' if interval.reason else ends_of(interval)})"


def briefly(estimate: Estimate) -> str:
    """Give a metric with its interval, without the reason where either is missing."""
    metric, interval = estimate
    if metric.reason:
        return "undefined"
    return f"{value_of(metric)} ({'no interval' if interval.reason else ends_of(interval)})"


def share_in_cell(estimate: Estimate) -> str:
    """Give a share with its interval as percentages, without the reason where either is missing."""
    metric, interval = estimate
    if metric.reason:
        return "undefined"
    ends = "" if interval.reason else f" ({low_to_high(100 * interval.low, 100 * interval.high, '.1f')})"
    return f"{100 * metric.value:.1f} %{ends}"


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
    found: dict[str, list[str]] = {}
    for label, (metric, interval) in estimates.items():
        if not metric.reason:
            found.setdefault(interval.method, []).append(label)
    if len(found) <= 1:
        return next(iter(found), "none")
    return "; ".join(f"{', '.join(labels)}: {method}" for method, labels in found.items())


def p_of(p: float) -> str:
    """Give a p value as it is usually written; "undefined" for NaN."""
    return "undefined" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"
