"""What the networks of a bundle answer to prepared images."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from overread.bundle import Bundle, Graph, Member, Reference
from overread.bundle.graph import GraphShape
from overread.bundle.trial import require_sound
from overread.decision import Calibration, Familiarity, Task, measure_traits
from overread.decision.pooling import Attention
from overread.errors import InvalidBundle


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What the networks of a bundle answer to prepared images.

    `probabilities` and `uncalibrated` are `(n, classes)` float64, `activation_maps` `(n, h, w, outputs)` float32 and
    `features` `(n, f)` float32; of an ensemble, the means of its members', with their features side by side. For
    `unfamiliarity` `(n,)` and `projections` `(n, k)` see `Reading`.
    """

    probabilities: np.ndarray
    uncalibrated: np.ndarray
    activation_maps: np.ndarray
    features: np.ndarray
    unfamiliarity: np.ndarray
    projections: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class OpenNetwork:
    """A network of a bundle, ready to run; of one that reads exams, with what says which frames matter."""

    task: Task
    graph: Graph
    calibration: Calibration
    familiarity: Familiarity
    limit: float
    attention: Attention | None

    @classmethod
    def of(cls, bundle: Bundle, member: Member, reference: Reference, provider: str) -> OpenNetwork:
        """Open one.

        Raises:
            InvalidBundle: it is another than the bundle describes.
        """
        options, content = bundle.preprocessing, bundle.read_file(member.graph)
        image = (options.height, options.width, options.channels or 0)
        require_sound(content, image)
        graph, features = Graph(content, provider=provider), reference.familiarity.features.mean.size
        if graph.shape != GraphShape(image=image, outputs=bundle.task.outputs, features=features):
            raise InvalidBundle("the network of the bundle is another than it describes: get it again from its source")
        return cls(
            task=bundle.task,
            graph=graph,
            calibration=member.calibration,
            familiarity=reference.familiarity,
            limit=reference.limit,
            attention=bundle.attention(member),
        )

    def on_one_core(self) -> OpenNetwork:
        """The same, worked by the thread that calls it."""
        return dataclasses.replace(self, graph=self.graph.on_one_core())

    def calibrated(self, logits: np.ndarray) -> np.ndarray:
        """`(n, classes)` calibrated probabilities of `(n, outputs)` logits."""
        return self.calibration.apply(logits, self.task)

    def uncalibrated(self, logits: np.ndarray) -> np.ndarray:
        """`(n, classes)` probabilities as the network has them."""
        return self.task.probabilities(logits)


def answers_from(networks: Sequence[OpenNetwork], pixels: np.ndarray) -> Answers:
    """Ask networks of prepared images, `(n, height, width, channels)` uint8 with n of 1 or more."""
    outputs = [network.graph.run(pixels) for network in networks]
    measured = [
        network.familiarity.measure(measure_traits(found.features, pixels))
        for network, found in zip(networks, outputs, strict=True)
    ]
    probabilities = [n.calibrated(found.logits) for n, found in zip(networks, outputs, strict=True)]
    uncalibrated = [n.uncalibrated(found.logits) for n, found in zip(networks, outputs, strict=True)]
    unfamiliarity = [distances / n.limit for n, (_, distances) in zip(networks, measured, strict=True)]
    return Answers(
        probabilities=np.mean(probabilities, axis=0),
        uncalibrated=np.mean(uncalibrated, axis=0),
        activation_maps=np.mean([found.activation_maps for found in outputs], axis=0),
        features=np.concatenate([found.features for found in outputs], axis=1),
        unfamiliarity=np.mean(unfamiliarity, axis=0),
        projections=measured[0][0],
    )
