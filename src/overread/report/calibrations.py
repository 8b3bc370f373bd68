"""How networks are calibrated, in the sentences that report and documents share."""

from __future__ import annotations

from collections.abc import Sequence

from overread.decision import Calibration
from overread.words import count

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
    strength = ""
    if found.temperature is not None:
        effect = "milder" if found.temperature > 1 else "more extreme"
        strength = f" (temperature {found.temperature:.3f}, which makes probabilities {effect})"
    if found.offset is not None and any(found.offset):
        strength += " and brought back from the weights of training to the shares of the classes among its images"
    fitted_on = f"fitted on {count(found.n, image)}"
    return f"{who} is calibrated by {_METHODS[found.method]}{strength}, {fitted_on}.{note}"
