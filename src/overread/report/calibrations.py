"""How networks are calibrated, in the sentences that report and documents share."""

from __future__ import annotations

from collections.abc import Sequence

from overread.decision import Calibration
from overread.words import count, low_to_high

_METHODS = {"temperature": "temperature scaling", "isotonic": "isotonic regression", "beta": "beta calibration"}


def calibration_sentences(fitted: Sequence[Calibration]) -> tuple[str, ...]:
    """Say how the logits of each network become probabilities: of several as of one, or in a way of its own."""
    if len(fitted) > 1 and len({*fitted}) == 1:
        return (_sentence(f"Each of the {len(fitted)} networks", fitted[0], "out-of-fold image"),)
    if len(fitted) == 1:
        return (_sentence("The network", fitted[0]),)
    return tuple(_sentence(f"Network {number}", found) for number, found in enumerate(fitted, start=1))


def _sentence(who: str, found: Calibration, image: str = "validation image") -> str:
    note = f" {found.note}" if found.note else ""
    if found.method == "none":
        return f"{who} is not calibrated: its probabilities are taken as they come.{note}"
    fitted_on = f"fitted on {count(found.n, image)}"
    return f"{who} is calibrated by {_METHODS[found.method]}{_strength(found)}, {fitted_on}.{note}"


def _strength(found: Calibration) -> str:
    """How far probabilities are moved, and where to."""
    each, strength = found.each or (found,), ""
    temperatures = [one.temperature for one in each if one.temperature is not None]
    if found.each is not None:
        between = f", at temperatures of {low_to_high(min(temperatures), max(temperatures))}" if temperatures else ""
        strength = f" of each of its {count(len(each), 'output')} by itself{between}"
    elif temperatures:
        effect = "milder" if temperatures[0] > 1 else "more extreme"
        strength = f" (temperature {temperatures[0]:.3f}, which makes probabilities {effect})"
    if any(any(one.offset or ()) for one in each):
        strength += " and brought back from the weights of training to the shares of the classes among its images"
    return strength
