"""The reading room: takes images in, has them decoded and read side by side, and keeps a log. Page and API use it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from fastapi import Request

from overread.reading import Failure, Reader, Reading
from overread.service.problems import Problem, too_busy
from overread.service.prometheus import Metrics
from overread.service.room.decoding import DecodingPool, Undecodable
from overread.service.room.exams.desk import ExamDesk
from overread.service.room.exams.trays import Tray
from overread.service.room.log_desk import LogDesk
from overread.service.room.readiness import Readiness
from overread.service.room.records import ImageRecord, ReadingRecord, Upload, name_of, request_digest
from overread.service.room.uploads import receive_uploads
from overread.service.room.zips import Limits, is_zip
from overread.service.settings import Settings

if TYPE_CHECKING:
    from overread.reading_log import ReadingLog, ReadingRow

# Of a bundle that reads images, or one that reads exams.
Uploads = list[Upload] | Tray
# Codes of images that say nothing of the image.
_OF_THE_SERVER = ("no-process", "closed")


class ReadingRoom:
    """Reads uploads with the bundles that it was given.

    Args:
        readers: by the id under which each bundle is asked for; the first is the one meant when none is named.
        settings: the limits.
        log: where readings are kept; None keeps nothing.
    """

    def __init__(self, readers: Mapping[str, Reader], settings: Settings, log: ReadingLog | None) -> None:
        self.readers, self.settings = dict(readers), settings
        self.metrics = Metrics(self.readers)
        self.pool = DecodingPool(settings)
        self._threads = ThreadPoolExecutor(settings.workers, thread_name_prefix="reading")
        self.desk = None if log is None else LogDesk(log)
        self.exams = ExamDesk(settings, self.pool, self.places)
        self.readiness = Readiness(self._check)
        self._waiting = self._answering = 0

    def reader(self, bundle_id: str | None = None) -> Reader:
        """The bundle of an id or fingerprint, at work; the first for None.

        Raises:
            Problem: 404, there is no such bundle.
        """
        if bundle_id is None:
            return next(iter(self.readers.values()))
        for name, reader in self.readers.items():
            if bundle_id in (name, reader.bundle.fingerprint):
                return reader
        raise Problem(404, "unknown-bundle", "no such bundle is served here: see /v1/bundles")

    def id_of(self, reader: Reader) -> str:
        """Under which id a bundle is asked for."""
        return next(name for name, served in self.readers.items() if served is reader)

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """A place for one request, held until it is answered.

        Raises:
            Problem: 503, all places are taken.
        """
        if self._answering >= self.settings.max_requests:
            raise too_busy("as many requests as are taken at a time are being answered: try again in a few seconds")
        self._answering += 1
        self.metrics.answering.set(self._answering)
        try:
            yield
        finally:
            self._answering -= 1
            self.metrics.answering.set(self._answering)

    @contextlib.asynccontextmanager
    async def uploads(
        self, request: Request, bundle_id: str | None = None, *, most: int | None = None
    ) -> AsyncIterator[Uploads]:
        """The files of a multipart request and, once they are there, a place for it: who sends slowly holds none.

        Raises:
            Problem: as `receive_uploads` and `answering`.
        """
        if self.reader(bundle_id).bundle.exams is not None:
            async with self.exams.received(request) as tray:
                with self.answering():
                    yield tray
            return
        received = await receive_uploads(request, self.settings, most=most)
        with self.answering():
            yield received

    async def read(
        self, uploads: Uploads, bundle_id: str | None = None, *, key: str | None = None, to_show: bool = False
    ) -> ReadingRecord:
        """Read uploaded images, those within zip files among them, and log what came out.

        Args:
            uploads: one or more files, as `uploads` gave them for this bundle.
            bundle_id: which bundle reads them; the first for None.
            key: of the request, claimed in the log.
            to_show: whether renditions for people are wanted.

        Raises:
            Problem: the request is refused as a whole; nothing is logged.
        """
        reader = self.reader(bundle_id)
        images: Sequence[ImageRecord]
        if isinstance(uploads, Tray):
            images = await self.exams.read(reader, uploads, to_show=to_show)
        else:
            images = await self._images(reader, uploads, to_show=to_show)
        if any(image.code in _OF_THE_SERVER for image in images):
            raise too_busy("no process can decode at present: try again in a few seconds")
        for image in images:
            self._count(reader, image)
        record = ReadingRecord(images=images, bundle=reader.bundle.fingerprint)
        if self.desk is not None:
            await self.desk.enter(record.row(), key)
        self.exams.keep(record)
        return record

    async def read_once(self, uploads: Uploads, bundle_id: str | None, key: str) -> ReadingRecord | ReadingRow:
        """`read`, unless a request of this key has been answered before: then what the log kept of that answer.

        Raises:
            Problem: as `read`, or the key came with another request or one that is being answered.
        """
        if self.desk is None:
            raise Problem(501, "no-log", "this server keeps no log, by which a repeated request would be known")
        digests = (
            uploads.digests
            if isinstance(uploads, Tray)
            else [hashlib.sha256(upload.content).digest() for upload in uploads]
        )
        request = request_digest(self.reader(bundle_id).bundle.fingerprint, digests)
        found = await self.desk.claim(key, request)
        if found is not None:
            return found
        try:
            return await self.read(uploads, bundle_id, key=key)
        except BaseException:
            await self.desk.ask(self.desk.log.withdraw, key)
            raise

    def close(self) -> None:
        """Finish what is being read, end the processes, and remove the files of exams."""
        self.pool.close()
        self.exams.close()
        self._threads.shutdown()
        if self.desk is not None:
            self.desk.close()

    @contextlib.contextmanager
    def places(self, count: int) -> Iterator[None]:
        """Places for so many images to wait and to be read.

        Raises:
            Problem: 503, there are not so many left.
        """
        if self._waiting + count > self.settings.max_waiting:
            raise too_busy("too many images are waiting: try again in a few seconds")
        self._waiting += count
        self.metrics.waiting.set(self._waiting)
        try:
            yield
        finally:
            self._waiting -= count
            self.metrics.waiting.set(self._waiting)

    async def _images(self, reader: Reader, uploads: list[Upload], *, to_show: bool) -> list[ImageRecord]:
        if not uploads:
            raise Problem(422, "no-files", "no file came with the request: send one or more in a multipart body")
        items = await self._expanded(uploads)
        if len(items) > self.settings.max_files:
            most = self.settings.max_files
            raise Problem(413, "too-many-files", f"{len(items)} images came; {most} are taken at a time")
        with self.places(len(items)):
            return list(await asyncio.gather(*(self._image(reader, i, *item, to_show) for i, item in enumerate(items))))

    def _count(self, reader: Reader, image: ImageRecord) -> None:
        found = image.result
        outcome = "failed" if isinstance(found, Failure) else "referred" if found.refer else "read"
        self.metrics.seconds.labels("total").observe(image.latency_ms / 1000)
        bundle = reader.bundle.fingerprint[:12]
        self.metrics.images.labels(bundle, outcome).inc()
        if isinstance(found, Failure):
            return
        self.metrics.frames.labels(bundle).inc(len(found.frames) or 1)
        for question in found.questions:
            self.metrics.answers.labels(bundle, question.name, question.answer).inc()

    async def _check(self) -> None:
        if self.desk is not None:
            await self.desk.check()
        if not await self.pool.answers():
            raise Problem(503, "not-ready", "no decoding process answers", headers={"Retry-After": "5"})

    async def _expanded(self, uploads: list[Upload]) -> list[tuple[Upload, Undecodable | None]]:
        """Each image, or a zip that gives none with the reason."""
        items: list[tuple[Upload, Undecodable | None]] = []
        left = self.settings.max_upload_bytes
        for upload in uploads:
            if not is_zip(upload.content):
                items.append((upload, None))
                continue
            limits = Limits(
                files=self.settings.max_files,
                file_bytes=self.settings.max_file_bytes,
                total_bytes=left,
                ratio=self.settings.max_ratio,
            )
            try:
                found = await self.pool.unpack(upload.content, limits)
            except Undecodable as error:
                items.append((upload, error))
                continue
            left -= sum(len(content) for _, content in found)
            items += [(Upload(name=name, content=content), None) for name, content in found]
        return items

    async def _infer(self, reader: Reader, name: str, pixels: np.ndarray) -> list[Reading]:
        # On all cores a request took 46 ms of processor time, most of it threads that spin for one another; so it takes
        # 10 (compact, 224 px, 2 cores, November 2026). Images of several requests in one batch gain nothing: 4.0 ms an
        # image alone, 3.7 to 4.0 with 2 to 32 in a batch, and the first would wait for the last.
        read = functools.partial(reader.read_prepared, [name], pixels[None], side_by_side=True)
        return await asyncio.get_running_loop().run_in_executor(self._threads, read)

    async def _image(
        self, reader: Reader, index: int, upload: Upload, refused: Undecodable | None, to_show: bool
    ) -> ImageRecord:
        start, name, code, rendition = time.perf_counter(), name_of(upload), None, None
        result: Reading | Failure
        try:
            if refused is not None:
                raise refused
            if len(upload.content) > self.settings.max_file_bytes:
                raise Undecodable("too-large", f"has more than {self.settings.max_file_bytes} bytes: reduce it first")
            decoded = await self.pool.decode(upload.content, upload.name, reader.bundle.preprocessing, to_show=to_show)
            rendition, began = decoded.rendition, time.perf_counter()
            (result,) = await self._infer(reader, name, decoded.pixels)
            self.metrics.seconds.labels("decode").observe(decoded.seconds)
            self.metrics.seconds.labels("infer").observe(time.perf_counter() - began)
        except Undecodable as error:
            result, code = Failure(path=name, error=error.reason), error.code
        return ImageRecord(
            index=index,
            name=name,
            sha256=hashlib.sha256(upload.content).hexdigest(),
            latency_ms=1000 * (time.perf_counter() - start),
            result=result,
            code=code,
            rendition=rendition,
        )


def room_of(request: Request) -> ReadingRoom:
    """The room of the application that a request came to."""
    room: ReadingRoom = request.app.state.room
    return room
