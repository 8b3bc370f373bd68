"""The reading room: takes images in, has them decoded and read side by side, and keeps a log. Page and API use it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from overread.reading import Failure, Reader
from overread.service.archive import Limits, is_zip
from overread.service.decoding import DecodingPool, Undecodable
from overread.service.metrics import Metrics
from overread.service.problems import Problem, too_busy
from overread.service.records import ImageRecord, ReadingRecord, Upload, request_digest, shown
from overread.service.settings import Settings

if TYPE_CHECKING:
    from overread.reading_log import ReadingLog


class ReadingRoom:
    """Reads uploads with the bundles that it was given.

    Args:
        readers: by the id under which each bundle is asked for; the first is the one meant when none is named.
        settings: the limits.
        log: where readings are kept; None keeps nothing.
    """

    def __init__(self, readers: Mapping[str, Reader], settings: Settings, log: ReadingLog | None) -> None:
        self.readers, self.settings, self.log = dict(readers), settings, log
        self.metrics = Metrics(self.readers)
        self.pool = DecodingPool(settings)
        self._threads = ThreadPoolExecutor(settings.workers, thread_name_prefix="reading")
        self._waiting = self._receiving = 0

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

    @contextlib.contextmanager
    def receiving(self) -> Iterator[None]:
        """A place for taking one request in, held until it is answered.

        Raises:
            Problem: 503, all places are taken.
        """
        if self._receiving >= self.settings.max_requests:
            raise too_busy("as many requests as are taken at a time are being answered: try again in a few seconds")
        self._receiving += 1
        try:
            yield
        finally:
            self._receiving -= 1

    async def read(
        self, uploads: list[Upload], bundle_id: str | None = None, key: str | None = None, *, to_show: bool = False
    ) -> ReadingRecord:
        """Read uploaded images, those within zip files among them, and log what came out.

        Args:
            uploads: one or more files.
            bundle_id: which bundle reads them; the first for None.
            key: names the request, so that it is read once though it be sent twice.
            to_show: whether renditions for people are wanted.

        Raises:
            Problem: the request is refused as a whole.
        """
        reader = self.reader(bundle_id)
        if not uploads:
            raise Problem(422, "no-files", "no file came with the request: send one or more as multipart field `files`")
        return await self._read(reader, uploads, to_show)

    async def _read(self, reader: Reader, uploads: list[Upload], to_show: bool) -> ReadingRecord:
        items = await self._expanded(uploads)
        self._refuse_many(len(items))
        with self._places(len(items)):
            images = await asyncio.gather(
                *(self._image(reader, index, *item, to_show) for index, item in enumerate(items))
            )
        return ReadingRecord(images=list(images), bundle=reader.bundle.fingerprint)

    def close(self) -> None:
        """Finish what is being read, and end the processes."""
        self.pool.close()
        self._threads.shutdown()

    def _refuse_many(self, count: int) -> None:
        if count > self.settings.max_files:
            raise Problem(413, "too-many-files", f"{count} images came; {self.settings.max_files} are taken at a time")

    @contextlib.contextmanager
    def _places(self, count: int) -> Iterator[None]:
        if self._waiting + count > self.settings.max_waiting:
            raise too_busy("too many images are waiting: try again in a few seconds")
        self._waiting += count
        self.metrics.waiting.set(self._waiting)
        try:
            yield
        finally:
            self._waiting -= count
            self.metrics.waiting.set(self._waiting)

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

    async def _image(
        self, reader: Reader, index: int, upload: Upload, refused: Undecodable | None, to_show: bool
    ) -> ImageRecord:
        start, name, code, rendition = time.perf_counter(), shown(upload.name), None, None
        try:
            if refused is not None:
                raise refused
            if len(upload.content) > self.settings.max_file_bytes:
                raise Undecodable("too-large", f"has more than {self.settings.max_file_bytes} bytes: reduce it first")
            decoded = await self.pool.decode(upload.content, reader.bundle.preprocessing, to_show=to_show)
            rendition, began = decoded.rendition, time.perf_counter()
            loop = asyncio.get_running_loop()
            (result,) = await loop.run_in_executor(
                self._threads, reader.read_prepared, [name], decoded.pixels[None]
            )
            self.metrics.seconds.labels("decode").observe(decoded.seconds)
            self.metrics.seconds.labels("infer").observe(time.perf_counter() - began)
        except Undecodable as error:
            result, code = Failure(path=name, error=error.reason), error.code
        seconds = time.perf_counter() - start
        self.metrics.seconds.labels("total").observe(seconds)
        self.metrics.images.labels(reader.bundle.fingerprint[:12], "failed" if code else "read").inc()
        return ImageRecord(
            index=index,
            name=name,
            sha256=hashlib.sha256(upload.content).hexdigest(),
            latency_ms=1000 * seconds,
            result=result,
            code=code,
            rendition=rendition,
        )
