"""What is tried next: a function of what was measured and of the time that is left, without any training in it.

A linear head on frozen features comes first, for it takes seconds. Then the default network is trained as a whole, with
as many epochs as there is time for. Heads of further networks, larger images and further networks follow where they
leave time for more. The candidate of least loss on validation patients is chosen, and what remains goes to further
networks of its kind, each of which leaves out other patients.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from overread.run.trials import CUT_SHORT, FINE_TUNING, HEAD, NO_TIME, Trial
from overread.words import duration

# The validation side is the first; train is dealt to the others.
FOLDS = 5
# Of the time left: what a head may take, and a further candidate, so that the chosen one can have folds.
_FOR_HEAD, _FOR_CANDIDATE = 0.05, 1 / 3
# Larger images than a network's own, in steps of 32 px.
_LARGER, _STEP_PX = 1.4, 32
# A network of a fold gets at least this share of its epochs, or is not begun.
_LEAST_SHARE = 0.5


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A network at a size, and what of it is trained; the whole of it for so many epochs at most."""

    network: str
    size: int
    way: str
    epochs: int = 0

    def __str__(self) -> str:
        return f"{self.network} at {self.size} px, {self.way}"

    def is_of(self, trial: Trial) -> bool:
        """Whether a trial is one of this candidate."""
        return (self.network, self.size, self.way) == (trial.network, trial.size, trial.way)


@dataclasses.dataclass(frozen=True)
class Step:
    """What is to be done next: a candidate, the fold that it leaves out, its epochs and what it will likely take."""

    candidate: Candidate
    fold: int = 1
    epochs: int = 0
    expected_s: float | None = None


def ladder_of(networks: Sequence[tuple[str, int, int]], *, has_head: bool, may_grow: bool) -> tuple[Candidate, ...]:
    """The candidates in the order in which they are tried.

    Args:
        networks: name, size and epochs of each, the default first.
        has_head: whether a linear head says something, for the networks were trained elsewhere.
        may_grow: whether larger images may be tried.
    """
    heads = [Candidate(name, size, HEAD) for name, size, _ in networks if has_head]
    whole = [Candidate(name, size, FINE_TUNING, epochs) for name, size, epochs in networks]
    larger = [dataclasses.replace(whole[0], size=_STEP_PX * round(_LARGER * whole[0].size / _STEP_PX))]
    return (*heads[:1], whole[0], *heads[1:], *(larger if may_grow else ()), *whole[1:])


def next_step(
    ladder: Sequence[Candidate], trials: Sequence[Trial], left_s: float, *, folds: int = FOLDS
) -> Step | None:
    """What to do with the time that is left; None where nothing more fits.

    Args:
        ladder: the candidates in the order in which they are tried.
        trials: what was tried, or is under way.
        left_s: seconds, without those that the end takes.
        folds: how many networks the chosen candidate may have.
    """
    if trials and trials[-1].is_under_way:
        last = trials[-1]
        return Step(Candidate(last.network, last.size, last.way, last.epochs), last.fold, last.epochs)
    for candidate in ladder:
        if any(candidate.is_of(trial) for trial in trials if trial.fold == 1):
            continue
        expected = expected_seconds(candidate, trials)
        if _is_worth(candidate, trials, expected, left_s):
            return Step(candidate, epochs=candidate.epochs, expected_s=expected)
    return _next_fold(trials, left_s, folds)


def _is_worth(candidate: Candidate, trials: Sequence[Trial], expected: float | None, left_s: float) -> bool:
    if not any(trial.is_judged for trial in trials):
        return True
    if left_s <= 0:
        return False
    if candidate.way == HEAD:
        return expected is not None and expected <= _FOR_HEAD * left_s
    if not any(trial.way == FINE_TUNING for trial in trials):
        return True  # with as many epochs as fit
    return expected is not None and expected <= _FOR_CANDIDATE * left_s


def _next_fold(trials: Sequence[Trial], left_s: float, folds: int) -> Step | None:
    if (best := best_of(trials)) is None:
        return None
    candidate = Candidate(best.network, best.size, best.way, best.epochs)
    made = {trial.fold for trial in trials if trial.is_like(best)}
    waiting = [fold for fold in range(1, folds + 1) if fold not in made]
    if not waiting:
        return None
    if best.seconds <= left_s:
        return Step(candidate, waiting[0], best.epochs, best.seconds)
    if not best.epochs_done:
        return None
    epoch_s = best.seconds / best.epochs_done
    epochs = epochs_that_fit(best.epochs, left_s, epoch_s)
    return Step(candidate, waiting[0], epochs, epochs * epoch_s) if epochs >= _LEAST_SHARE * best.epochs else None


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The candidate of least loss; of equal ones, the first."""
    return min((trial for trial in trials if trial.fold == 1 and trial.is_judged), key=_loss, default=None)


def members_of(trials: Sequence[Trial]) -> list[Trial]:
    """The trials whose networks the bundle is made of, by fold; one that time cut short in its first half is none."""
    best = best_of(trials)
    found = [trial for trial in trials if best and trial.is_judged and trial.is_like(best)]
    # The last epoch of what was cut short may be no whole one.
    whole = [
        trial
        for trial in found
        if trial == best or trial.state != CUT_SHORT or trial.epochs_done - 1 >= _LEAST_SHARE * trial.epochs
    ]
    return sorted(whole, key=lambda trial: trial.fold)


def _loss(trial: Trial) -> float:
    return trial.loss if trial.loss is not None else float("inf")


def epochs_that_fit(most: int, left_s: float, epoch_s: float) -> int:
    """How many of the epochs there is time for; it may be none."""
    return max(0, min(most, int(left_s / epoch_s)))


def expected_seconds(candidate: Candidate, trials: Sequence[Trial]) -> float | None:
    """What a candidate will likely take, by what the most like of the earlier ones took; None where none is like it.

    Time grows with the pixels; that of another network with its head, where that was tried.
    """
    like = [trial for trial in trials if trial.way == candidate.way and trial.is_judged]
    if not like:
        return None
    base = min(like, key=lambda trial: (trial.network != candidate.network, abs(trial.size - candidate.size)))
    seconds = base.seconds
    if candidate.epochs and base.epochs_done:
        seconds *= candidate.epochs / base.epochs_done
    pixels = (candidate.size / base.size) ** 2
    heads = [_head_seconds(network, trials) for network in (candidate.network, base.network)]
    if candidate.network != base.network and all(heads):
        (own, own_size), (other, other_size) = (found for found in heads if found)
        by_heads = own / other * (candidate.size / own_size * other_size / base.size) ** 2
        return seconds * max(pixels, by_heads)
    return seconds * pixels


def _head_seconds(network: str, trials: Sequence[Trial]) -> tuple[float, int] | None:
    found = (trial for trial in trials if trial.way == HEAD and trial.network == network and trial.is_judged)
    return next(((trial.seconds, trial.size) for trial in found), None)


def lacked_time(ladder: Sequence[Candidate], trial: Trial) -> bool:
    """Whether more time would have made more of a trial: it was not begun, cut short, or given fewer epochs."""
    return trial.state in {NO_TIME, CUT_SHORT} or trial.epochs < _full_epochs(ladder, trial)


def _full_epochs(ladder: Sequence[Candidate], trial: Trial) -> int:
    return max((one.epochs for one in ladder if one.is_of(trial)), default=trial.epochs)


def outlook(ladder: Sequence[Candidate], trials: Sequence[Trial], *, folds: int = FOLDS) -> str:
    """Say what more time would likely bring, by what was measured."""
    best = best_of(trials)
    if best is None:
        return "There was no time to judge a network: give more of it."
    tried = [trial for trial in trials if trial.fold == 1]
    full = _full_epochs(ladder, best)
    if lacked_time(ladder, best):
        return f"More time would first go to all {full} epochs of {best}, which had too little; that is likely to help."
    if (short := next((trial for trial in tried if trial.state == NO_TIME), None)) is not None:
        return f"More time would first go to {short}, for which there was none; that is likely to help."
    left = [one for one in ladder if one.way == FINE_TUNING and not any(map(one.is_of, tried))]
    if left and (seconds := expected_seconds(left[0], trials)) is not None:
        return f"More time would next go to {left[0]}, about {duration(seconds)}{_gain(tried)}."
    made = len(members_of(trials))
    if made < folds:
        return (
            f"More time would go to {folds - made} more networks of {best}, about {duration(best.seconds)} each, which "
            "steady what is said of new patients."
        )
    return f"All that there is to try was tried{_gain(tried)}: more patients would bring more than more time."


def _gain(tried: Sequence[Trial]) -> str:
    """What the last of the candidates brought."""
    *earlier, last = [_loss(trial) for trial in tried if trial.is_judged]
    if not earlier:
        return ""
    before = min(earlier)
    if last >= before:
        return f"; the last candidate brought nothing (log loss {last:.3f} after {before:.3f})"
    return f"; the last candidate lowered the log loss from {before:.3f} to {last:.3f}"
