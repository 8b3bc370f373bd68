"""Counts and times for Prometheus; no name, identifier or value of a request is ever a label."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from overread.reading import Reader

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The metrics of one server."""

    def __init__(self, readers: Mapping[str, Reader]) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "overread_requests", "Requests by route and status.", ["method", "route", "status"], registry=self._registry
        )
        self.images = Counter(
            "overread_images", "Images by outcome: read, referred, failed.", ["bundle", "outcome"],
            registry=self._registry,
        )  # fmt: skip
        self.frames = Counter(
            "overread_frames", "Frames of what was read; an image is one.", ["bundle"], registry=self._registry
        )
        self.answers = Counter(
            "overread_answers", "Findings and clinical cuts by answer.", ["bundle", "question", "answer"],
            registry=self._registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "overread_image_seconds", "Seconds of an image by stage: decode, infer, total with waiting.", ["stage"],
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self.waiting = Gauge("overread_waiting_images", "Images that wait or are being read.", registry=self._registry)
        self.answering = Gauge("overread_answering_requests", "Requests that are being read.", registry=self._registry)
        self.body_bytes = Gauge("overread_body_bytes", "Bytes of requests in memory.", registry=self._registry)
        bundles = Info("overread_bundle", "Bundles served.", ["bundle"], registry=self._registry)
        for name, reader in readers.items():
            network = str(reader.bundle.network.get("name", ""))
            bundles.labels(name).info({"fingerprint": reader.bundle.fingerprint, "network": network})

    def text(self) -> bytes:
        """All of it in the Prometheus text format."""
        return generate_latest(self._registry)
