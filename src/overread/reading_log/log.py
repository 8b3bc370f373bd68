"""The reading log: what was read, when, by which bundle, how fast, and what a human said of it."""

from __future__ import annotations

import dataclasses
import hashlib
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa

from overread.decision.task import Task
from overread.errors import (
    InvalidData,
    InvalidOption,
    KeyInProgress,
    KeyReused,
    LogUnavailable,
    OverreadError,
    UnknownReading,
)
from overread.reading_log.database import open_database, transaction
from overread.reading_log.rows import MOST_IMAGES, ImageRow, ReadingRow, Review, is_id
from overread.reading_log.tables import claims, images, readings

# A claim this old without a reading is one whose process died; a request that is alive has been answered by then.
CLAIM_TIMEOUT = timedelta(minutes=5)
_REMOVE_EVERY_S = 3600
_LONGEST_DAYS = 366 * 1000
_AT_ONCE = 500
Answer = TypeVar("Answer")


class ReadingLog:
    """A log in a database, used from any thread; every write is one transaction, whole after a crash or not there.

    Args:
        engine: of a database whose tables are the newest; `open` gives one.
        retention_days: readings that are older are removed, when it is opened and hourly when something is added.

    Raises:
        InvalidOption: retention_days is not above 0.
    """

    def __init__(self, engine: sa.Engine, *, retention_days: float | None = None) -> None:
        if retention_days is not None and not retention_days > 0:
            raise InvalidOption(
                f"retention of {retention_days:g} days keeps nothing: give more than 0, or none to keep"
            )
        if retention_days is not None and retention_days > _LONGEST_DAYS:
            raise InvalidOption(f"retention of {retention_days:g} days is beyond the calendar: give none, to keep")
        self.engine = engine
        self._retention_days = retention_days
        self._remove_next = 0.0
        self._keep_retention()

    @classmethod
    def open(cls, url: str, *, retention_days: float | None = None, create: bool = True) -> ReadingLog:
        """Open the log of a URL, made where it is not there unless `create` is False; see `open_database`."""
        engine = open_database(url, create=create)
        try:
            return cls(engine, retention_days=retention_days)
        except BaseException:
            engine.dispose()
            raise

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def check(self) -> None:
        """Write, read back and delete, as what is logged needs.

        Raises:
            LogUnavailable: one of these fails.
        """
        probe = _claim(uuid.uuid4().hex, _sha256(""))
        this = claims.c.key_sha256 == probe["key_sha256"]
        with transaction(self.engine, writing=True) as connection:
            connection.execute(sa.insert(claims).values(probe))
            found = connection.execute(sa.select(claims.c.request_sha256).where(this)).scalar_one_or_none()
            connection.execute(sa.delete(claims).where(this))
        if found != probe["request_sha256"]:
            raise LogUnavailable("the reading log does not give back what was written: see its database")

    def begin(self, key: str, request_sha256: str) -> ReadingRow | None:
        """Claim an idempotency key, before anything is read.

        A claim whose process died is given away after `CLAIM_TIMEOUT`.

        Args:
            key: what the client calls its request; only the hash is kept.
            request_sha256: of what it asks for.

        Returns:
            The reading that this very request led to earlier, or None: the key is claimed, read and `add` with it.

        Raises:
            KeyReused: the key came with another request.
            KeyInProgress: the same request is being answered.
        """
        held = claims.c.key_sha256 == _sha256(key)
        claim = _claim(key, request_sha256)
        while True:
            try:
                with transaction(self.engine, writing=True) as connection:
                    connection.execute(sa.insert(claims).values(claim))
                return None
            except sa.exc.IntegrityError:
                pass
            with transaction(self.engine, writing=True) as connection:
                found = connection.execute(sa.select(claims).where(held).with_for_update()).one_or_none()
                if found is None:
                    continue  # it was withdrawn between the two
                # Of the future: from before the clock was set back.
                if found.reading_id is None and abs(datetime.now(UTC) - found.time) > CLAIM_TIMEOUT:
                    connection.execute(sa.update(claims).where(held).values(claim))
                    return None
            if found.request_sha256 != request_sha256:
                raise KeyReused("the idempotency key came with another request before: give each request its own")
            if found.reading_id is None:
                raise KeyInProgress("a request with this idempotency key is being answered: ask again in a moment")
            return self.get(found.reading_id)

    def begin_all(self, requests: Sequence[tuple[str, str]]) -> list[ReadingRow | OverreadError | None]:
        """Claim the keys of several requests, in one transaction where none was claimed before.

        Args:
            requests: key and SHA-256 of each, as `begin` takes them.

        Returns:
            For each request what `begin` gives, or the error that it raises.
        """
        fresh = [_claim(*request) for request in requests]
        try:
            with transaction(self.engine, writing=True) as connection:
                connection.execute(sa.insert(claims), fresh)
        except sa.exc.IntegrityError:
            return [_outcome(self.begin, *request) for request in requests]
        return [None] * len(requests)

    def withdraw(self, key: str) -> None:
        """Give up a claim that led to no reading, so that the key may be used again at once."""
        with transaction(self.engine, writing=True) as connection:
            unfilled = claims.c.reading_id.is_(None)
            connection.execute(sa.delete(claims).where(claims.c.key_sha256 == _sha256(key), unfilled))

    def add(self, reading: ReadingRow, *, key: str | None = None) -> None:
        """Log a reading with all its images, and the key that was claimed for it.

        Raises:
            KeyReused: the claim was given away after its time-out; nothing is logged.
            InvalidData: the id is there already.
        """
        self._insert([(reading, key)])

    def add_all(self, entries: Sequence[tuple[ReadingRow, str | None]]) -> list[OverreadError | None]:
        """Log several readings, in one transaction where none is refused.

        Args:
            entries: each reading and the key that was claimed for it, as `add` takes them.

        Returns:
            For each reading None where it is logged, or the error that `add` raises.
        """
        try:
            self._insert(entries)
        except (KeyReused, InvalidData):
            return [_outcome(self.add, reading, key=key) for reading, key in entries]
        return [None] * len(entries)

    def _insert(self, entries: Sequence[tuple[ReadingRow, str | None]]) -> None:
        """All of them or none."""
        rows = [{"id": reading.id, "time": reading.time, "bundle": reading.bundle} for reading, _ in entries]
        claimed = [{"held": _sha256(key), "by": reading.id} for reading, key in entries if key is not None]
        try:
            with transaction(self.engine, writing=True) as connection:
                connection.execute(sa.insert(readings), rows)
                connection.execute(
                    sa.insert(images), [_to_values(image) for reading, _ in entries for image in reading.images]
                )
                if claimed and connection.execute(_FILL_CLAIM, claimed).rowcount != len(claimed):
                    raise KeyReused("the idempotency key was taken over by another request: ask again")
        except sa.exc.IntegrityError:
            raise InvalidData("a reading of this id is in the log already: give each a new one") from None
        self._keep_retention()

    def get(self, reading_id: str) -> ReadingRow:
        """Give a reading with its images.

        Raises:
            UnknownReading: there is none, or it was removed.
        """
        found = []
        if is_id(reading_id):
            with transaction(self.engine) as connection:
                found = list(_select(connection, readings.c.id == reading_id))
        if not found:
            raise _unknown(reading_id)
        return ReadingRow(id=reading_id, time=found[0].time, bundle=found[0].bundle, images=tuple(found))

    def review(
        self, reading_id: str, index: int, true_label: str, time: datetime | None = None, *, task: Task | None = None
    ) -> None:
        """Note what a human says of an image; a later answer replaces it.

        Args:
            reading_id: of the reading.
            index: of the image in it.
            true_label: the class that the human sees, one of the bundle, or what else its task has as label.
            time: with its zone; else now.
            task: of the bundle; without, a label is the name of a class.

        Raises:
            UnknownReading: there is no such image.
            InvalidData: the image could not be read, or the label is none of the task.
            InvalidOption: the label is no class of the bundle.
        """
        if not is_id(reading_id) or not 0 <= index < MOST_IMAGES:
            raise _unknown(reading_id, index)
        given = Review(true_label=true_label, time=time or datetime.now(UTC))
        this = sa.and_(images.c.reading_id == reading_id, images.c.index == index)
        with transaction(self.engine, writing=True) as connection:
            found = connection.execute(
                sa.select(images.c.predicted_label, images.c.probabilities).where(this)
            ).one_or_none()
            if found is None:
                raise _unknown(reading_id, index)
            if found.probabilities is None:
                raise InvalidData("the image could not be read, so there is no answer to review: review another")
            named = (true_label,) if task is None else task.named_in(true_label)
            if true_label != found.predicted_label and not set(named) <= set(found.probabilities):
                raise InvalidOption(
                    f"the label is no class of the bundle: give one of {', '.join(found.probabilities)}"
                )
            if task is not None:
                task.require_label(true_label, "the review")
                true_label = task.label(task.encode([true_label])[0])  # with its findings in their order
            connection.execute(sa.update(images).where(this).values(true_label=true_label, review_time=given.time))

    def images(
        self, since: datetime | None = None, until: datetime | None = None, bundle: str | None = None
    ) -> Iterator[ImageRow]:
        """Give the images of readings from `since` on and before `until`, oldest first; of one bundle or all."""
        wanted = [
            *([readings.c.time >= since] if since else []),
            *([readings.c.time < until] if until else []),
            *([readings.c.bundle == bundle] if bundle else []),
        ]
        with transaction(self.engine) as connection:
            yield from _select(connection, *wanted)

    def remove_older_than(self, days: float) -> int:
        """Remove readings older than so many days, with images, reviews and keys; returns how many."""
        now = datetime.now(UTC)
        with transaction(self.engine, writing=True) as connection:
            abandoned = sa.and_(claims.c.reading_id.is_(None), claims.c.time < now - timedelta(days=days))
            connection.execute(sa.delete(claims).where(abandoned))
            return connection.execute(sa.delete(readings).where(readings.c.time < now - timedelta(days=days))).rowcount

    def _keep_retention(self) -> None:
        if self._retention_days is not None and time.monotonic() >= self._remove_next:
            self._remove_next = time.monotonic() + _REMOVE_EVERY_S
            self.remove_older_than(self._retention_days)


_FILL_CLAIM = (
    sa.update(claims)
    .where(claims.c.key_sha256 == sa.bindparam("held"), claims.c.reading_id.is_(None))
    .values(reading_id=sa.bindparam("by"))
)


def _claim(key: str, request_sha256: str) -> dict[str, Any]:
    return {"key_sha256": _sha256(key), "request_sha256": request_sha256, "time": datetime.now(UTC)}


def _outcome(function: Callable[..., Answer], *arguments: Any, **options: Any) -> Answer | OverreadError:
    """What a function gives, or the error that it raises."""
    try:
        return function(*arguments, **options)
    except OverreadError as error:
        return error


def _select(connection: sa.Connection, *wanted: sa.ColumnElement[bool]) -> Iterator[ImageRow]:
    query = sa.select(images, readings.c.time, readings.c.bundle).join(readings).where(*wanted)
    ordered = query.order_by(readings.c.time, readings.c.id, images.c.index)
    for row in connection.execution_options(yield_per=_AT_ONCE).execute(ordered).mappings():
        yield _from_values(dict(row))


def _to_values(image: ImageRow) -> dict[str, Any]:
    values = {field.name: getattr(image, field.name) for field in dataclasses.fields(ImageRow)}
    for name in ("bundle", "time", "review"):
        del values[name]
    review = image.review
    return {**values, "true_label": review and review.true_label, "review_time": review and review.time}


def _from_values(values: dict[str, Any]) -> ImageRow:
    true_label, moment = values.pop("true_label"), values.pop("review_time")
    for name in ("prediction_set", "refer", "projection"):
        values[name] = tuple(values[name])
    return ImageRow(**values, review=None if true_label is None else Review(true_label=true_label, time=moment))


def _sha256(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _unknown(reading_id: str, index: int | None = None) -> UnknownReading:
    what = "reading" if index is None else f"image {index} of the reading"
    return UnknownReading(f"the log has no {what} {reading_id!r}: it was never made, or is past its retention")
