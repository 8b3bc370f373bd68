"""Reads the exams of a request one by one, and shows the frames of those that are kept."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fastapi import Request
from starlette.datastructures import UploadFile

from overread.cases.exams.gathering import Gathering
from overread.errors import UnreadableImage
from overread.formats import Instance
from overread.formats.picture import MAX_PIXELS
from overread.formats.source import head_of
from overread.reading import Failure, Reader, Reading
from overread.service.problems import Problem
from overread.service.room.decoding import DecodingPool, Undecodable
from overread.service.room.exams.apart import ExamApart, Files, opened_apart
from overread.service.room.exams.gather import gathered_files, name_of_exam, told_by_content, unpack_to
from overread.service.room.exams.records import ExamRecord
from overread.service.room.exams.shelf import Kept, Shelf
from overread.service.room.exams.trays import Sent, Tray, Trays
from overread.service.room.records import ReadingRecord, Upload, name_of
from overread.service.room.uploads import Whole, parsed
from overread.service.room.zips import Limits, is_zip
from overread.service.settings import Settings

_PIECE = 2**20


@dataclasses.dataclass(frozen=True)
class Item:
    """An exam that came, or a zip that gives none with the reason."""

    files: Sequence[Sent]
    folder: Path | None = None
    refused: Undecodable | None = None

    @property
    def sha256(self) -> str:
        """Of its only file; of several, that of theirs in their order, for in which they came says nothing."""
        own = sorted(file.sha256 for file in self.files)
        return own[0] if len(own) == 1 else hashlib.sha256("".join(own).encode()).hexdigest()


class ExamDesk:
    """Where exams are taken in, read and kept.

    Args:
        settings: the limits.
        pool: that decodes.
        places: for so many exams to wait and to be read.
    """

    def __init__(
        self,
        settings: Settings,
        pool: DecodingPool,
        places: Callable[[int], contextlib.AbstractContextManager[None]],
    ) -> None:
        self._settings, self._pool, self._places = settings, pool, places
        self._trays = Trays()
        self._threads = ThreadPoolExecutor(settings.workers, thread_name_prefix="exams")
        self.shelf = Shelf(self._trays, keep_s=settings.keep_exams_s, most_bytes=settings.max_kept_bytes)

    @contextlib.asynccontextmanager
    async def received(self, request: Request) -> AsyncIterator[Tray]:
        """The files of a multipart request, on the disk for as long as they are read.

        Raises:
            Problem: as `receive_uploads`.
        """
        with self._trays.tray() as tray:
            async with parsed(request, self._settings.max_exam_files, Whole) as files:
                for file in files:
                    # A form without a chosen file sends one that has neither name nor content.
                    if file.filename or file.size:
                        await asyncio.to_thread(tray.take, file.filename or "", _pieces(file))
            yield tray

    async def read(self, reader: Reader, tray: Tray, *, to_show: bool) -> list[ExamRecord]:
        """Read each exam of a request.

        Args:
            reader: of a bundle that reads exams.
            tray: with what was sent.
            to_show: whether the exams are to be kept.

        Raises:
            Problem: nothing came, or too much.
        """
        if not tray.files:
            raise Problem(422, "no-files", "no file came with the request: send one or more in a multipart body")
        items = await self._items(tray, reader.bundle.exams or Gathering())
        with self._places(len(items)):
            return list(await asyncio.gather(*(self._read(reader, i, item, to_show) for i, item in enumerate(items))))

    def keep(self, record: ReadingRecord) -> None:
        """Keep the exams of a reading that are to be looked at."""
        for one in record.images:
            if isinstance(one, ExamRecord) and one.kept is not None:
                self.shelf.put((record.id, one.index), one.kept)

    def close(self) -> None:
        """Finish what is being read, and remove all files."""
        self._threads.shutdown()
        self.shelf.close()

    async def _items(self, tray: Tray, gathering: Gathering) -> list[Item]:
        files, refused = await self._unpacked(tray)
        if len(files) > self._settings.max_exam_files:
            most = self._settings.max_exam_files
            raise Problem(413, "too-many-files", f"{len(files)} files came; {most} are taken at a time")
        try:
            told = await self._pool.run(told_by_content, files, gathering.by, timeout_s=self._settings.exam_timeout_s)
        except Undecodable:  # one of them has ended the process
            told = [await self._told(file, gathering) for file in files]
        exams = gathered_files(files, told, gathering)
        most = self._settings.max_waiting
        if len(exams) > most:
            raise Problem(413, "too-many-exams", f"{len(exams)} exams came; {most} are taken at a time: send fewer")
        laid = (tray.exam_folder(number, own) for number, own in enumerate(exams))
        return [*(Item(own, folder) for folder, own in laid), *refused]

    async def _told(self, file: Sent, gathering: Gathering) -> str | None:
        """`told_by_content` of one file; None, so that it is an exam by itself, where that ends the process."""
        try:
            (found,) = await self._pool.run(told_by_content, [file], gathering.by)
        except Undecodable:
            return None
        return str(found) if found is not None else None

    async def _unpacked(self, tray: Tray) -> tuple[list[Sent], list[Item]]:
        """All files, and zips that give none."""
        files: list[Sent] = []
        refused: list[Item] = []
        left = self._settings.max_upload_bytes
        for number, file in enumerate(tray.files):
            if not is_zip(head_of(file.path)):
                files.append(file)
                continue
            most = self._settings.max_exam_files
            limits = Limits(files=most, file_bytes=left, total_bytes=left, ratio=self._settings.max_ratio)
            folder = tray.folder / f"zip-{number}"
            try:
                found = await self._pool.run(unpack_to, folder, file, limits, timeout_s=self._settings.exam_timeout_s)
            except Undecodable as error:
                refused.append(Item([file], refused=error))
                continue
            finally:
                file.path.unlink()
            left -= sum(one.size_bytes for one in found)
            files += found
        return files, refused

    async def _read(self, reader: Reader, index: int, item: Item, to_show: bool) -> ExamRecord:
        start, code, kept = time.perf_counter(), None, None
        name = name_of(Upload(name=name_of_exam(item.files), content=b""))
        result: Reading | Failure
        try:
            if item.refused is not None or item.folder is None:
                raise item.refused or Undecodable("unreadable", "holds no file")
            work = functools.partial(self._read_now, reader, name, item)
            reading, exam = await asyncio.get_running_loop().run_in_executor(self._threads, work)
            result = reading
            if to_show:
                slide = await asyncio.to_thread(exam.frames.slide)
                size = sum(file.size_bytes for file in item.files)
                kept = Kept(reading=reading, exam=exam, reader=reader, folder=item.folder, size_bytes=size, slide=slide)
        except Undecodable as error:
            result, code = Failure(path=name, error=error.reason), error.code
        return ExamRecord(
            index=index,
            name=name,
            sha256=item.sha256,
            latency_ms=1000 * (time.perf_counter() - start),
            result=result,
            code=code,
            files=len(item.files),
            kept=kept,
        )

    def _read_now(self, reader: Reader, name: str, item: Item) -> tuple[Reading, ExamApart]:
        settings, preprocessing = self._settings, reader.bundle.preprocessing
        instances = tuple(Instance(file.path) for file in item.files)
        files = Files(instances, preprocessing, min(settings.max_pixels, MAX_PIXELS))
        # A piece may have to open the exam again first, in another process.
        run = functools.partial(self._pool.wait_for, timeout_s=2 * settings.timeout_s)
        deadline = time.monotonic() + settings.exam_timeout_s
        try:
            frames = opened_apart(files, run, {file.path: Path(file.name) for file in item.files})
            if len(frames) > settings.max_frames:
                raise Undecodable("too-large", f"has {len(frames)} frames; {settings.max_frames} are taken: send fewer")
            exam = ExamApart(frames=frames, preprocessing=preprocessing, deadline=deadline)
            reading = reader.read_open(name, exam)
        except UnreadableImage as error:
            raise Undecodable("unreadable", str(error)) from None
        except TimeoutError:
            said = f"took longer to read than {settings.exam_timeout_s:g} s: send fewer frames"
            raise Undecodable("timed-out", said) from None
        # Looking at it has no end.
        return reading, dataclasses.replace(exam, deadline=float("inf"))


def _pieces(file: UploadFile) -> Iterator[bytes]:
    while piece := file.file.read(_PIECE):
        yield piece
