"""Where the cases of a study are read from, and how what lies there is to be understood."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """Where the cases of a study are read from; what is None or empty is found out.

    Args:
        data: a folder of images or a table of labels.
        labels: tables of labels, where data is a folder; one for each side of a split, or one for all.
        images: the folder that the images of the tables lie in.
        image_column: of the tables; names the image.
        label_column: of the tables; says what the image shows.
        patient_column: of the tables; names the patient.
        split_column: of the tables; says on which side the image stands.
        finding: one finding of several that an image may show; it is told apart from all else.
        mapping: labels to the labels that they are taken as; "" leaves their images out.
        positive: the positive class of two.
        patient_pattern: over file names, whose match names the patient.
        ignore_sides: pool the sides that the data name, so that they are carved anew.
    """

    data: str
    labels: tuple[str, ...] = ()
    images: str | None = None
    image_column: str | None = None
    label_column: str | None = None
    patient_column: str | None = None
    split_column: str | None = None
    finding: str | None = None
    mapping: Mapping[str, str] = dataclasses.field(default_factory=dict)
    positive: str | None = None
    patient_pattern: str | None = None
    ignore_sides: bool = False
