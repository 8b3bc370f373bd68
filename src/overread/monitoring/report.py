"""The page of a reader at work: volume, referrals, agreement with humans, and drift with its figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from overread.evaluation import Estimate
from overread.evaluation.wording import in_words, p_of, share_in_cell
from overread.monitoring.checks import Check
from overread.monitoring.drift_figure import draw_distributions, draw_drift
from overread.monitoring.watch import Monitoring
from overread.report.document import FigureItem, ReportContext, Section, Table
from overread.report.html import write_report
from overread.report.tables import metrics_table
from overread.run import RunFolder
from overread.words import count, level_of, listed

_RATES = {
    "referred": "Referred to a human, of images read",
    "failed": "Could not be read, of all images",
    "unfamiliar": "Unfamiliar, of images read (1 % is expected)",
    "agreement": "Human agrees, of images reviewed",
}
_DRIFT = (
    "Each value is held against what the bundle made of validation images, its reference: scores and components of the "
    "pooled features by the Kolmogorov-Smirnov test, the share of unfamiliar images by the number of values beyond the "
    "limit, which allows for the limit's own uncertainty. An image that was sent several times counts once. Images of "
    "one patient resemble one another, which makes the tests find something too often: with 1.4 images a patient, as "
    "in the chest radiographs that this was tried on, in about 3 of 100 runs without drift. A change of scores may be "
    "one of the images, or of the share of ill patients among them. That nothing was found does not show that the "
    "reader is still right."
)
_REVIEWS = (
    "Agreement is not accuracy: humans saw the reader's answer, and chose, or were asked, which images to review. The "
    "later half of the reviews is held against the earlier (Fisher's exact test, one-sided)."
)


_MOST_LABELS = 12
# In the order of the columns.
_ANSWERS = ("present", "yes", "unsure", "absent", "no")


def write_monitoring_report(out: Path, found: Monitoring) -> Path:
    """Write `report.html` of a stretch of the log; the figures are drawn into `figures/`.

    Args:
        out: its folder, which is there.
        found: in the log.

    Raises:
        OutputUnwritable: a file cannot be written.
        MissingExtra: matplotlib or Jinja2 is not installed.
    """
    agreement = () if found.since is None else (_agreement_section(found),)
    sections = (_volume_section(found), *agreement, _drift_section(found, RunFolder(out).figures))
    stretch = "on an archive" if found.since is None else f"at work, {found.since:%Y-%m-%d} to {found.until:%Y-%m-%d}"
    title = f"The reader {stretch}"
    return write_report(RunFolder(out).report, ReportContext(title, _verdict(found), sections))


def _verdict(found: Monitoring) -> tuple[str, ...]:
    images = count(found.n_images, "image")
    if found.since is None:
        told = f"There were {images} in {count(found.n_readings, 'part')}. "
    else:
        what = f"{images} in {count(found.n_readings, 'reading')}"
        told = f"From {found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC there were {what}. "
    told += f"Referred to a human: {in_words(found.rates['referred'], as_share=True)}."
    made = [check for check in found.checks if check.p is not None]
    if not made:
        where = "Drift" if found.since is None else "Drift and Agreement"
        return (told, f"Nothing was tested: see under {where} why.")
    if not found.findings:
        return (told, f"Of {count(len(made), 'test')} none found a change.")
    names = listed([check.name for check in found.findings])
    return (told, f"Of {count(len(made), 'test')} these found a change: {names}.")


def _volume_section(found: Monitoring) -> Section:
    level = found.rates["referred"].interval.level
    rates: dict[str, Estimate] = {label: found.rates[name] for name, label in _RATES.items() if name in found.rates}
    days = tuple(
        (day.isoformat(), *(f"{counts[name]:,}" for name in ("images", "referred", "failed")))
        for day, counts in found.by_day.items()
    )
    latency = tuple(
        (name, "undefined" if value is None else f"{value:,.1f} ms") for name, value in found.latency_ms.items()
    )
    failures = tuple((code, f"{n:,}") for code, n in found.failures.items())
    items = (
        metrics_table("Shares", rates, level=level),
        *_answers(found),
        _decisions(found),
        *((Table("Images by day (UTC)", ("Day", "Images", "Referred", "Failed"), days),) if days else ()),
        *((Table("Time from taking up an image to its result", ("Percentile", "Time"), latency),) if latency else ()),
        *((Table("Images that could not be read", ("Error", "Images"), failures),) if failures else ()),
    )
    unnamed = "not named" if found.since is None else "all that wrote into the log"
    return Section("Volume", paragraphs=(f"Bundle: {found.bundle or unnamed}.",), items=items)


def _decisions(found: Monitoring) -> Table:
    """How often each class, or each combination of findings, was decided on."""
    what, heading = ("all that was decided", "Decided") if found.questions else ("the class decided on", "Class")
    rows = tuple((name, f"{n:,}") for name, n in _most_frequent(found.classes))
    return Table(f"Images read, by {what}", (heading, "Images"), rows)


def _most_frequent(labels: Mapping[str, int]) -> list[tuple[str, int]]:
    """Labels by name; of very many, such as combinations of findings, those that most images have."""
    if len(labels) <= _MOST_LABELS:
        return sorted(labels.items())
    first = sorted(labels.items(), key=lambda item: (-item[1], item[0]))
    rest = first[_MOST_LABELS:]
    return [*first[:_MOST_LABELS], (f"{len(rest):,} others", sum(n for _, n in rest))]


def _answers(found: Monitoring) -> tuple[Table, ...]:
    if not found.questions:
        return ()
    answers = [name for name in _ANSWERS if any(name in counts for counts in found.questions.values())]
    rows = tuple(
        (question, *(f"{counts.get(name, 0):,}" for name in answers)) for question, counts in found.questions.items()
    )
    return (Table("Images read, by the answer to each question", ("Question", *answers), rows),)


def _corrections(found: Monitoring) -> Table:
    rows = tuple(
        (
            question,
            share_in_cell(told.agreement),
            f"{told.added:,}",
            f"{told.removed:,}",
            f"{told.agreement.metric.n:,}",
        )
        for question, told in found.corrections.items()
    )
    header = ("Question", "Human agrees", "Only the human says yes", "Only the reader says yes", "Reviews")
    return Table("Reviews of each question", header, rows)


def _agreement_section(found: Monitoring) -> Section:
    if found.corrections:
        return Section("Agreement", paragraphs=(_REVIEWS,), items=(_corrections(found),))
    classes = sorted({name for pair in found.confusion for name in pair})
    rows = tuple((reader, *(f"{found.confusion.get((reader, human), 0):,}" for human in classes)) for reader in classes)
    table = Table("Reviews: class of the reader by row, of the human by column", ("Reader", *classes), rows)
    return Section("Agreement", paragraphs=(_REVIEWS,), items=(table,) if rows else ())


def _drift_section(found: Monitoring, folder: Path) -> Section:
    alpha = level_of(found.alpha)
    rows = tuple(
        (
            check.name,
            f"{check.n:,}",
            "" if check.statistic is None else f"{check.statistic:.3f}",
            "" if check.p is None else p_of(check.p),
            "" if check.adjusted_p is None else p_of(check.adjusted_p),
            check.reason or ("changed" if check.found else "no change found"),
            check.test,
        )
        for check in found.checks
    )
    header = ("What", "n", "Statistic", "p", "Adjusted p", "Result", "Test")
    text = (
        f"The p values of all tests are adjusted together (Holm): below {alpha} something is said to have changed, "
        f"which chance alone brings about in at most {alpha} of runs if images are independent. The statistic is the "
        "largest distance between the shares of both samples, or a share itself."
    )
    changed = listed([check.name for check in found.findings])
    warnings = (f"More than chance explains has changed: {changed}.",) * bool(found.findings)
    figures = tuple(_figure(check, folder / stem) for stem, check in _drawn(found).items())
    reference = "" if found.has_reference else "No bundle was named, so there is no reference and drift was not tested."
    return Section(
        "Drift", (*filter(None, (reference, _DRIFT)), text), (Table("Tests", header, rows), *figures), warnings
    )


def _drawn(found: Monitoring) -> dict[str, Check]:
    """Scores and unfamiliarity always, of the components those that changed; by the name of their file."""
    usual = [check for check in found.checks if not check.name.startswith("component") or check.found]
    drawn: dict[str, Check] = {}
    for check in usual:
        if len(check.values) and len(check.expected):
            stem = re.sub(r"[^a-z0-9]+", "_", check.name.lower()).strip("_")
            drawn[f"{stem}_{len(drawn) + 1}" if stem in drawn else stem] = check
    return drawn


def _figure(check: Check, path: Path) -> FigureItem:
    path.parent.mkdir(parents=True, exist_ok=True)
    name = "unfamiliarity" if check.limit is not None else check.name
    if len(check.times):
        path = draw_drift(check.times, check.values, check.expected, name=name, path=path, limit=check.limit)
        how = "by day, over the values of the reference; on the right both distributions"
        shown = "Median of each day against the band of the reference"
    else:
        path = draw_distributions(check.values, check.expected, name=name, path=path, limit=check.limit)
        how = "of the archive, over the values of the reference"
        shown = "Both distributions"
    told = "has changed" if check.found else "no change was found" if check.p is not None else "it was not tested"
    caption = f"{name[:1].upper()}{name[1:]} {how}."
    alt = f"{shown}, {name}; by the test of the {check.name}, {told}."
    return FigureItem(path, caption, alt)
