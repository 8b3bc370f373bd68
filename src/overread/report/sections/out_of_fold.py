"""What to expect: what networks said of images that they never saw, beside what their average says of the test."""

from __future__ import annotations

from overread.evaluation import LOSSES, RANKING, RATES, Assessment
from overread.evaluation.metrics.built_in import OF_GRADES
from overread.evaluation.wording import in_words
from overread.report.document import Section, Table
from overread.report.tables import side_by_side_table
from overread.words import count

_OF_GRADES = tuple(found.name for found in OF_GRADES)
_SHOWN = (*RANKING, "accuracy", "balanced_accuracy", *RATES, *LOSSES)


def out_of_fold_section(unseen: Assessment, test: Assessment) -> Section:
    """Say what the out-of-fold readings promised, and what the test gave.

    Args:
        unseen: of the images outside test, each read by the network that never saw its patient.
        test: of the test images, read by all networks together.
    """
    text = (
        f"Each of {count(unseen.evaluation.n, 'image')} outside test was read by the one network that was trained "
        "without its patient. These out-of-fold readings chose calibration, threshold and referral, and they say what "
        f"to expect of new patients of the same kind: an AUC of {in_words(unseen['auc'])}. They flatter a little, for "
        "epochs and thresholds were chosen by them; and each network read alone, where the bundle gives the mean of "
        "all, which is mostly better."
    )
    pairs = {name: (part, test.parts[name]) for name, part in unseen.parts.items() if name in test.parts}
    tables = tuple(_beside(name, *pair) for name, pair in (pairs or {"": (unseen, test)}).items())
    return Section("Out-of-fold readings", paragraphs=(text,), items=tables)


def _beside(name: str, unseen: Assessment, test: Assessment) -> Table:
    labels = unseen.evaluation.labels
    shown = {labels[metric]: metric for metric in (*_OF_GRADES, *_SHOWN) if metric in labels}
    columns = [
        (f"{heading} ({count(found.n_patients, 'patient')})", {label: found[metric] for label, metric in shown.items()})
        for heading, found in (("Out-of-fold", unseen), ("Test", test))
    ]
    caption = "What was said of unseen patients"
    return side_by_side_table(f"{name}: {caption}" if name else caption, *columns, level=unseen.options.level)
