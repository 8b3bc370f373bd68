"""What must hold of a server after the soak, as lines of a table with targets."""

from __future__ import annotations

import dataclasses
import statistics
from collections import Counter

from table import Row

from overread.reading_log import ReadingLog
from soak.server import Sample
from soak.traffic import Answer, Ledger

# A restart of the database may be felt for so long.
_FELT_S = 30
_RESTART_STATUSES = (503,)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Soaked:
    """What was seen: times are of the monotonic clock."""

    ledger: Ledger
    samples: list[Sample]
    last: Sample
    begin: float
    seconds: float
    restarts: list[float]
    at_once: list[int]
    exit_status: int | None
    stopped_in_s: float
    output: str
    log_url: str


def rows(soaked: Soaked) -> list[Row]:
    """The table."""
    answers = [answer for answer in soaked.ledger.answers if answer.time >= soaked.begin]
    first, last = (_quarter(soaked, which) for which in (0, 3))
    early, late = ([a for a in answers if low <= a.time < high] for low, high in (first, last))
    unexpected = Counter(f"{a.kind} {a.status}" for a in answers if not _meant(a, soaked.restarts))
    refused = sum(answer.status in _RESTART_STATUSES for answer in answers)
    lost = _lost(soaked)
    memory = [_median(soaked.samples, bounds) for bounds in (first, last)]
    p99 = [_p99(part) for part in (early, late)]
    tracebacks = soaked.output.count("Traceback")
    return [
        _count("Requests answered otherwise than they should be", sum(unexpected.values()), _listed(unexpected)),
        _count("Answers that contradict an earlier one", len(soaked.ledger.wrong), "; ".join(soaked.ledger.wrong[:3])),
        _count("Answered readings that the log lost or changed", len(lost), "; ".join(lost[:3])),
        Row(what="Requests", ours=f"{len(answers)}", other=f"{refused} refused by 503", ratio=len(answers)),
        Row(what="Readings in the log", ours=f"{len(soaked.ledger.readings)}", other=f"{len(soaked.ledger.reviews)} "
            "reviewed", ratio=len(soaked.ledger.readings)),
        Row(what="Memory of server and workers, last quarter", ours=f"{memory[1] / 2**20:.0f} MB",
            other=f"first quarter {memory[0] / 2**20:.0f} MB", ratio=memory[1] / memory[0], target=1.1, at_most=True),
        Row(what="p99 of a picture, last quarter", ours=f"{1000 * p99[1]:.0f} ms",
            other=f"first quarter {1000 * p99[0]:.0f} ms", ratio=p99[1] / p99[0], target=2, at_most=True),
        Row(what="Descriptors at the end", ours=f"{soaked.last.descriptors}",
            other=f"at the start {soaked.samples[0].descriptors}",
            ratio=soaked.last.descriptors / soaked.samples[0].descriptors, target=1.2, at_most=True),
        _count("Tracebacks in its output", tracebacks, f"{len(soaked.output) / 1e3:.0f} kB of output"),
        _count("Of 8 requests at once at the end, not read", sum(s != 200 for s in soaked.at_once), ""),
        Row(what="Told to stop, it stopped in", ours=f"{soaked.stopped_in_s:.1f} s", other=f"status "
            f"{soaked.exit_status}", ratio=soaked.stopped_in_s, target=30, at_most=True),
    ]  # fmt: skip


def _count(what: str, number: int, more: str) -> Row:
    return Row(what=what, ours=str(number), other=more, ratio=number, target=0, at_most=True)


def _quarter(soaked: Soaked, number: int) -> tuple[float, float]:
    start = soaked.begin + number * soaked.seconds / 4
    return start, start + soaked.seconds / 4


def _meant(answer: Answer, restarts: list[float]) -> bool:
    """Whether a request was answered as it should be; while the database is away none is, and says so."""
    if answer.status == 200:
        return True
    end = answer.time + answer.seconds
    return answer.status in _RESTART_STATUSES and any(at <= end and answer.time <= at + _FELT_S for at in restarts)


def _lost(soaked: Soaked) -> list[str]:
    """Each answered reading that the log doesn't hold once, as answered, with its last review."""
    log, found = ReadingLog.open(soaked.log_url, create=False), []
    reviews = soaked.ledger.reviews
    try:
        for identity, digests in soaked.ledger.readings.items():
            try:
                images = log.get(identity).images
            except LookupError:
                found.append(f"{identity} is not there")
                continue
            if [image.sha256 for image in images] != digests:
                found.append(f"{identity} has other images")
            wanted = reviews.get((identity, 0))
            review = images[0].review
            if wanted is not None and (review is None or review.true_label != wanted):
                found.append(f"{identity} has another review")
    finally:
        log.close()
    return found


def _median(samples: list[Sample], bounds: tuple[float, float]) -> float:
    return statistics.median(sample.memory for sample in samples if bounds[0] <= sample.time < bounds[1])


def _p99(answers: list[Answer]) -> float:
    seconds = [answer.seconds for answer in answers if answer.kind == "picture" and answer.status == 200]
    return statistics.quantiles(seconds, n=100)[98]


def _listed(found: Counter[str]) -> str:
    return ", ".join(f"{number} x {what}" for what, number in found.most_common(5))
